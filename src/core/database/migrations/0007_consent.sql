-- What customers said about being written to, and until when a provider's own list was compared with ours.

-- One row each time, so that who agreed when can be shown; the newest `stop` or `start` of an address counts.
create table consents (
  id uuid primary key,
  business_id uuid not null,
  channel_id uuid not null,
  address text not null,
  consent text not null check (consent in ('stop', 'start', 'help')),
  -- Who said it: the customer's own message, the provider that refused a message of ours, or one of the team.
  source text not null check (source in ('customer', 'provider', 'agent')),
  keyword text,
  agent_id uuid,
  said_at timestamptz not null,
  created_at timestamptz not null default now(),
  foreign key (business_id, channel_id) references channels (business_id, id)
);
create index consents_newest on consents (channel_id, address, said_at desc, id desc);

alter table channels
  -- When the provider's list is read next, and what it held up to when is with us.
  add column catch_up_at timestamptz,
  add column caught_up_at timestamptz;
