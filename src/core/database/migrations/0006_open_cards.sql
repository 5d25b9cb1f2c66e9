-- The choices of the newest message to the customer: what a typed answer is held against.
alter table conversations add column open_card jsonb;
