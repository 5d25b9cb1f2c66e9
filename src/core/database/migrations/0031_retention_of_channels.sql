-- After how many days of silence the texts and files of what is over go: a channel's, else its business's, and never
-- later than the operator says. Null leaves it to the next of them.
alter table channels add column retention_messages_days integer check (retention_messages_days > 0);
alter table businesses add column retention_messages_days integer check (retention_messages_days > 0);
