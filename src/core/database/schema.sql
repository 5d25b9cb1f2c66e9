-- Written by `npm run schema:dump` from the migrations. Never edited; the day partitions are left out.

create table agents (
  id uuid not null,
  business_id uuid not null,
  name text not null,
  email text,
  role text not null,
  status text default 'offline'::text not null,
  is_active boolean default true not null,
  invited_at timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  constraint agents_pkey PRIMARY KEY (id),
  constraint agents_business_id_id_key UNIQUE (business_id, id),
  constraint agents_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'agent'::text, 'bot'::text]))),
  constraint agents_status_check CHECK ((status = ANY (ARRAY['live'::text, 'away'::text, 'offline'::text]))),
  constraint agents_business_id_fkey FOREIGN KEY (business_id) REFERENCES businesses(id)
);
CREATE UNIQUE INDEX agents_email ON public.agents USING btree (business_id, lower(email)) WHERE is_active;

create table ai_hooks (
  id uuid not null,
  business_id uuid not null,
  url text not null,
  mode text not null,
  threshold double precision not null,
  timeout_seconds integer not null,
  secret bytea not null,
  failed_at timestamp with time zone,
  failure text,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  constraint ai_hooks_pkey PRIMARY KEY (id),
  constraint ai_hooks_business_id_key UNIQUE (business_id),
  constraint ai_hooks_mode_check CHECK ((mode = ANY (ARRAY['assist'::text, 'auto'::text]))),
  constraint ai_hooks_threshold_check CHECK (((threshold >= (0)::double precision) AND (threshold <= (1)::double precision))),
  constraint ai_hooks_timeout_seconds_check CHECK (((timeout_seconds >= 1) AND (timeout_seconds <= 60))),
  constraint ai_hooks_business_id_fkey FOREIGN KEY (business_id) REFERENCES businesses(id)
);

create table ai_turns (
  id uuid not null,
  business_id uuid not null,
  conversation_id uuid not null,
  message_id uuid,
  on_demand boolean default false not null,
  mode text,
  state text not null,
  last_seq bigint,
  reply text,
  confidence double precision,
  reason text,
  sent_message_id uuid,
  decided_by uuid,
  asked_at timestamp with time zone,
  finished_at timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  constraint ai_turns_pkey PRIMARY KEY (id),
  constraint ai_turns_mode_check CHECK ((mode = ANY (ARRAY['assist'::text, 'auto'::text]))),
  constraint ai_turns_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'asking'::text, 'sent'::text, 'drafted'::text, 'accepted'::text, 'discarded'::text, 'handed_off'::text, 'superseded'::text, 'silent'::text, 'refused'::text, 'failed'::text]))),
  constraint ai_turns_business_id_fkey FOREIGN KEY (business_id) REFERENCES businesses(id)
);
CREATE INDEX ai_turns_age ON public.ai_turns USING btree (created_at);
CREATE INDEX ai_turns_conversation ON public.ai_turns USING btree (conversation_id, id DESC);
CREATE INDEX ai_turns_open ON public.ai_turns USING btree (conversation_id) WHERE (state = ANY (ARRAY['waiting'::text, 'asking'::text]));
CREATE UNIQUE INDEX ai_turns_once ON public.ai_turns USING btree (message_id) WHERE (NOT on_demand);

create table api_keys (
  id uuid not null,
  business_id uuid not null,
  agent_id uuid,
  name text not null,
  role text not null,
  key_hash bytea not null,
  hint text not null,
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  last_used_at timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  constraint api_keys_pkey PRIMARY KEY (id),
  constraint api_keys_business_id_id_key UNIQUE (business_id, id),
  constraint api_keys_key_hash_key UNIQUE (key_hash),
  constraint api_keys_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'agent'::text, 'bot'::text]))),
  constraint api_keys_business_id_agent_id_fkey FOREIGN KEY (business_id, agent_id) REFERENCES agents(business_id, id),
  constraint api_keys_business_id_fkey FOREIGN KEY (business_id) REFERENCES businesses(id)
);

create table assignment_turns (
  pool_id uuid not null,
  agent_id uuid not null,
  assigned_at timestamp with time zone not null,
  constraint assignment_turns_pkey PRIMARY KEY (pool_id, agent_id),
  constraint assignment_turns_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES agents(id)
);

create table attachments (
  id uuid not null,
  business_id uuid not null,
  conversation_id uuid,
  message_id uuid,
  position integer default 0 not null,
  name text not null,
  content_type text not null,
  size_bytes bigint,
  sha256 bytea,
  state text not null,
  source bytea,
  storage_key text,
  error text,
  tries integer default 0 not null,
  next_attempt_at timestamp with time zone,
  uploaded_by text,
  created_at timestamp with time zone default now() not null,
  width integer,
  height integer,
  version integer default 0 not null,
  canned_response_id uuid,
  constraint attachments_pkey PRIMARY KEY (id),
  constraint attachments_state_check CHECK ((state = ANY (ARRAY['uploaded'::text, 'pending'::text, 'ready'::text, 'failed'::text, 'too_large'::text, 'expired'::text]))) NOT VALID,
  constraint attachments_conversation_id_business_id_fkey FOREIGN KEY (conversation_id, business_id) REFERENCES conversations(id, business_id)
);
CREATE INDEX attachments_canned_response ON public.attachments USING btree (canned_response_id) WHERE (canned_response_id IS NOT NULL);
CREATE INDEX attachments_kept ON public.attachments USING btree (created_at) WHERE (state = 'ready'::text);
CREATE INDEX attachments_message ON public.attachments USING btree (message_id, "position");
CREATE INDEX attachments_pending ON public.attachments USING btree (next_attempt_at) WHERE (state = 'pending'::text);
CREATE INDEX attachments_uploaded ON public.attachments USING btree (uploaded_by) WHERE (state = 'uploaded'::text);

create table attempts (
  id uuid not null,
  started_at timestamp(3) with time zone not null,
  business_id uuid not null,
  kind text not null,
  subject_id uuid not null,
  customer_id uuid,
  number integer not null,
  part integer,
  finished_at timestamp with time zone,
  outcome text,
  status_code integer,
  provider_code text,
  message text,
  response_excerpt text,
  duration_ms integer,
  url text,
  response_headers jsonb,
  constraint attempts_pkey PRIMARY KEY (id, started_at),
  constraint attempts_kind_check CHECK ((kind = ANY (ARRAY['send'::text, 'delivery'::text])))
) partition by RANGE (started_at);
CREATE INDEX attempts_subject ON ONLY public.attempts USING btree (subject_id, started_at);

create table audit_log (
  id uuid not null,
  business_id uuid not null,
  api_key_id uuid,
  agent_id uuid,
  action text not null,
  subject_id uuid,
  detail jsonb default '{}'::jsonb not null,
  created_at timestamp with time zone default now() not null,
  constraint audit_log_pkey PRIMARY KEY (id)
);
CREATE INDEX audit_log_business ON public.audit_log USING btree (business_id, id DESC);
CREATE INDEX audit_log_subject ON public.audit_log USING btree (subject_id, id DESC);

create table automatic_answers (
  channel_id uuid not null,
  customer_id uuid not null,
  kind text not null,
  silent_until timestamp with time zone not null,
  constraint automatic_answers_pkey PRIMARY KEY (channel_id, customer_id, kind),
  constraint automatic_answers_kind_check CHECK ((kind = ANY (ARRAY['greeting'::text, 'out_of_hours'::text]))),
  constraint automatic_answers_channel_id_fkey FOREIGN KEY (channel_id) REFERENCES channels(id)
);
CREATE INDEX automatic_answers_age ON public.automatic_answers USING btree (silent_until);
CREATE INDEX automatic_answers_customer ON public.automatic_answers USING btree (customer_id);

create table automation_rules (
  id uuid not null,
  business_id uuid not null,
  name text,
  trigger text not null,
  after_minutes integer,
  conditions jsonb not null,
  actions jsonb not null,
  is_active boolean default true not null,
  active_since timestamp(3) with time zone default clock_timestamp() not null,
  checked_at timestamp(3) with time zone default clock_timestamp() not null,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp(3) with time zone default now() not null,
  constraint automation_rules_pkey PRIMARY KEY (id),
  constraint automation_rules_business_id_id_key UNIQUE (business_id, id),
  constraint automation_rules_after_minutes_check CHECK ((after_minutes > 0)),
  constraint automation_rules_business_id_fkey FOREIGN KEY (business_id) REFERENCES businesses(id)
);
CREATE INDEX automation_rules_trigger ON public.automation_rules USING btree (business_id, trigger) WHERE is_active;

create table automation_runs (
  id uuid not null,
  rule_id uuid not null,
  subject_id uuid not null,
  business_id uuid not null,
  trigger text not null,
  conversation_id uuid,
  customer_id uuid,
  outcome text not null,
  reason text,
  actions jsonb default '[]'::jsonb not null,
  created_at timestamp with time zone default now() not null,
  constraint automation_runs_pkey PRIMARY KEY (rule_id, subject_id),
  constraint automation_runs_id_key UNIQUE (id),
  constraint automation_runs_outcome_check CHECK ((outcome = ANY (ARRAY['done'::text, 'failed'::text, 'skipped'::text])))
);
CREATE INDEX automation_runs_age ON public.automation_runs USING btree (created_at);
CREATE INDEX automation_runs_conversation ON public.automation_runs USING btree (conversation_id, rule_id, id);
CREATE INDEX automation_runs_rule ON public.automation_runs USING btree (rule_id, id);

create table blocked_senders (
  id uuid not null,
  business_id uuid not null,
  kind text not null,
  value text not null,
  customer_id uuid,
  reason text,
  agent_id uuid,
  created_at timestamp with time zone default now() not null,
  constraint blocked_senders_pkey PRIMARY KEY (id),
  constraint blocked_senders_business_id_kind_value_key UNIQUE (business_id, kind, value),
  constraint blocked_senders_check CHECK (((kind = 'person'::text) = (customer_id IS NOT NULL))),
  constraint blocked_senders_kind_check CHECK ((kind = ANY (ARRAY['person'::text, 'address'::text, 'domain'::text]))),
  constraint blocked_senders_business_id_fkey FOREIGN KEY (business_id) REFERENCES businesses(id),
  constraint blocked_senders_customer_id_business_id_fkey FOREIGN KEY (customer_id, business_id) REFERENCES customers(id, business_id)
);

create table businesses (
  id uuid not null,
  name text not null,
  timezone text default 'UTC'::text not null,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  auto_resolve_after_minutes integer,
  csat jsonb,
  retention_messages_days integer,
  constraint businesses_pkey PRIMARY KEY (id),
  constraint businesses_auto_resolve_after_minutes_check CHECK ((auto_resolve_after_minutes >= 0)),
  constraint businesses_retention_messages_days_check CHECK ((retention_messages_days > 0))
);

create table canned_responses (
  id uuid not null,
  business_id uuid not null,
  title text not null,
  shortcut text,
  content text not null,
  attachments jsonb default '[]'::jsonb not null,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  constraint canned_responses_pkey PRIMARY KEY (id),
  constraint canned_responses_business_id_id_key UNIQUE (business_id, id),
  constraint canned_responses_business_id_fkey FOREIGN KEY (business_id) REFERENCES businesses(id)
);
CREATE UNIQUE INDEX canned_responses_shortcut ON public.canned_responses USING btree (business_id, lower(ltrim(shortcut, '/'::text)));

create table channels (
  id uuid not null,
  business_id uuid not null,
  type text not null,
  name text not null,
  config jsonb not null,
  secrets bytea,
  account_key text,
  is_active boolean default true not null,
  is_default boolean default false not null,
  reopen text default 'always'::text not null,
  assignment jsonb default '{"mode": "manual"}'::jsonb not null,
  greeting text,
  out_of_hours text,
  setup jsonb default '{"done": [], "todo": []}'::jsonb not null,
  connect_at timestamp with time zone,
  connect_tries integer default 0 not null,
  broken_at timestamp with time zone,
  broken_reason text,
  listen_state jsonb default '{}'::jsonb not null,
  deleted_at timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  catch_up_at timestamp with time zone,
  caught_up_at timestamp with time zone,
  auto_resolve_after_minutes integer,
  templates_synced_at timestamp with time zone,
  csat jsonb,
  connected_url text,
  retention_messages_days integer,
  constraint channels_pkey PRIMARY KEY (id),
  constraint channels_business_id_id_key UNIQUE (business_id, id),
  constraint channels_auto_resolve_after_minutes_check CHECK ((auto_resolve_after_minutes >= 0)),
  constraint channels_reopen_check CHECK ((reopen ~ '^(always|never|within_hours:[0-9]{1,5})$'::text)),
  constraint channels_retention_messages_days_check CHECK ((retention_messages_days > 0)),
  constraint channels_business_id_fkey FOREIGN KEY (business_id) REFERENCES businesses(id)
);
CREATE INDEX channels_connecting ON public.channels USING btree (connect_at) WHERE (connect_at IS NOT NULL);
CREATE UNIQUE INDEX channels_account ON public.channels USING btree (account_key) WHERE (is_active AND (deleted_at IS NULL));
CREATE UNIQUE INDEX channels_default ON public.channels USING btree (business_id) WHERE (is_default AND (deleted_at IS NULL));

create table consents (
  id uuid not null,
  business_id uuid not null,
  channel_id uuid not null,
  address text not null,
  consent text not null,
  source text not null,
  keyword text,
  agent_id uuid,
  said_at timestamp with time zone not null,
  created_at timestamp with time zone default now() not null,
  constraint consents_pkey PRIMARY KEY (id),
  constraint consents_consent_check CHECK ((consent = ANY (ARRAY['stop'::text, 'start'::text, 'help'::text]))),
  constraint consents_source_check CHECK ((source = ANY (ARRAY['customer'::text, 'provider'::text, 'agent'::text]))),
  constraint consents_business_id_channel_id_fkey FOREIGN KEY (business_id, channel_id) REFERENCES channels(business_id, id)
);
CREATE INDEX consents_newest ON public.consents USING btree (channel_id, address, said_at DESC, id DESC);

create table conversations (
  id uuid not null,
  business_id uuid not null,
  channel_id uuid not null,
  channel_type text not null,
  thread_key text,
  customer_id uuid,
  assignee_id uuid,
  status text default 'open'::text not null,
  subject text,
  priority text,
  tags text[] default '{}'::text[] not null,
  custom_attributes jsonb default '{}'::jsonb not null,
  needs_human_handoff boolean default false not null,
  handoff_reason text,
  snoozed_until timestamp with time zone,
  reply_window_expires_at timestamp with time zone,
  last_message_seq bigint default 0 not null,
  last_public_seq bigint default 0 not null,
  unread_count integer default 0 not null,
  agent_read_seq bigint default 0 not null,
  customer_read_seq bigint default 0 not null,
  last_message_at timestamp with time zone default now() not null,
  first_response_at timestamp with time zone,
  resolved_at timestamp with time zone,
  closed_at timestamp with time zone,
  merged_into_id uuid,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  open_card jsonb,
  team_id uuid,
  assign_at timestamp with time zone,
  handoff_requested_at timestamp with time zone,
  expired_at timestamp with time zone,
  ai_from_seq bigint,
  constraint conversations_pkey PRIMARY KEY (id, business_id),
  constraint conversations_check CHECK (((status = 'snoozed'::text) = (snoozed_until IS NOT NULL))),
  constraint conversations_priority_check CHECK ((priority = ANY (ARRAY['low'::text, 'normal'::text, 'high'::text, 'urgent'::text]))),
  constraint conversations_status_check CHECK ((status = ANY (ARRAY['open'::text, 'pending'::text, 'snoozed'::text, 'resolved'::text, 'closed'::text]))),
  constraint conversations_business_id_assignee_id_fkey FOREIGN KEY (business_id, assignee_id) REFERENCES agents(business_id, id),
  constraint conversations_business_id_channel_id_fkey FOREIGN KEY (business_id, channel_id) REFERENCES channels(business_id, id),
  constraint conversations_business_id_team_id_fkey FOREIGN KEY (business_id, team_id) REFERENCES teams(business_id, id),
  constraint conversations_customer_id_business_id_fkey FOREIGN KEY (customer_id, business_id) REFERENCES customers(id, business_id) DEFERRABLE INITIALLY DEFERRED,
  constraint conversations_merged_into_id_business_id_fkey FOREIGN KEY (merged_into_id, business_id) REFERENCES conversations(id, business_id)
);
CREATE INDEX conversations_activity ON public.conversations USING btree (business_id, last_message_at DESC, id DESC);
CREATE INDEX conversations_assignee ON public.conversations USING btree (business_id, assignee_id, last_message_at DESC, id DESC) WHERE (assignee_id IS NOT NULL);
CREATE INDEX conversations_busy ON public.conversations USING btree (assignee_id) WHERE ((assignee_id IS NOT NULL) AND (status = ANY (ARRAY['open'::text, 'pending'::text])));
CREATE INDEX conversations_channel ON public.conversations USING btree (business_id, channel_id, last_message_at DESC, id DESC);
CREATE INDEX conversations_created ON public.conversations USING btree (business_id, created_at DESC, id DESC);
CREATE INDEX conversations_customer ON public.conversations USING btree (customer_id);
CREATE INDEX conversations_handoff ON public.conversations USING btree (business_id, handoff_requested_at, id) WHERE needs_human_handoff;
CREATE INDEX conversations_merged ON public.conversations USING btree (merged_into_id) WHERE (merged_into_id IS NOT NULL);
CREATE INDEX conversations_snoozed ON public.conversations USING btree (snoozed_until) WHERE (status = 'snoozed'::text);
CREATE INDEX conversations_status ON public.conversations USING btree (business_id, status, last_message_at DESC, id DESC);
CREATE INDEX conversations_subject ON public.conversations USING gin (subject gin_trgm_ops) WHERE (subject IS NOT NULL);
CREATE INDEX conversations_tags ON public.conversations USING gin (tags) WHERE (tags <> '{}'::text[]);
CREATE INDEX conversations_team ON public.conversations USING btree (business_id, team_id, last_message_at DESC, id DESC) WHERE (team_id IS NOT NULL);
CREATE INDEX conversations_unexpired ON public.conversations USING btree (channel_id, last_message_at) WHERE ((status = ANY (ARRAY['resolved'::text, 'closed'::text])) AND ((expired_at IS NULL) OR (expired_at < last_message_at)));
CREATE INDEX conversations_updated ON public.conversations USING btree (business_id, updated_at DESC, id DESC);
CREATE INDEX conversations_waiting ON public.conversations USING btree (assign_at) WHERE (assign_at IS NOT NULL);

create table customer_addresses (
  customer_id uuid not null,
  business_id uuid not null,
  kind text not null,
  address text not null,
  position integer not null,
  constraint customer_addresses_pkey PRIMARY KEY (customer_id, kind, address),
  constraint customer_addresses_kind_check CHECK ((kind = ANY (ARRAY['email'::text, 'phone'::text]))),
  constraint customer_addresses_customer_id_business_id_fkey FOREIGN KEY (customer_id, business_id) REFERENCES customers(id, business_id)
);
CREATE INDEX customer_addresses_address ON public.customer_addresses USING btree (business_id, kind, lower(address));
CREATE INDEX customer_addresses_parts ON public.customer_addresses USING gin (address gin_trgm_ops);

create table customers (
  id uuid not null,
  business_id uuid not null,
  name text,
  email text,
  phone text,
  external_id text,
  custom_attributes jsonb default '{}'::jsonb not null,
  blocked_at timestamp with time zone,
  merged_into_id uuid,
  deleted_at timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  merged_external_id text,
  constraint customers_pkey PRIMARY KEY (id, business_id),
  constraint customers_business_id_fkey FOREIGN KEY (business_id) REFERENCES businesses(id),
  constraint customers_merged_into_id_business_id_fkey FOREIGN KEY (merged_into_id, business_id) REFERENCES customers(id, business_id)
);
CREATE INDEX customers_attributes ON public.customers USING gin (custom_attributes jsonb_path_ops);
CREATE INDEX customers_email ON public.customers USING btree (business_id, lower(email)) WHERE (email IS NOT NULL);
CREATE INDEX customers_merged ON public.customers USING btree (merged_into_id) WHERE (merged_into_id IS NOT NULL);
CREATE INDEX customers_parts ON public.customers USING gin (name gin_trgm_ops, email gin_trgm_ops, phone gin_trgm_ops, external_id gin_trgm_ops);
CREATE INDEX customers_phone ON public.customers USING btree (business_id, phone) WHERE (phone IS NOT NULL);
CREATE UNIQUE INDEX customers_external_id ON public.customers USING btree (business_id, external_id) WHERE ((external_id IS NOT NULL) AND (deleted_at IS NULL));

create table deliveries (
  id uuid not null,
  created_at timestamp(3) with time zone not null,
  business_id uuid not null,
  endpoint_id uuid not null,
  customer_id uuid,
  event_id uuid not null,
  event_seq bigint not null,
  event_type text not null,
  body text not null,
  status text default 'pending'::text not null,
  tries integer default 0 not null,
  next_attempt_at timestamp with time zone,
  last_outcome text,
  last_status_code integer,
  delivered_at timestamp with time zone,
  conversation_id uuid,
  order_key uuid,
  trigger text default 'event'::text not null,
  attempt integer default 0 not null,
  last_duration_ms integer,
  canceled_at timestamp with time zone,
  constraint deliveries_pkey PRIMARY KEY (id, created_at),
  constraint deliveries_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'delivered'::text, 'failed'::text, 'canceled'::text])))
) partition by RANGE (created_at);
CREATE INDEX deliveries_due ON ONLY public.deliveries USING btree (endpoint_id, next_attempt_at, event_seq) WHERE (status = 'pending'::text);
CREATE INDEX deliveries_endpoint ON ONLY public.deliveries USING btree (endpoint_id, created_at DESC, id DESC);
CREATE INDEX deliveries_ordered ON ONLY public.deliveries USING btree (endpoint_id, order_key, event_seq) WHERE ((status = 'pending'::text) AND (order_key IS NOT NULL));

create table endpoint_secrets (
  id uuid not null,
  endpoint_id uuid not null,
  kind text not null,
  secret bytea not null,
  expires_at timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  constraint endpoint_secrets_pkey PRIMARY KEY (id),
  constraint endpoint_secrets_kind_check CHECK ((kind = ANY (ARRAY['v1'::text, 'v1a'::text]))),
  constraint endpoint_secrets_endpoint_id_fkey FOREIGN KEY (endpoint_id) REFERENCES webhook_endpoints(id)
);
CREATE INDEX endpoint_secrets_endpoint ON public.endpoint_secrets USING btree (endpoint_id);

create table erasures (
  customer_id uuid not null,
  business_id uuid not null,
  requested_at timestamp with time zone default now() not null,
  next_sweep_at timestamp with time zone not null,
  addresses text[] not null,
  channel_ids uuid[] not null,
  files text[] not null,
  swept_at timestamp with time zone,
  constraint erasures_pkey PRIMARY KEY (customer_id)
);
CREATE INDEX erasures_due ON public.erasures USING btree (next_sweep_at);

create table events (
  seq bigint generated always as identity not null,
  id uuid not null,
  business_id uuid not null,
  type text not null,
  conversation_id uuid,
  customer_id uuid,
  message_id uuid,
  data json not null,
  caused_by jsonb,
  occurred_at timestamp with time zone not null,
  created_at timestamp with time zone not null,
  constraint events_pkey PRIMARY KEY (seq, created_at)
) partition by RANGE (created_at);
CREATE INDEX events_business ON ONLY public.events USING btree (business_id, seq);

create table idempotency_keys (
  business_id uuid not null,
  api_key_id uuid not null,
  method text not null,
  path text not null,
  key text not null,
  request_hash bytea not null,
  response_status integer,
  response bytea,
  created_at timestamp with time zone default now() not null,
  about uuid[],
  constraint idempotency_keys_pkey PRIMARY KEY (business_id, api_key_id, method, path, key)
);
CREATE INDEX idempotency_keys_created ON public.idempotency_keys USING btree (created_at);

create table identities (
  id uuid not null,
  business_id uuid not null,
  channel_id uuid not null,
  customer_id uuid not null,
  kind text not null,
  address text not null,
  profile jsonb default '{}'::jsonb not null,
  reachable boolean default true not null,
  created_at timestamp with time zone default now() not null,
  constraint identities_pkey PRIMARY KEY (id),
  constraint identities_channel_id_address_key UNIQUE (channel_id, address),
  constraint identities_business_id_channel_id_fkey FOREIGN KEY (business_id, channel_id) REFERENCES channels(business_id, id),
  constraint identities_customer_id_business_id_fkey FOREIGN KEY (customer_id, business_id) REFERENCES customers(id, business_id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX identities_customer ON public.identities USING btree (customer_id);

create table inbound_keys (
  channel_id uuid not null,
  external_event_id text not null,
  message_id uuid,
  created_at timestamp with time zone default now() not null,
  constraint inbound_keys_pkey PRIMARY KEY (channel_id, external_event_id)
);
CREATE INDEX inbound_keys_created ON public.inbound_keys USING brin (created_at);

create table inbound_requests (
  id uuid not null,
  received_at timestamp(3) with time zone not null,
  business_id uuid not null,
  channel_id uuid not null,
  customer_id uuid,
  status text not null,
  headers jsonb default '{}'::jsonb not null,
  url text,
  body bytea,
  reason text,
  constraint inbound_requests_pkey PRIMARY KEY (id, received_at),
  constraint inbound_requests_status_check CHECK ((status = ANY (ARRAY['processed'::text, 'ignored'::text, 'failed'::text])))
) partition by RANGE (received_at);
CREATE INDEX inbound_requests_business ON ONLY public.inbound_requests USING btree (business_id, status, received_at DESC, id DESC);

create table lanes (
  key text not null,
  due_at timestamp with time zone,
  woken_at timestamp with time zone,
  lease_token uuid,
  lease_expires_at timestamp with time zone,
  constraint lanes_pkey PRIMARY KEY (key)
);
CREATE INDEX lanes_due ON public.lanes USING btree (due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX lanes_leased ON public.lanes USING btree (lease_expires_at) WHERE (lease_expires_at IS NOT NULL);

create table leases (
  key text not null,
  token uuid not null,
  expires_at timestamp with time zone not null,
  constraint leases_pkey PRIMARY KEY (key)
);

create table message_counts (
  business_id uuid not null,
  quarter timestamp with time zone not null,
  channel_id uuid not null,
  channel_type text not null,
  agent_id uuid,
  tags text[] not null,
  received integer not null,
  sent integer not null,
  constraint message_counts_business_id_quarter_channel_id_agent_id_tags_key UNIQUE NULLS NOT DISTINCT (business_id, quarter, channel_id, agent_id, tags),
  constraint message_counts_business_id_fkey FOREIGN KEY (business_id) REFERENCES businesses(id)
);

create table message_parts (
  message_id uuid not null,
  generation integer not null,
  n integer not null,
  payload jsonb not null,
  external_id text,
  status text not null,
  sent_at timestamp with time zone,
  constraint message_parts_pkey PRIMARY KEY (message_id, generation, n),
  constraint message_parts_status_check CHECK ((status = ANY (ARRAY['queued'::text, 'sending'::text, 'sent'::text, 'delivered'::text, 'read'::text, 'failed'::text]))),
  constraint message_parts_message_id_fkey FOREIGN KEY (message_id) REFERENCES messages(id)
);

create table messages (
  id uuid not null,
  business_id uuid not null,
  conversation_id uuid not null,
  channel_id uuid not null,
  customer_id uuid,
  seq bigint,
  direction text not null,
  sender_type text not null,
  sender_id uuid,
  sender_name text,
  type text not null,
  content text not null,
  html text,
  text_full text,
  card jsonb,
  email jsonb,
  template jsonb,
  reactions jsonb default '[]'::jsonb not null,
  reply_to_id uuid,
  client_message_id text,
  external_id text,
  metadata jsonb default '{}'::jsonb not null,
  status text,
  error jsonb,
  generation integer default 1 not null,
  tries integer default 0 not null,
  next_attempt_at timestamp with time zone,
  send_at timestamp with time zone,
  cancel_on_reply boolean default false not null,
  skipped_at timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  sent_at timestamp with time zone,
  delivered_at timestamp with time zone,
  read_at timestamp with time zone,
  edited_at timestamp with time zone,
  deleted_at timestamp with time zone,
  constraint messages_pkey PRIMARY KEY (id),
  constraint messages_conversation_id_seq_key UNIQUE (conversation_id, seq),
  constraint messages_check CHECK (((direction = 'outbound'::text) = (status IS NOT NULL))),
  constraint messages_check1 CHECK ((((seq IS NULL) = (NOT (status IS DISTINCT FROM 'scheduled'::text))) OR (status = 'canceled'::text))),
  constraint messages_direction_check CHECK ((direction = ANY (ARRAY['inbound'::text, 'outbound'::text, 'internal'::text]))),
  constraint messages_sender_type_check CHECK ((sender_type = ANY (ARRAY['customer'::text, 'agent'::text, 'system'::text, 'bot'::text]))),
  constraint messages_status_check CHECK ((status = ANY (ARRAY['scheduled'::text, 'queued'::text, 'sending'::text, 'sent'::text, 'delivered'::text, 'read'::text, 'failed'::text, 'canceled'::text]))),
  constraint messages_type_check CHECK ((type = ANY (ARRAY['text'::text, 'attachment'::text, 'card'::text, 'location'::text, 'contact'::text, 'template'::text, 'note'::text, 'activity'::text, 'unsupported'::text]))),
  constraint messages_conversation_id_business_id_fkey FOREIGN KEY (conversation_id, business_id) REFERENCES conversations(id, business_id)
);
CREATE INDEX messages_due ON public.messages USING btree (conversation_id, seq) WHERE (status = ANY (ARRAY['queued'::text, 'sending'::text]));
CREATE INDEX messages_external ON public.messages USING btree (channel_id, external_id) WHERE (external_id IS NOT NULL);
CREATE INDEX messages_reacted ON public.messages USING btree (business_id) WHERE (reactions <> '[]'::jsonb);
CREATE INDEX messages_said ON public.messages USING btree (conversation_id, GREATEST(created_at, send_at)) WHERE (seq IS NOT NULL);
CREATE INDEX messages_scheduled ON public.messages USING btree (send_at) WHERE (status = 'scheduled'::text);
CREATE INDEX messages_writer ON public.messages USING btree (customer_id) WHERE (direction = 'inbound'::text);

create table outbox (
  id bigint generated always as identity not null,
  event_id uuid not null,
  business_id uuid not null,
  type text not null,
  conversation_id uuid,
  customer_id uuid,
  message_id uuid,
  data json not null,
  caused_by jsonb,
  wakes text[] default '{}'::text[] not null,
  occurred_at timestamp with time zone default now() not null,
  constraint outbox_pkey PRIMARY KEY (id)
);

create table provider_ids (
  channel_id uuid not null,
  external_id text not null,
  message_id uuid,
  part integer,
  best_status text,
  error jsonb,
  status_at timestamp with time zone,
  parked jsonb,
  created_at timestamp with time zone default now() not null,
  constraint provider_ids_pkey PRIMARY KEY (channel_id, external_id),
  constraint provider_ids_best_status_check CHECK ((best_status = ANY (ARRAY['sent'::text, 'delivered'::text, 'read'::text, 'failed'::text])))
);
CREATE INDEX provider_ids_message ON public.provider_ids USING btree (message_id);
CREATE INDEX provider_ids_nameless ON public.provider_ids USING btree (created_at) WHERE (message_id IS NULL);

create table ratings (
  id uuid not null,
  business_id uuid not null,
  conversation_id uuid not null,
  channel_id uuid not null,
  channel_type text not null,
  agent_id uuid,
  tags text[] default '{}'::text[] not null,
  message_id uuid,
  asked_at timestamp with time zone default now() not null,
  expires_at timestamp with time zone not null,
  score smallint,
  comment text,
  answered_at timestamp with time zone,
  source text,
  constraint ratings_pkey PRIMARY KEY (id),
  constraint ratings_check CHECK (((score IS NULL) = (answered_at IS NULL))),
  constraint ratings_score_check CHECK (((score >= 1) AND (score <= 5))),
  constraint ratings_source_check CHECK ((source = ANY (ARRAY['chat'::text, 'page'::text, 'api'::text]))),
  constraint ratings_conversation_id_business_id_fkey FOREIGN KEY (conversation_id, business_id) REFERENCES conversations(id, business_id)
);
CREATE INDEX ratings_answered ON public.ratings USING btree (business_id, answered_at) WHERE (answered_at IS NOT NULL);
CREATE INDEX ratings_conversation ON public.ratings USING btree (conversation_id, id DESC);
CREATE UNIQUE INDEX ratings_message ON public.ratings USING btree (message_id) WHERE (message_id IS NOT NULL);

create table readers (
  name text not null,
  seq bigint not null,
  updated_at timestamp with time zone default now() not null,
  day date default '1970-01-01'::date not null,
  constraint readers_pkey PRIMARY KEY (name)
);

create table realtime_tickets (
  ticket_hash bytea not null,
  business_id uuid not null,
  api_key_id uuid not null,
  expires_at timestamp with time zone not null,
  constraint realtime_tickets_pkey PRIMARY KEY (ticket_hash),
  constraint realtime_tickets_business_id_api_key_id_fkey FOREIGN KEY (business_id, api_key_id) REFERENCES api_keys(business_id, id)
);

create table removed_files (
  storage_key text not null,
  created_at timestamp with time zone default now() not null,
  constraint removed_files_pkey PRIMARY KEY (storage_key)
);

create table rounds (
  conversation_id uuid not null,
  number integer not null,
  business_id uuid not null,
  channel_id uuid not null,
  channel_type text not null,
  agent_id uuid,
  tags text[] default '{}'::text[] not null,
  is_merged boolean default false not null,
  began_at timestamp with time zone not null,
  asked_at timestamp with time zone,
  responded_at timestamp with time zone,
  responded_by uuid,
  answered_at timestamp with time zone,
  snoozed_at timestamp with time zone,
  snoozed_seconds double precision default 0 not null,
  snoozed_worked double precision default 0 not null,
  ended_at timestamp with time zone,
  ending text,
  first_response double precision,
  first_response_worked double precision,
  resolution double precision,
  resolution_worked double precision,
  handle double precision,
  handle_worked double precision,
  constraint rounds_pkey PRIMARY KEY (conversation_id, number),
  constraint rounds_ending_check CHECK ((ending = ANY (ARRAY['resolved'::text, 'closed'::text]))),
  constraint rounds_business_id_fkey FOREIGN KEY (business_id) REFERENCES businesses(id)
);
CREATE INDEX rounds_began ON public.rounds USING btree (business_id, began_at);
CREATE INDEX rounds_ended ON public.rounds USING btree (business_id, ended_at) WHERE (ended_at IS NOT NULL);
CREATE INDEX rounds_responded ON public.rounds USING btree (business_id, responded_at) WHERE (first_response IS NOT NULL);

create table schema_migrations (
  version integer not null,
  name text not null,
  applied_at timestamp with time zone default now() not null,
  constraint schema_migrations_pkey PRIMARY KEY (version)
);

create table search_documents (
  id uuid not null,
  business_id uuid not null,
  kind text not null,
  conversation_id uuid,
  customer_id uuid,
  at timestamp with time zone not null,
  text text not null,
  words tsvector generated always as (to_tsvector('simple'::regconfig, text)) not null,
  constraint search_documents_pkey PRIMARY KEY (id),
  constraint search_documents_kind_check CHECK ((kind = ANY (ARRAY['message'::text, 'conversation'::text, 'customer'::text]))),
  constraint search_documents_business_id_fkey FOREIGN KEY (business_id) REFERENCES businesses(id)
);
CREATE INDEX search_documents_conversation ON public.search_documents USING btree (conversation_id);
CREATE INDEX search_documents_customer ON public.search_documents USING btree (customer_id);
CREATE INDEX search_documents_newest ON public.search_documents USING btree (business_id, at DESC);
CREATE INDEX search_documents_of_kind ON public.search_documents USING btree (business_id, kind, at DESC) WHERE (kind <> 'message'::text);
CREATE INDEX search_documents_parts ON public.search_documents USING gin (text gin_trgm_ops);
CREATE INDEX search_documents_words ON public.search_documents USING gin (words);

create table settings (
  key text not null,
  value text not null,
  constraint settings_pkey PRIMARY KEY (key)
);

create table team_members (
  business_id uuid not null,
  team_id uuid not null,
  agent_id uuid not null,
  created_at timestamp with time zone default now() not null,
  constraint team_members_pkey PRIMARY KEY (team_id, agent_id),
  constraint team_members_business_id_agent_id_fkey FOREIGN KEY (business_id, agent_id) REFERENCES agents(business_id, id),
  constraint team_members_business_id_team_id_fkey FOREIGN KEY (business_id, team_id) REFERENCES teams(business_id, id)
);
CREATE INDEX team_members_agent ON public.team_members USING btree (agent_id);

create table teams (
  id uuid not null,
  business_id uuid not null,
  name text not null,
  assignment jsonb default '{"mode": "round_robin"}'::jsonb not null,
  deleted_at timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  constraint teams_pkey PRIMARY KEY (id),
  constraint teams_business_id_id_key UNIQUE (business_id, id),
  constraint teams_business_id_fkey FOREIGN KEY (business_id) REFERENCES businesses(id)
);
CREATE UNIQUE INDEX teams_name ON public.teams USING btree (business_id, lower(name)) WHERE (deleted_at IS NULL);

create table templates (
  channel_id uuid not null,
  business_id uuid not null,
  external_id text not null,
  name text not null,
  language text not null,
  status text not null,
  template jsonb not null,
  constraint templates_pkey PRIMARY KEY (channel_id, external_id),
  constraint templates_business_id_channel_id_fkey FOREIGN KEY (business_id, channel_id) REFERENCES channels(business_id, id)
);
CREATE INDEX templates_name ON public.templates USING btree (channel_id, name, language, external_id);

create table threads (
  channel_id uuid not null,
  thread_key text not null,
  business_id uuid not null,
  customer_id uuid,
  conversation_id uuid,
  updated_at timestamp with time zone default now() not null,
  merged_from uuid[],
  constraint threads_pkey PRIMARY KEY (channel_id, thread_key),
  constraint threads_business_id_channel_id_fkey FOREIGN KEY (business_id, channel_id) REFERENCES channels(business_id, id),
  constraint threads_conversation_id_business_id_fkey FOREIGN KEY (conversation_id, business_id) REFERENCES conversations(id, business_id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX threads_conversation ON public.threads USING btree (conversation_id);

create table visitor_sessions (
  id uuid not null,
  business_id uuid not null,
  channel_id uuid not null,
  visitor_id uuid not null,
  expires_at timestamp with time zone not null,
  revoked_at timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  constraint visitor_sessions_pkey PRIMARY KEY (id),
  constraint visitor_sessions_business_id_channel_id_fkey FOREIGN KEY (business_id, channel_id) REFERENCES channels(business_id, id)
);
CREATE INDEX visitor_sessions_visitor ON public.visitor_sessions USING btree (channel_id, visitor_id);

create table webhook_endpoints (
  id uuid not null,
  business_id uuid not null,
  url text not null,
  events text[] not null,
  description text,
  dialect text default 'native'::text not null,
  rate_limit integer,
  is_active boolean default true not null,
  failing_since timestamp with time zone,
  failing_announced_at timestamp with time zone,
  disabled_at timestamp with time zone,
  disabled_reason text,
  paused_until timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  deleted_at timestamp with time zone,
  signatures text[] default '{v1}'::text[] not null,
  ordering text default 'none'::text not null,
  filter jsonb,
  headers bytea,
  header_names text[] default '{}'::text[] not null,
  concurrency integer,
  missed_since timestamp with time zone,
  exhausted_announced_at timestamp with time zone,
  client_certificate text,
  client_key bytea,
  constraint webhook_endpoints_pkey PRIMARY KEY (id),
  constraint webhook_endpoints_business_id_id_key UNIQUE (business_id, id),
  constraint webhook_endpoints_concurrency_check CHECK (((concurrency >= 1) AND (concurrency <= 100))),
  constraint webhook_endpoints_dialect_check CHECK ((dialect = ANY (ARRAY['native'::text, 'support'::text]))),
  constraint webhook_endpoints_ordering_check CHECK ((ordering = ANY (ARRAY['none'::text, 'conversation'::text, 'endpoint'::text]))),
  constraint webhook_endpoints_business_id_fkey FOREIGN KEY (business_id) REFERENCES businesses(id)
);
CREATE INDEX webhook_endpoints_business ON public.webhook_endpoints USING btree (business_id) WHERE (deleted_at IS NULL);

CREATE OR REPLACE FUNCTION public.lock_inbound(key_channels uuid[], key_events text[], key_messages uuid[], thread_channels uuid[], thread_businesses uuid[], thread_keys text[], party_channels uuid[], party_addresses text[], parties json, ref_channels uuid[], ref_externals text[], named_conversations uuid[])
 RETURNS json
 LANGUAGE plpgsql
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
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
    select r.id, r.business_id, r.channel_id, coalesce(c.merged_into_id, c.id, r.customer_id), r.kind, r.address, r.profile
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

  -- What was merged is written to where it was merged into, named or answered.
  if replies is not null then
    named_conversations := named_conversations
      || array(select (f ->> 'conversation_id')::uuid from json_array_elements(replies) f);
  end if;
  if cardinality(named_conversations) > 0 then
    with recursive named as (
      select unnest(named_conversations) as id
      union select c.merged_into_id from conversations c join named using (id) where c.merged_into_id is not null
    )
    select array_agg(id) into named_conversations from named;
  end if;

  select json_agg(l) into locked_conversations from (
    select * from conversations
    where id in (
      select (t ->> 'conversation_id')::uuid from json_array_elements(locked_threads) t
      union all select unnest(named_conversations))
    order by id for update) l;

  return json_build_object('known', known, 'threads', locked_threads, 'parties', known_parties,
    'replies', replies, 'conversations', locked_conversations);
end $function$;

CREATE OR REPLACE FUNCTION public.status_rank(status text)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  select array_position(array['scheduled', 'canceled', 'queued', 'sending', 'sent', 'failed', 'delivered', 'read'], status)
$function$;
