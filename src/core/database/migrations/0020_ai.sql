-- What answers customers for a business: a program of its own, asked over HTTP.
create table ai_hooks (
  id uuid primary key,
  business_id uuid not null unique references businesses (id),
  url text not null,
  mode text not null check (mode in ('assist', 'auto')),
  threshold double precision not null check (threshold between 0 and 1),
  timeout_seconds integer not null check (timeout_seconds between 1 and 60),
  secret bytea not null,
  -- The newest answer that could not be used, until one can.
  failed_at timestamptz,
  failure text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

-- Every time it is asked, and what came of it; a suggestion for agents is one too. No foreign key leads to conversations:
-- the reader that fills it must not wait for their locks.
create table ai_turns (
  id uuid primary key,
  business_id uuid not null references businesses (id),
  conversation_id uuid not null,
  -- The customer's message that is answered.
  message_id uuid,
  on_demand boolean not null default false,
  mode text check (mode in ('assist', 'auto')),
  state text not null check (state in (
    'waiting', 'asking', 'sent', 'drafted', 'accepted', 'discarded', 'handed_off', 'superseded', 'silent', 'refused', 'failed')),
  -- The newest public message that it had seen.
  last_seq bigint,
  reply text,
  confidence double precision,
  reason text,
  sent_message_id uuid,
  decided_by uuid,
  asked_at timestamptz,
  finished_at timestamptz,
  created_at timestamptz not null default now()
);
create unique index ai_turns_once on ai_turns (message_id) where not on_demand;
create index ai_turns_open on ai_turns (conversation_id) where state in ('waiting', 'asking');
create index ai_turns_conversation on ai_turns (conversation_id, id desc);
create index ai_turns_age on ai_turns (created_at);

-- What agents wrote up to here does not keep the AI from answering.
alter table conversations add column ai_from_seq bigint;
