-- What a provider has approved for an account, as it was last listed.
create table templates (
  channel_id uuid not null,
  business_id uuid not null,
  external_id text not null,
  name text not null,
  language text not null,
  status text not null,
  template jsonb not null,
  primary key (channel_id, external_id),
  foreign key (business_id, channel_id) references channels (business_id, id)
);
create index templates_name on templates (channel_id, name, language, external_id);
alter table channels add column templates_synced_at timestamptz;
