-- The door that the provider was told of last: where it differs from ours by now, the channel is connected anew.
alter table channels add column connected_url text;
