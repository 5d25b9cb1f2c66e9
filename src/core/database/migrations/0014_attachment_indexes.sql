-- concurrently
create index concurrently if not exists attachments_kept on attachments (created_at) where state = 'ready';
