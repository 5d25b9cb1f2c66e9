import type { Sql } from '../src/core/database/connect.ts';
import { newId } from '../src/core/id.ts';
import type { Subject } from './lab.ts';
import { makeReadModels } from './read-models.ts';

const MESSAGES_PER_CONVERSATION = 10;
const AGENTS = 10;
// However long the past, so that a list of them is as long.
const RARE = 50;

/** What customers write about, each in 5 % of all messages. */
const TOPICS = (
  'where it is now/a refund/the invoice/a broken handle/the wrong colour/a gift voucher/the delivery date/my new address/' +
  'the warranty/a missing screw/the password/two sizes larger/the manual/a discount/the express courier/' +
  'the noise it makes/an exchange/the battery/the subscription/the opening hours'
).split('/');

/** Ids by which lists of the past can be asked for. */
export interface History {
  agentId: string;
  rareChannelId: string;
  customerId: string;
  conversationId: string;
  /** Of that customer. */
  email: string;
  /** A number that ten messages hold, and next to nothing else. */
  order: string;
  /** Since then a page of conversations was updated. */
  lately: string;
}

/**
 * Fills the business with a past of two years: ten messages a conversation, with statuses, tags, channels and assignees as an
 * inbox has them. Written without triggers, whose checks it cannot fail.
 */
export async function makeHistory({ sql, businessId }: Subject, messages: number): Promise<History> {
  const count = messages / MESSAGES_PER_CONVERSATION;
  await sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`;
    await tx`set local synchronous_commit = off`;
    await tx`set local maintenance_work_mem = '256MB'`;
    await makeAgents(tx, businessId);
    await numberConversations(tx, count);
    await makeCustomers(tx, businessId);
    await makeConversations(tx, businessId, count / RARE);
    await makeMessages(tx, businessId);
    await makeReadModels(tx, businessId);
  });
  await sql`vacuum analyze conversations, messages, customers, rounds, message_counts, ratings, search_documents`;
  // What is still to be written is not to disturb what is measured.
  await sql`checkpoint`;
  return findHistory(sql, businessId);
}

async function makeAgents(tx: Sql, businessId: string): Promise<void> {
  for (let n = 0; n < AGENTS; n += 1)
    await tx`insert into agents (id, business_id, name, role) values (${newId()}, ${businessId}, ${`Agent ${n}`}, 'agent')`;
}

/** Evenly over two years, with the ids that they would have had then. */
async function numberConversations(tx: Sql, count: number): Promise<void> {
  await tx`
    create temporary table numbered on commit drop as
    select n, now() - (${count} - n) * interval '2 years' / ${count} as at,
      uuidv7((${count} - n) * interval '-2 years' / ${count}) as customer_id,
      uuidv7((${count} - n) * interval '-2 years' / ${count}) as id
    from generate_series(1, ${count}::int) n`;
}

async function makeCustomers(tx: Sql, businessId: string): Promise<void> {
  await tx`
    insert into customers (id, business_id, name, email, phone, created_at, updated_at)
    select customer_id, ${businessId}, 'Customer ' || n, left(md5(n::text), 8) || n || '@example.com',
      '+49151' || lpad(n::text, 8, '0'), at, at
    from numbered`;
}

async function makeConversations(tx: Sql, businessId: string, rarely: number): Promise<void> {
  await tx`
    insert into conversations (id, business_id, channel_id, channel_type, thread_key, customer_id, assignee_id, status,
      tags, priority, needs_human_handoff, snoozed_until, last_message_seq, last_public_seq, unread_count, last_message_at,
      created_at, updated_at)
    select n.id, ${businessId}, ch.id, ch.type, n.n::text, n.customer_id, case when n.n % 3 > 0 then a.id end,
      case when n.n % 100 < 3 then 'open' when n.n % 100 = 3 then 'pending' when n.n % 1000 = 4 then 'snoozed'
        when n.n % 2 = 0 then 'closed' else 'resolved' end,
      case when n.n % 2 = 0 then array['frequent'] when n.n % ${rarely} = 1 then array['rare'] else '{}' end,
      case when n.n % 50 = 0 then 'urgent' end, n.n % ${rarely} = 7, case when n.n % 1000 = 4 then now() + interval '1 day' end,
      ${MESSAGES_PER_CONVERSATION}, ${MESSAGES_PER_CONVERSATION}, n.n % 4, n.at + interval '1 hour', n.at, n.at + interval '1 hour'
    from numbered n
    join (select id, type, type = 'webchat' as is_rare from channels where business_id = ${businessId}) ch
      on ch.is_rare = (n.n % ${rarely} = 9)
    join (select id, row_number() over (order by id) % ${AGENTS} as place from agents where business_id = ${businessId}
      and name like 'Agent %') a on a.place = n.n % ${AGENTS}`;
}

async function makeMessages(tx: Sql, businessId: string): Promise<void> {
  await tx`
    insert into messages (id, business_id, conversation_id, channel_id, customer_id, seq, direction, sender_type, sender_id,
      type, content, status, external_id, created_at)
    select uuidv7(), ${businessId}, c.id, c.channel_id, c.customer_id, seq, case when seq % 2 = 1 then 'inbound' else 'outbound' end,
      case when seq % 2 = 1 then 'customer' else 'agent' end, case when seq % 2 = 0 then c.assignee_id end, 'text',
      'Message ' || seq || ' of order ' || c.thread_key || ' is about ' || topic[1 + (c.thread_key::int * 3 + seq * 7) % ${TOPICS.length}]
        || ', reference ' || left(md5(c.thread_key || '/' || seq), 8),
      case when seq % 2 = 0 then 'delivered' end, case when seq % 2 = 1 then c.thread_key || ':' || seq end,
      c.created_at + seq * interval '5 minutes'
    from conversations c, generate_series(1, ${MESSAGES_PER_CONVERSATION}) seq, (select ${TOPICS}::text[] as topic) t
    where c.business_id = ${businessId}`;
}

async function findHistory(sql: Sql, businessId: string): Promise<History> {
  const [row] = await sql<[Omit<History, 'lately'> & { lately: Date }]>`
    select id as "conversationId", customer_id as "customerId", 
      (select email from customers where id = customer_id),
      (select thread_key from conversations where business_id = ${businessId} order by id desc offset 7 limit 1) as order,
      (select id from agents where business_id = ${businessId} and name = 'Agent 3') as "agentId",
      (select id from channels where business_id = ${businessId} and type = 'webchat') as "rareChannelId",
      (select updated_at from conversations where business_id = ${businessId} order by updated_at desc offset 49 limit 1) as lately
    from conversations where business_id = ${businessId} order by id offset 500 limit 1`;
  return { ...row, lately: row.lately.toISOString() };
}
