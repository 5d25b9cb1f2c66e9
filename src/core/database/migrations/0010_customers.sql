-- Several addresses of one customer, blocked senders, and erasures under way.

-- Further emails and phones of a customer, beside the first of each that stands on the customer's own row.
create table customer_addresses (
  customer_id uuid not null,
  business_id uuid not null,
  kind text not null check (kind in ('email', 'phone')),
  address text not null,
  position integer not null,
  primary key (customer_id, kind, address),
  foreign key (customer_id, business_id) references customers (id, business_id)
);
create index customer_addresses_address on customer_addresses (business_id, kind, lower(address));

-- What a merge took over from this customer, so that its undo can give it back.
alter table customers add column merged_external_id text;

-- Whose messages are kept raw and open nothing. value is the address or domain as it is compared; of a person the
-- customer's id.
create table blocked_senders (
  id uuid primary key,
  business_id uuid not null references businesses (id),
  kind text not null check (kind in ('person', 'address', 'domain')),
  value text not null,
  customer_id uuid check ((kind = 'person') = (customer_id is not null)),
  reason text,
  agent_id uuid,
  created_at timestamptz not null default now(),
  unique (business_id, kind, value),
  foreign key (customer_id, business_id) references customers (id, business_id)
);

-- Erasures under way: what is partitioned or on the disk is blanked after the customer's own rows, and once more when
-- every call that was in flight has ended.
create table erasures (
  customer_id uuid primary key,
  business_id uuid not null,
  requested_at timestamptz not null default now(),
  next_sweep_at timestamptz not null,
  -- What the raw requests of these channels are searched for, and the files to remove; emptied by the first sweep.
  addresses text[] not null,
  channel_ids uuid[] not null,
  files text[] not null,
  swept_at timestamptz
);
create index erasures_due on erasures (next_sweep_at);
