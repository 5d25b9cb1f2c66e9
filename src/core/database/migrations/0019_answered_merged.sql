-- As before, but an answer to a message of a merged conversation leads on to where that was merged into, too.
create or replace function lock_inbound(
  key_channels uuid[], key_events text[], key_messages uuid[],
  thread_channels uuid[], thread_businesses uuid[], thread_keys text[],
  party_channels uuid[], party_addresses text[], parties json,
  ref_channels uuid[], ref_externals text[],
  named_conversations uuid[]
) returns json language plpgsql as $$
declare
  found bigint;
  stale json;
  known json;
  locked_threads json;
  known_parties json;
  replies json;
  locked_conversations json;
begin
  with inserted as (
    insert into inbound_keys (channel_id, external_event_id, message_id)
    select * from unnest(key_channels, key_events, key_messages) on conflict do nothing
    returning channel_id, external_event_id
  )
  select json_agg(r) into stale
  from unnest(key_channels, key_events) as r(channel_id, external_event_id)
  left join inserted i using (channel_id, external_event_id)
  where i.channel_id is null;
  if stale is not null then
    select json_agg(k) into known
    from json_to_recordset(stale) as r(channel_id uuid, external_event_id text)
    join inbound_keys k using (channel_id, external_event_id);
  end if;

  -- Most threads and identities are known: inserting only what is missing saves trying with all the others.
  for attempt in 1..2 loop
    select json_agg(l), count(*) into locked_threads, found from (
      select t.channel_id, t.thread_key, t.conversation_id, t.customer_id from threads t
      join unnest(thread_channels, thread_keys) as r(channel_id, thread_key) using (channel_id, thread_key)
      order by t.channel_id, t.thread_key for update of t) l;
    exit when found = cardinality(thread_keys);
    insert into threads (channel_id, business_id, thread_key)
    select * from unnest(thread_channels, thread_businesses, thread_keys) on conflict do nothing;
  end loop;

  -- No customer where the identity was inserted just now: its foreign key is checked at the commit.
  for attempt in 1..2 loop
    select json_agg(p), count(*) into known_parties, found from (
      select i.channel_id, i.address, i.customer_id, c as customer
      from unnest(party_channels, party_addresses) as r(channel_id, address)
      join identities i using (channel_id, address)
      left join customers c on c.id = i.customer_id) p;
    exit when found = cardinality(party_addresses);
    -- A sender's verified id of its own business joins the customer who has it; everybody else begins as a new one.
    insert into identities (id, business_id, channel_id, customer_id, kind, address, profile)
    select r.id, r.business_id, r.channel_id, coalesce(c.merged_into_id, c.id, r.customer_id), r.kind, r.address, r.profile
    from json_to_recordset(parties) as r(id uuid, business_id uuid, channel_id uuid, customer_id uuid, kind text,
      address text, external_id text, profile jsonb)
    left join customers c on c.business_id = r.business_id and c.external_id = r.external_id and c.deleted_at is null
    on conflict (channel_id, address) do nothing;
  end loop;

  -- Of customers' messages the provider's id stands on the message, of ours in provider_ids, one a part.
  if cardinality(ref_channels) > 0 then
    select json_agg(f) into replies from (
      select r.channel_id, r.external_id, m.id as message_id, m.conversation_id
      from unnest(ref_channels, ref_externals) as r(channel_id, external_id)
      join messages m on m.channel_id = r.channel_id and m.external_id = r.external_id
      union
      select r.channel_id, r.external_id, m.id, m.conversation_id
      from unnest(ref_channels, ref_externals) as r(channel_id, external_id)
      join provider_ids p on p.channel_id = r.channel_id and p.external_id = r.external_id
      join messages m on m.id = p.message_id) f;
  end if;

  -- What was merged is written to where it was merged into, named or answered.
  if replies is not null then
    named_conversations := named_conversations
      || array(select (f ->> 'conversation_id')::uuid from json_array_elements(replies) f);
  end if;
  if cardinality(named_conversations) > 0 then
    with recursive named as (
      select unnest(named_conversations) as id
      union select c.merged_into_id from conversations c join named using (id) where c.merged_into_id is not null
    )
    select array_agg(id) into named_conversations from named;
  end if;

  select json_agg(l) into locked_conversations from (
    select * from conversations
    where id in (
      select (t ->> 'conversation_id')::uuid from json_array_elements(locked_threads) t
      union all select unnest(named_conversations))
    order by id for update) l;

  return json_build_object('known', known, 'threads', locked_threads, 'parties', known_parties,
    'replies', replies, 'conversations', locked_conversations);
end $$;
