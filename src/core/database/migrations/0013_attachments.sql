-- Attachments that last: pictures with thumbnails, bytes that are removed once and for all.
alter table attachments add column width int;
-- A picture's size; one that has it has a thumbnail too.
alter table attachments add column height int;
-- Each time that the bytes are brought anew they get a key of their own.
alter table attachments add column version int not null default 0;
alter table attachments drop constraint attachments_state_check;
alter table attachments add constraint attachments_state_check
  check (state in ('uploaded', 'pending', 'ready', 'failed', 'too_large', 'expired')) not valid;

-- Files whose attachments are gone, until their bytes are too.
create table removed_files (
  storage_key text primary key,
  created_at timestamptz not null default now()
);
