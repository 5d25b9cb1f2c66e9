-- What a business lets happen by itself, and what came of it.
create table automation_rules (
  id uuid primary key,
  business_id uuid not null references businesses (id),
  name text,
  trigger text not null,
  -- With the triggers of time: after how many minutes.
  after_minutes integer check (after_minutes > 0),
  conditions jsonb not null,
  actions jsonb not null,
  is_active boolean not null default true,
  -- What happened before is none of its business.
  active_since timestamptz(3) not null default clock_timestamp(),
  -- Up to when time has been looked at.
  checked_at timestamptz(3) not null default clock_timestamp(),
  created_at timestamptz not null default now(),
  -- As JavaScript reads it, so that what was read can be asked for.
  updated_at timestamptz(3) not null default now(),
  unique (business_id, id)
);
create index automation_rules_trigger on automation_rules (business_id, trigger) where is_active;

-- Each rule at most once for each subject: an event, or what time has run from (a message, a conversation).
create table automation_runs (
  id uuid not null unique,
  rule_id uuid not null,
  subject_id uuid not null,
  business_id uuid not null,
  trigger text not null,
  conversation_id uuid,
  customer_id uuid,
  outcome text not null check (outcome in ('done', 'failed', 'skipped')),
  -- Why it was skipped, or failed as a whole.
  reason text,
  -- [{"type", "outcome", "reason"}], nothing of what was said.
  actions jsonb not null default '[]',
  created_at timestamptz not null default now(),
  primary key (rule_id, subject_id)
);
create index automation_runs_rule on automation_runs (rule_id, id);
create index automation_runs_conversation on automation_runs (conversation_id, rule_id, id);
create index automation_runs_age on automation_runs (created_at);
