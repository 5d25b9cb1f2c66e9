-- concurrently
drop index concurrently if exists conversations_merged;
create index concurrently conversations_merged on conversations (merged_into_id) where merged_into_id is not null;
drop index concurrently if exists customers_merged;
create index concurrently customers_merged on customers (merged_into_id) where merged_into_id is not null;
