import type { Sql } from '../src/core/database/connect.ts';

/** What the readers of events would have made of a business's past by now: documents to search, rounds and counts. */
export async function makeReadModels(tx: Sql, businessId: string): Promise<void> {
  await makeDocuments(tx, businessId);
  await makeRounds(tx, businessId);
  await makeCounts(tx, businessId);
  await makeRatings(tx, businessId);
}

/** Texts of this past are as they are searched but for their capitals. The large indexes are quicker built than filled. */
async function makeDocuments(tx: Sql, businessId: string): Promise<void> {
  const indexes = await tx<{ name: string; definition: string }[]>`
    select indexname as name, indexdef as definition from pg_indexes
    where tablename = 'search_documents' and indexdef like '%USING gin%'`;
  for (const { name } of indexes) await tx`drop index ${tx(name)}`;
  await tx`
    insert into search_documents (id, business_id, kind, conversation_id, customer_id, at, text)
    select id, business_id, 'message', conversation_id, customer_id, created_at, lower(content)
    from messages where business_id = ${businessId}
    union all
    select id, business_id, 'conversation', id, customer_id, last_message_at, array_to_string(tags, ' ')
    from conversations where business_id = ${businessId} and tags <> '{}'
    union all
    select id, business_id, 'customer', null, id, updated_at, lower(name) || ' ' || email || ' ' || phone || ' ' || ltrim(phone, '+')
    from customers where business_id = ${businessId}`;
  for (const { definition } of indexes) await tx.unsafe(definition);
}

async function makeRounds(tx: Sql, businessId: string): Promise<void> {
  await tx`
    insert into rounds (conversation_id, number, business_id, channel_id, channel_type, agent_id, tags, began_at, asked_at,
      responded_at, responded_by, answered_at, ended_at, ending, first_response, first_response_worked, resolution,
      resolution_worked, handle, handle_worked)
    select id, 1, business_id, channel_id, channel_type, assignee_id, tags, created_at, created_at,
      created_at + took, assignee_id, created_at + took, ended_at, case when ended_at is not null then status end,
      seconds, seconds / 3, case when ended_at is not null then 3 * seconds end, case when ended_at is not null then seconds end,
      case when ended_at is not null then 2 * seconds end, case when ended_at is not null then seconds end
    from (
      select c.*, n.seconds, n.seconds * interval '1 second' as took,
        case when status in ('resolved', 'closed') then created_at + 3 * n.seconds * interval '1 second' end as ended_at
      from conversations c, lateral (select 60 + (thread_key::int * 7919::bigint) % 3600 as seconds) n
      where business_id = ${businessId}) c`;
}

async function makeCounts(tx: Sql, businessId: string): Promise<void> {
  await tx`
    insert into message_counts (business_id, quarter, channel_id, channel_type, agent_id, tags, received, sent)
    select m.business_id, date_bin('15 minutes', m.created_at, '2000-01-01Z'), m.channel_id, c.channel_type,
      case when m.direction = 'inbound' then c.assignee_id else m.sender_id end, c.tags,
      count(*) filter (where m.direction = 'inbound'), count(*) filter (where m.direction = 'outbound')
    from messages m join conversations c on c.id = m.conversation_id where m.business_id = ${businessId}
    group by 1, 2, 3, 4, 5, 6`;
}

/** One in ten says how it was. */
async function makeRatings(tx: Sql, businessId: string): Promise<void> {
  await tx`
    insert into ratings (id, business_id, conversation_id, channel_id, channel_type, agent_id, tags, asked_at, expires_at,
      score, answered_at, source)
    select uuidv7(), business_id, id, channel_id, channel_type, assignee_id, tags, updated_at, updated_at + interval '30 days',
      1 + thread_key::int % 5, updated_at + interval '5 minutes', 'chat'
    from conversations where business_id = ${businessId} and status in ('resolved', 'closed') and thread_key::int % 10 = 1`;
}
