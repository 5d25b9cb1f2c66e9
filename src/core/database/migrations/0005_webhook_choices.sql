-- What an endpoint may choose, and what is known of its health.
alter table webhook_endpoints
  -- Which signatures it gets: v1 always, v1a (ed25519) where enabled.
  add column signatures text[] not null default '{v1}',
  -- One at a time in the order of events: never, per conversation, or all of them.
  add column ordering text not null default 'none' check (ordering in ('none', 'conversation', 'endpoint')),
  -- Only events whose payload has these values at these paths.
  add column filter jsonb,
  -- Headers of the subscriber's own, encrypted: they carry tokens. The names are shown.
  add column headers bytea,
  add column header_names text[] not null default '{}',
  -- Requests under way at once; null is the default.
  add column concurrency integer check (concurrency between 1 and 100),
  -- Since when nothing is delivered to it, or until when nothing was: from there missed events can be replayed.
  add column missed_since timestamptz,
  add column exhausted_announced_at timestamptz;

alter table deliveries
  add column conversation_id uuid,
  -- Deliveries of one key go one after the other; null has no order.
  add column order_key uuid,
  -- Why it is made: the event itself, or somebody who asked for it again.
  add column trigger text not null default 'event',
  -- All attempts ever made; tries counts those of the schedule under way.
  add column attempt integer not null default 0,
  add column last_duration_ms integer;
create index deliveries_ordered on deliveries (endpoint_id, order_key, event_seq)
  where status = 'pending' and order_key is not null;

alter table attempts
  add column url text,
  add column response_headers jsonb;
