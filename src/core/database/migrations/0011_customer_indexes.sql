-- concurrently
drop index concurrently if exists customers_attributes;
create index concurrently customers_attributes on customers using gin (custom_attributes jsonb_path_ops);
drop index concurrently if exists audit_log_subject;
create index concurrently audit_log_subject on audit_log (subject_id, id desc);
