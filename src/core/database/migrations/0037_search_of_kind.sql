-- concurrently
-- Customers and conversations are few beside their messages: asked for alone, they are looked through all.
drop index concurrently if exists search_documents_of_kind;
create index concurrently search_documents_of_kind on search_documents (business_id, kind, at desc) where kind <> 'message';
