-- Answers that are written once and used often.
create table canned_responses (
  id uuid primary key,
  business_id uuid not null references businesses (id),
  title text not null,
  shortcut text,
  content text not null,
  -- In their order: {"id"} of a file that we keep for it, or {"url", "name", "type", "size"} of one elsewhere.
  attachments jsonb not null default '[]',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (business_id, id)
);
-- "/Hello" and "hello" would be one key on an agent's keyboard.
create unique index canned_responses_shortcut on canned_responses (business_id, lower(ltrim(shortcut, '/')));

alter table attachments add column canned_response_id uuid;
