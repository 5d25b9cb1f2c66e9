-- concurrently
-- What was said with a customer, of all their conversations together, is paged by when it was said.
drop index concurrently if exists messages_said;
create index concurrently messages_said on messages (conversation_id, greatest(created_at, send_at)) where seq is not null;
