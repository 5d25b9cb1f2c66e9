-- Teams, whose turn it is in them, and what becomes of a conversation that nobody writes in.

create table teams (
  id uuid primary key,
  business_id uuid not null references businesses (id),
  name text not null,
  -- How the team passes on what it is given.
  assignment jsonb not null default '{"mode":"round_robin"}',
  deleted_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (business_id, id)
);
create unique index teams_name on teams (business_id, lower(name)) where deleted_at is null;

create table team_members (
  business_id uuid not null,
  team_id uuid not null,
  agent_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (team_id, agent_id),
  foreign key (business_id, team_id) references teams (business_id, id),
  foreign key (business_id, agent_id) references agents (business_id, id)
);
create index team_members_agent on team_members (agent_id);

-- When a team or a channel last gave an agent something: the longest ago is next.
create table assignment_turns (
  pool_id uuid not null,
  agent_id uuid not null references agents (id),
  assigned_at timestamptz not null,
  primary key (pool_id, agent_id)
);

alter table conversations
  add column team_id uuid,
  -- When an agent is looked for next; null while none has to be found.
  add column assign_at timestamptz,
  -- Since when it waits for a person.
  add column handoff_requested_at timestamptz,
  add foreign key (business_id, team_id) references teams (business_id, id) not valid;
update conversations set handoff_requested_at = updated_at where needs_human_handoff;

-- Null leaves it to the business, 0 keeps the channel's conversations open; a business's null or 0 keeps all of them open.
alter table channels add column auto_resolve_after_minutes integer check (auto_resolve_after_minutes >= 0);
alter table businesses add column auto_resolve_after_minutes integer check (auto_resolve_after_minutes >= 0);

-- A reader's place in the order of events is a seq and its day.
alter table readers add column day date not null default '1970-01-01';
