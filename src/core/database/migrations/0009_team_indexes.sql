-- concurrently
alter table conversations validate constraint conversations_business_id_team_id_fkey;
drop index concurrently if exists conversations_team;
create index concurrently conversations_team on conversations (business_id, team_id, last_message_at desc, id desc)
  where team_id is not null;
drop index concurrently if exists conversations_waiting;
create index concurrently conversations_waiting on conversations (assign_at) where assign_at is not null;
drop index concurrently if exists conversations_handoff;
create index concurrently conversations_handoff on conversations (business_id, handoff_requested_at, id)
  where needs_human_handoff;
-- How busy an agent is.
drop index concurrently if exists conversations_busy;
create index concurrently conversations_busy on conversations (assignee_id)
  where assignee_id is not null and status in ('open', 'pending');
