-- The data model. Ids are UUIDv7. Foreign keys to conversations, customers and channels carry the business, so a row
-- can never point into another tenant. events, deliveries, attempts and inbound_requests end: they are partitioned by
-- day, dropped by partition, and nothing has a foreign key to them.

-- How far a sent message got. A failure outranks sent, and evidence of delivery outranks a failure.
create function status_rank(status text) returns integer language sql immutable parallel safe as $$
  select array_position(array['scheduled', 'canceled', 'queued', 'sending', 'sent', 'failed', 'delivered', 'read'], status)
$$;

create table settings (
  key text primary key,
  value text not null
);

create table businesses (
  id uuid primary key,
  name text not null,
  timezone text not null default 'UTC',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table agents (
  id uuid primary key,
  business_id uuid not null references businesses (id),
  name text not null,
  email text,
  role text not null check (role in ('owner', 'admin', 'agent', 'bot')),
  status text not null default 'offline' check (status in ('live', 'away', 'offline')),
  is_active boolean not null default true,
  invited_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (business_id, id)
);
create unique index agents_email on agents (business_id, lower(email)) where is_active;

create table api_keys (
  id uuid primary key,
  business_id uuid not null references businesses (id),
  agent_id uuid,
  name text not null,
  role text not null check (role in ('owner', 'admin', 'agent', 'bot')),
  key_hash bytea not null unique,
  hint text not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz,
  created_at timestamptz not null default now(),
  unique (business_id, id),
  foreign key (business_id, agent_id) references agents (business_id, id)
);

create table channels (
  id uuid primary key,
  business_id uuid not null references businesses (id),
  type text not null,
  name text not null,
  -- Settings without secrets; secrets is one encrypted JSON object with the rest.
  config jsonb not null,
  secrets bytea,
  -- Names the provider's account (bot, number, mailbox): an active one belongs to one channel.
  account_key text,
  is_active boolean not null default true,
  is_default boolean not null default false,
  reopen text not null default 'always' check (reopen ~ '^(always|never|within_hours:[0-9]{1,5})$'),
  assignment jsonb not null default '{"mode":"manual"}',
  greeting text,
  out_of_hours text,
  setup jsonb not null default '{"done":[],"todo":[]}',
  -- When connecting is tried next; null once the provider has answered, yes or no.
  connect_at timestamptz,
  connect_tries integer not null default 0,
  -- Set while the provider refuses the account; cleared by a change of the config or a healthy check.
  broken_at timestamptz,
  broken_reason text,
  -- Where a listener left its source (an offset, a UID).
  listen_state jsonb not null default '{}',
  deleted_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (business_id, id)
);
create unique index channels_account on channels (account_key) where is_active and deleted_at is null;
create unique index channels_default on channels (business_id) where is_default and deleted_at is null;
create index channels_connecting on channels (connect_at) where connect_at is not null;

create table customers (
  id uuid not null,
  business_id uuid not null references businesses (id),
  name text,
  email text,
  phone text,
  external_id text,
  custom_attributes jsonb not null default '{}',
  blocked_at timestamptz,
  merged_into_id uuid,
  deleted_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (id, business_id),
  foreign key (merged_into_id, business_id) references customers (id, business_id)
);
create unique index customers_external_id on customers (business_id, external_id)
  where external_id is not null and deleted_at is null;
create index customers_email on customers (business_id, lower(email)) where email is not null;
create index customers_phone on customers (business_id, phone) where phone is not null;

-- One address of a customer on one channel. The unique key makes concurrent first messages agree on one customer.
create table identities (
  id uuid primary key,
  business_id uuid not null,
  channel_id uuid not null,
  customer_id uuid not null,
  kind text not null,
  address text not null,
  profile jsonb not null default '{}',
  reachable boolean not null default true,
  created_at timestamptz not null default now(),
  unique (channel_id, address),
  foreign key (business_id, channel_id) references channels (business_id, id),
  foreign key (customer_id, business_id) references customers (id, business_id) deferrable initially deferred
);
create index identities_customer on identities (customer_id);

create table conversations (
  id uuid not null,
  business_id uuid not null,
  channel_id uuid not null,
  channel_type text not null,
  -- The provider's chat, number pair or mail chain that messages go to; null while there is no recipient.
  thread_key text,
  customer_id uuid,
  assignee_id uuid,
  status text not null default 'open' check (status in ('open', 'pending', 'snoozed', 'resolved', 'closed')),
  subject text,
  priority text check (priority in ('low', 'normal', 'high', 'urgent')),
  tags text[] not null default '{}',
  custom_attributes jsonb not null default '{}',
  needs_human_handoff boolean not null default false,
  handoff_reason text,
  snoozed_until timestamptz,
  reply_window_expires_at timestamptz,
  -- seq counts every message; the public one leaves out notes and activity (if_last_seq, unread).
  last_message_seq bigint not null default 0,
  last_public_seq bigint not null default 0,
  unread_count integer not null default 0,
  agent_read_seq bigint not null default 0,
  customer_read_seq bigint not null default 0,
  last_message_at timestamptz not null default now(),
  first_response_at timestamptz,
  resolved_at timestamptz,
  closed_at timestamptz,
  merged_into_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (id, business_id),
  check ((status = 'snoozed') = (snoozed_until is not null)),
  foreign key (business_id, channel_id) references channels (business_id, id),
  foreign key (customer_id, business_id) references customers (id, business_id) deferrable initially deferred,
  foreign key (business_id, assignee_id) references agents (business_id, id),
  foreign key (merged_into_id, business_id) references conversations (id, business_id)
);
create index conversations_activity on conversations (business_id, last_message_at desc, id desc);
create index conversations_status on conversations (business_id, status, last_message_at desc, id desc);
create index conversations_assignee on conversations (business_id, assignee_id, last_message_at desc, id desc)
  where assignee_id is not null;
create index conversations_customer on conversations (customer_id);
create index conversations_snoozed on conversations (snoozed_until) where status = 'snoozed';

-- Where the next inbound message of a provider's thread goes. Upserted first by ingest, so it serialises the thread.
create table threads (
  channel_id uuid not null,
  thread_key text not null,
  business_id uuid not null,
  customer_id uuid,
  conversation_id uuid,
  updated_at timestamptz not null default now(),
  primary key (channel_id, thread_key),
  foreign key (business_id, channel_id) references channels (business_id, id),
  foreign key (conversation_id, business_id) references conversations (id, business_id) deferrable initially deferred
);
create index threads_conversation on threads (conversation_id);

create table messages (
  id uuid primary key,
  business_id uuid not null,
  conversation_id uuid not null,
  channel_id uuid not null,
  customer_id uuid,
  -- Gap-free per conversation, given at commit; null while scheduled.
  seq bigint,
  direction text not null check (direction in ('inbound', 'outbound', 'internal')),
  sender_type text not null check (sender_type in ('customer', 'agent', 'system', 'bot')),
  sender_id uuid,
  sender_name text,
  type text not null check (type in ('text', 'attachment', 'card', 'location', 'contact', 'template', 'note', 'activity', 'unsupported')),
  content text not null,
  html text,
  text_full text,
  card jsonb,
  email jsonb,
  template jsonb,
  reactions jsonb not null default '[]',
  reply_to_id uuid,
  client_message_id text,
  external_id text,
  metadata jsonb not null default '{}',
  status text check (status in ('scheduled', 'queued', 'sending', 'sent', 'delivered', 'read', 'failed', 'canceled')),
  error jsonb,
  -- An explicit retry starts a new generation, the only way back for a status.
  generation integer not null default 1,
  tries integer not null default 0,
  next_attempt_at timestamptz,
  send_at timestamptz,
  cancel_on_reply boolean not null default false,
  -- A failed message that an agent let the later ones pass.
  skipped_at timestamptz,
  created_at timestamptz not null default now(),
  sent_at timestamptz,
  delivered_at timestamptz,
  read_at timestamptz,
  edited_at timestamptz,
  deleted_at timestamptz,
  unique (conversation_id, seq),
  check ((direction = 'outbound') = (status is not null)),
  check ((seq is null) = (status is not distinct from 'scheduled') or status = 'canceled'),
  foreign key (conversation_id, business_id) references conversations (id, business_id)
);
create index messages_due on messages (conversation_id, seq) where status in ('queued', 'sending');
create index messages_scheduled on messages (send_at) where status = 'scheduled';
create index messages_external on messages (channel_id, external_id) where external_id is not null;

-- Checkpoints of a message's parts, so a retry never repeats what the provider already took.
create table message_parts (
  message_id uuid not null references messages (id),
  generation integer not null,
  n integer not null,
  payload jsonb not null,
  external_id text,
  status text not null check (status in ('queued', 'sending', 'sent', 'delivered', 'read', 'failed')),
  sent_at timestamptz,
  primary key (message_id, generation, n)
);

-- The provider's ids of what we sent, and of an album's further items. Upserted by the send and by the receipt, so
-- whichever comes first waits for the other.
create table provider_ids (
  channel_id uuid not null,
  external_id text not null,
  message_id uuid,
  part integer,
  best_status text check (best_status in ('sent', 'delivered', 'read', 'failed')),
  error jsonb,
  status_at timestamptz,
  -- Reactions and replies to a message that has not named itself yet: the send applies them when it does.
  parked jsonb,
  created_at timestamptz not null default now(),
  primary key (channel_id, external_id)
);
create index provider_ids_message on provider_ids (message_id);
create index provider_ids_nameless on provider_ids (created_at) where message_id is null;

create table attachments (
  id uuid primary key,
  business_id uuid not null,
  conversation_id uuid,
  message_id uuid,
  position integer not null default 0,
  name text not null,
  content_type text not null,
  size_bytes bigint,
  sha256 bytea,
  state text not null check (state in ('uploaded', 'pending', 'ready', 'failed', 'too_large')),
  -- Where the bytes can be fetched, in the adapter's own terms, encrypted: it may hold a provider's token.
  source bytea,
  storage_key text,
  error text,
  tries integer not null default 0,
  next_attempt_at timestamptz,
  -- Who uploaded it: only they may put it in a message.
  uploaded_by text,
  created_at timestamptz not null default now(),
  foreign key (conversation_id, business_id) references conversations (id, business_id)
);
create index attachments_message on attachments (message_id, position);
create index attachments_pending on attachments (next_attempt_at) where state = 'pending';

-- The keys that hold a time hold milliseconds: what JavaScript reads of them finds the row again.

-- What a provider sent us, raw. One row per request received.
create table inbound_requests (
  id uuid not null,
  received_at timestamptz(3) not null,
  business_id uuid not null,
  channel_id uuid not null,
  customer_id uuid,
  -- A request that changed nothing (a duplicate, nothing for us) is ignored; its reason says why.
  status text not null check (status in ('processed', 'ignored', 'failed')),
  headers jsonb not null default '{}',
  url text,
  body bytea,
  reason text,
  primary key (id, received_at)
) partition by range (received_at);
create index inbound_requests_business on inbound_requests (business_id, status, received_at desc, id desc);

-- Recognises a duplicate. Kept for at least 90 days, longer than any provider redelivers.
create table inbound_keys (
  channel_id uuid not null,
  external_event_id text not null,
  message_id uuid,
  created_at timestamptz not null default now(),
  primary key (channel_id, external_event_id)
);
create index inbound_keys_created on inbound_keys using brin (created_at);

-- Written by every transaction that changes something; emptied by the dispatcher.
create table outbox (
  id bigint generated always as identity primary key,
  event_id uuid not null,
  business_id uuid not null,
  type text not null,
  conversation_id uuid,
  customer_id uuid,
  message_id uuid,
  -- json, not jsonb: it is written and read as a whole, never looked into, and costs half as much.
  data json not null,
  caused_by jsonb,
  -- Lanes that have something to do because of it, as 'send:ID' or 'fetch:ID'.
  wakes text[] not null default '{}',
  occurred_at timestamptz not null default now()
);

-- What happened, in one order. seq is given by the dispatcher, one at a time: nothing ever appears behind a cursor.
create table events (
  seq bigint generated always as identity,
  id uuid not null,
  business_id uuid not null,
  type text not null,
  conversation_id uuid,
  customer_id uuid,
  message_id uuid,
  data json not null,
  caused_by jsonb,
  occurred_at timestamptz not null,
  created_at timestamptz not null,
  primary key (seq, created_at)
) partition by range (created_at);
create index events_business on events (business_id, seq);

create table readers (
  name text primary key,
  seq bigint not null,
  updated_at timestamptz not null default now()
);

create table webhook_endpoints (
  id uuid primary key,
  business_id uuid not null references businesses (id),
  url text not null,
  events text[] not null,
  description text,
  dialect text not null default 'native' check (dialect in ('native', 'support')),
  rate_limit integer,
  is_active boolean not null default true,
  failing_since timestamptz,
  failing_announced_at timestamptz,
  disabled_at timestamptz,
  disabled_reason text,
  paused_until timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  unique (business_id, id)
);
create index webhook_endpoints_business on webhook_endpoints (business_id) where deleted_at is null;

create table endpoint_secrets (
  id uuid primary key,
  endpoint_id uuid not null references webhook_endpoints (id),
  kind text not null check (kind in ('v1', 'v1a')),
  secret bytea not null,
  expires_at timestamptz,
  created_at timestamptz not null default now()
);
create index endpoint_secrets_endpoint on endpoint_secrets (endpoint_id);

create table deliveries (
  id uuid not null,
  created_at timestamptz(3) not null,
  business_id uuid not null,
  endpoint_id uuid not null,
  customer_id uuid,
  event_id uuid not null,
  event_seq bigint not null,
  event_type text not null,
  -- The exact bytes that are signed and sent, the same on every try.
  body text not null,
  status text not null default 'pending' check (status in ('pending', 'delivered', 'failed', 'canceled')),
  tries integer not null default 0,
  next_attempt_at timestamptz,
  last_outcome text,
  last_status_code integer,
  delivered_at timestamptz,
  primary key (id, created_at)
) partition by range (created_at);
create index deliveries_due on deliveries (endpoint_id, next_attempt_at, event_seq) where status = 'pending';
create index deliveries_endpoint on deliveries (endpoint_id, created_at desc, id desc);

-- One try of a send or a delivery; the row is written before the call.
create table attempts (
  id uuid not null,
  started_at timestamptz(3) not null,
  business_id uuid not null,
  kind text not null check (kind in ('send', 'delivery')),
  subject_id uuid not null,
  customer_id uuid,
  number integer not null,
  part integer,
  finished_at timestamptz,
  -- Null while under way; 'unknown' when nobody can know.
  outcome text,
  status_code integer,
  provider_code text,
  message text,
  response_excerpt text,
  duration_ms integer,
  primary key (id, started_at)
) partition by range (started_at);
create index attempts_subject on attempts (subject_id, started_at);

-- A lane is a conversation to send in, an endpoint to deliver to or an attachment to fetch: worked by one at a time.
create table lanes (
  key text primary key,
  due_at timestamptz,
  -- When the queue was last told: a due lane with an old wake-up was forgotten and is told again.
  woken_at timestamptz,
  lease_token uuid,
  lease_expires_at timestamptz
);
create index lanes_due on lanes (due_at) where due_at is not null;
create index lanes_leased on lanes (lease_expires_at) where lease_expires_at is not null;

-- Who holds what only one process may do (a mailbox, a bot's polling).
create table leases (
  key text primary key,
  token uuid not null,
  expires_at timestamptz not null
);

create table idempotency_keys (
  business_id uuid not null,
  api_key_id uuid not null,
  method text not null,
  path text not null,
  key text not null,
  request_hash bytea not null,
  response_status integer,
  response bytea,
  created_at timestamptz not null default now(),
  primary key (business_id, api_key_id, method, path, key)
);
create index idempotency_keys_created on idempotency_keys (created_at);

create table audit_log (
  id uuid primary key,
  business_id uuid not null,
  api_key_id uuid,
  agent_id uuid,
  action text not null,
  subject_id uuid,
  detail jsonb not null default '{}',
  created_at timestamptz not null default now()
);
create index audit_log_business on audit_log (business_id, id desc);

create table visitor_sessions (
  id uuid primary key,
  business_id uuid not null,
  channel_id uuid not null,
  -- The address of the visitor's identity on the channel.
  visitor_id uuid not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  created_at timestamptz not null default now(),
  foreign key (business_id, channel_id) references channels (business_id, id)
);
create index visitor_sessions_visitor on visitor_sessions (channel_id, visitor_id);

-- Locks what a batch of received items touches, in the one order that every writer keeps (keys, threads, identities,
-- conversations, each sorted by the caller), and answers what is known of it. One call a batch instead of seven: each
-- statement inside sees what others committed while the one before it waited.
create function lock_inbound(
  key_channels uuid[], key_events text[], key_messages uuid[],
  thread_channels uuid[], thread_businesses uuid[], thread_keys text[],
  party_channels uuid[], party_addresses text[], parties json,
  ref_channels uuid[], ref_externals text[],
  named_conversations uuid[]
) returns json language plpgsql as $$
declare
  found bigint;
  stale json;
  known json;
  locked_threads json;
  known_parties json;
  replies json;
  locked_conversations json;
begin
  with inserted as (
    insert into inbound_keys (channel_id, external_event_id, message_id)
    select * from unnest(key_channels, key_events, key_messages) on conflict do nothing
    returning channel_id, external_event_id
  )
  select json_agg(r) into stale
  from unnest(key_channels, key_events) as r(channel_id, external_event_id)
  left join inserted i using (channel_id, external_event_id)
  where i.channel_id is null;
  if stale is not null then
    select json_agg(k) into known
    from json_to_recordset(stale) as r(channel_id uuid, external_event_id text)
    join inbound_keys k using (channel_id, external_event_id);
  end if;

  -- Most threads and identities are known: inserting only what is missing saves trying with all the others.
  for attempt in 1..2 loop
    select json_agg(l), count(*) into locked_threads, found from (
      select t.channel_id, t.thread_key, t.conversation_id, t.customer_id from threads t
      join unnest(thread_channels, thread_keys) as r(channel_id, thread_key) using (channel_id, thread_key)
      order by t.channel_id, t.thread_key for update of t) l;
    exit when found = cardinality(thread_keys);
    insert into threads (channel_id, business_id, thread_key)
    select * from unnest(thread_channels, thread_businesses, thread_keys) on conflict do nothing;
  end loop;

  -- No customer where the identity was inserted just now: its foreign key is checked at the commit.
  for attempt in 1..2 loop
    select json_agg(p), count(*) into known_parties, found from (
      select i.channel_id, i.address, i.customer_id, c as customer
      from unnest(party_channels, party_addresses) as r(channel_id, address)
      join identities i using (channel_id, address)
      left join customers c on c.id = i.customer_id) p;
    exit when found = cardinality(party_addresses);
    -- A sender's verified id of its own business joins the customer who has it; everybody else begins as a new one.
    insert into identities (id, business_id, channel_id, customer_id, kind, address, profile)
    select r.id, r.business_id, r.channel_id, coalesce(c.id, r.customer_id), r.kind, r.address, r.profile
    from json_to_recordset(parties) as r(id uuid, business_id uuid, channel_id uuid, customer_id uuid, kind text,
      address text, external_id text, profile jsonb)
    left join customers c on c.business_id = r.business_id and c.external_id = r.external_id and c.deleted_at is null
    on conflict (channel_id, address) do nothing;
  end loop;

  -- Of customers' messages the provider's id stands on the message, of ours in provider_ids, one a part.
  if cardinality(ref_channels) > 0 then
    select json_agg(f) into replies from (
      select r.channel_id, r.external_id, m.id as message_id, m.conversation_id
      from unnest(ref_channels, ref_externals) as r(channel_id, external_id)
      join messages m on m.channel_id = r.channel_id and m.external_id = r.external_id
      union
      select r.channel_id, r.external_id, m.id, m.conversation_id
      from unnest(ref_channels, ref_externals) as r(channel_id, external_id)
      join provider_ids p on p.channel_id = r.channel_id and p.external_id = r.external_id
      join messages m on m.id = p.message_id) f;
  end if;

  select json_agg(l) into locked_conversations from (
    select * from conversations
    where id in (
      select (t ->> 'conversation_id')::uuid from json_array_elements(locked_threads) t
      union all select unnest(named_conversations)
      union all select (f ->> 'conversation_id')::uuid from json_array_elements(replies) f)
    order by id for update) l;

  return json_build_object('known', known, 'threads', locked_threads, 'parties', known_parties,
    'replies', replies, 'conversations', locked_conversations);
end $$;
