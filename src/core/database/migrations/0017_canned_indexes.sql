-- concurrently
drop index concurrently if exists attachments_canned_response;
create index concurrently attachments_canned_response on attachments (canned_response_id)
  where canned_response_id is not null;
