-- Opens one plain WebSocket, once and within a minute, for whoever cannot put a key into the handshake.
create table realtime_tickets (
  ticket_hash bytea primary key,
  business_id uuid not null,
  api_key_id uuid not null,
  expires_at timestamptz not null,
  foreign key (business_id, api_key_id) references api_keys (business_id, id)
);
