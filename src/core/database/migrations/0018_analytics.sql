-- What passes in a conversation from its beginning, or a reopening, to its end. Counted once, by a reader of events
-- whose place is written in the same transaction; kept when the events have gone.
create table rounds (
  conversation_id uuid not null,
  number integer not null,
  business_id uuid not null references businesses (id),
  channel_id uuid not null,
  channel_type text not null,
  -- Who has it, or else who answered last.
  agent_id uuid,
  tags text[] not null default '{}',
  is_merged boolean not null default false,
  began_at timestamptz not null,
  -- The customer's first message, the first answer to it and whose that was, our first message at all.
  asked_at timestamptz,
  responded_at timestamptz,
  responded_by uuid,
  answered_at timestamptz,
  snoozed_at timestamptz,
  snoozed_seconds double precision not null default 0,
  snoozed_worked double precision not null default 0,
  ended_at timestamptz,
  ending text check (ending in ('resolved', 'closed')),
  first_response double precision,
  first_response_worked double precision,
  resolution double precision,
  resolution_worked double precision,
  handle double precision,
  handle_worked double precision,
  primary key (conversation_id, number)
);
create index rounds_began on rounds (business_id, began_at);
create index rounds_responded on rounds (business_id, responded_at) where first_response is not null;
create index rounds_ended on rounds (business_id, ended_at) where ended_at is not null;

-- How many messages, by the quarter of an hour: days of every zone begin on one.
create table message_counts (
  business_id uuid not null references businesses (id),
  quarter timestamptz not null,
  channel_id uuid not null,
  channel_type text not null,
  agent_id uuid,
  tags text[] not null,
  received integer not null,
  sent integer not null,
  unique nulls not distinct (business_id, quarter, channel_id, agent_id, tags)
);

-- What customers are asked, and say, of how they were served: one answer per row.
create table ratings (
  id uuid primary key,
  business_id uuid not null,
  conversation_id uuid not null,
  channel_id uuid not null,
  channel_type text not null,
  -- Whose work is rated, and about what it was, when it was asked.
  agent_id uuid,
  tags text[] not null default '{}',
  -- The message that asked; null where somebody else did.
  message_id uuid,
  asked_at timestamptz not null default now(),
  expires_at timestamptz not null,
  score smallint check (score between 1 and 5),
  comment text,
  answered_at timestamptz,
  -- chat: in the conversation, page: by the link, api: told by the business itself.
  source text check (source in ('chat', 'page', 'api')),
  check ((score is null) = (answered_at is null)),
  foreign key (conversation_id, business_id) references conversations (id, business_id)
);
create index ratings_conversation on ratings (conversation_id, id desc);
create index ratings_answered on ratings (business_id, answered_at) where answered_at is not null;
create unique index ratings_message on ratings (message_id) where message_id is not null;
alter table channels add column csat jsonb;
alter table businesses add column csat jsonb;
