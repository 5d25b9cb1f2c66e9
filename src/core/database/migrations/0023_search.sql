-- What agents search in, written by a reader of events: a message, a conversation's own words, or who a customer is.
create table search_documents (
  -- That of the message, the conversation or the customer.
  id uuid primary key,
  business_id uuid not null references businesses (id),
  kind text not null check (kind in ('message', 'conversation', 'customer')),
  conversation_id uuid,
  customer_id uuid,
  at timestamptz not null,
  -- Without accents and in lower case, as what is searched for.
  text text not null,
  words tsvector not null generated always as (to_tsvector('simple', text)) stored
);
create index search_documents_newest on search_documents (business_id, at desc);
create index search_documents_words on search_documents using gin (words);
create index search_documents_customer on search_documents (customer_id);

-- Parts of words are found by pg_trgm. A role that may not create it, or a server without it, searches whole words.
do $$
begin
  create extension if not exists pg_trgm;
  create index search_documents_parts on search_documents using gin (text gin_trgm_ops);
exception when insufficient_privilege or undefined_file or feature_not_supported then
  raise notice 'pg_trgm is not available: search finds whole words and their beginnings only';
end $$;
