-- concurrently
-- Where few conversations are asked for, their texts are looked through instead of all that a word is in.
drop index concurrently if exists search_documents_conversation;
create index concurrently search_documents_conversation on search_documents (conversation_id);
