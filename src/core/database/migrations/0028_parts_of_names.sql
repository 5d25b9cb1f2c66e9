-- concurrently with pg_trgm
-- Parts of names and subjects, for the `q` of lists. Customers and subjects are written rarely: a message touches neither.
drop index concurrently if exists customers_parts;
create index concurrently customers_parts on customers
  using gin (name gin_trgm_ops, email gin_trgm_ops, phone gin_trgm_ops, external_id gin_trgm_ops);
drop index concurrently if exists customer_addresses_parts;
create index concurrently customer_addresses_parts on customer_addresses using gin (address gin_trgm_ops);
drop index concurrently if exists conversations_subject;
create index concurrently conversations_subject on conversations using gin (subject gin_trgm_ops)
  where subject is not null;
