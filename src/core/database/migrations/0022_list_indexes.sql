-- concurrently
-- What an inbox is listed by, each with an index that is as fast for millions: the rest filters newest activity.
drop index concurrently if exists conversations_created;
create index concurrently conversations_created on conversations (business_id, created_at desc, id desc);
drop index concurrently if exists conversations_updated;
create index concurrently conversations_updated on conversations (business_id, updated_at desc, id desc);
drop index concurrently if exists conversations_channel;
create index concurrently conversations_channel on conversations (business_id, channel_id, last_message_at desc, id desc);
-- Most conversations have no tag, and cost nothing here.
drop index concurrently if exists conversations_tags;
create index concurrently conversations_tags on conversations using gin (tags) where tags <> '{}';
