-- Until when Tributary says nothing more by itself to a customer of a channel.
create table automatic_answers (
  channel_id uuid not null references channels (id),
  customer_id uuid not null,
  kind text not null check (kind in ('greeting', 'out_of_hours')),
  silent_until timestamptz not null,
  primary key (channel_id, customer_id, kind)
);
create index automatic_answers_customer on automatic_answers (customer_id);
create index automatic_answers_age on automatic_answers (silent_until);
