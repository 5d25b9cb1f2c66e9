-- concurrently
-- What a person wrote, and reacted to, in conversations of others: asked for when they are exported or erased.
drop index concurrently if exists messages_writer;
create index concurrently messages_writer on messages (customer_id) where direction = 'inbound';
drop index concurrently if exists messages_reacted;
create index concurrently messages_reacted on messages (business_id) where reactions <> '[]';
drop index concurrently if exists attachments_uploaded;
create index concurrently attachments_uploaded on attachments (uploaded_by) where state = 'uploaded';
