-- concurrently
-- What is still to be emptied, by its age: found without passing by all that was.
drop index concurrently if exists conversations_unexpired;
create index concurrently conversations_unexpired on conversations (channel_id, last_message_at)
  where status in ('resolved', 'closed') and (expired_at is null or expired_at < last_message_at);
