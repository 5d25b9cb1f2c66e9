import type { Sql } from '../core/database/connect.ts';
import { AppError } from '../core/errors.ts';
import { isUuid } from '../core/id.ts';
import { viewMessages } from '../core/messages.ts';
import type { ConversationRow } from '../core/views/conversation.ts';
import type { MessageRow, MessageView } from '../core/views/message.ts';
import type { Owner } from './rooms.ts';

/** A visitor as the database knows them. */
export interface Visitor {
  businessId: string;
  channelId: string;
  visitorId: string;
  threadKey: string;
  externalId: string | undefined;
}

/** The visitor's conversation of that id. Throws `not_found` for everybody else's. */
export async function findOwnConversation(sql: Sql, visitor: Visitor, id: string): Promise<ConversationRow> {
  const [row] = isUuid(id)
    ? await sql<
        ConversationRow[]
      >`select c.* from conversations c where c.id = ${id} and ${isOwn(sql, visitor)}`
    : [];
  if (row === undefined) throw new AppError('not_found', 'There is no such conversation of yours.');
  return row;
}

/** That `c` is the visitor's. Customers are how the rows are found; the thread is what makes them the visitor's. */
export function isOwn(sql: Sql, { businessId, channelId, visitorId, threadKey, externalId }: Visitor) {
  // A merge may have led the thread to another conversation of the same customer.
  const ofThread = sql`(c.thread_key = ${threadKey} or c.id = (
    select conversation_id from threads where channel_id = ${channelId} and thread_key = ${threadKey}))`;
  const ofVisitor = sql`${ofThread} and c.customer_id = (
    select customer_id from identities where channel_id = ${channelId} and address = ${visitorId})`;
  const ofPerson =
    externalId === undefined
      ? sql``
      : sql`or c.customer_id = (select coalesce(merged_into_id, id) from customers
          where business_id = ${businessId} and external_id = ${externalId} and deleted_at is null)`;
  return sql`c.business_id = ${businessId} and c.channel_id = ${channelId} and (${ofVisitor} ${ofPerson})`;
}

const MAX_CONVERSATIONS = 50;
/** What only concerns agents reads as open. */
const PUBLIC_STATUS = {
  open: 'open',
  pending: 'open',
  snoozed: 'open',
  resolved: 'resolved',
  closed: 'closed',
} as const;

/** The visitor's newest conversations, as `session` shows them. */
export async function listOwnConversations(sql: Sql, visitor: Visitor): Promise<Record<string, unknown>[]> {
  const rows = await sql<ConversationRow[]>`
    select c.* from conversations c where ${isOwn(sql, visitor)} and c.merged_into_id is null
    order by c.last_message_at desc limit ${MAX_CONVERSATIONS}`;
  return rows.map((row) => ({
    id: row.id,
    status: PUBLIC_STATUS[row.status],
    subject: row.subject,
    last_seq: row.last_public_seq,
    read_seq: row.customer_read_seq,
    last_message_at: row.last_message_at.toISOString(),
    created_at: row.created_at.toISOString(),
  }));
}

/** What a visitor may see of a conversation after a seq, oldest first; never what another customer wrote in a merged one. */
export async function listPublicMessages(
  sql: Sql,
  conversationId: string,
  { afterSeq, limit }: { afterSeq: number; limit: number },
): Promise<{ messages: MessageView[]; hasMore: boolean }> {
  const rows = await sql<MessageRow[]>`
    select * from messages m
    where conversation_id = ${conversationId} and seq > ${afterSeq} and direction <> 'internal'
      and (direction = 'outbound' or (
        select c.customer_id is null or c.customer_id in (m.customer_id, w.merged_into_id)
        from conversations c left join customers w on w.id = m.customer_id where c.id = ${conversationId}))
      and type not in ('note', 'activity') and deleted_at is null
      and status is distinct from 'canceled' and status is distinct from 'failed'
    order by seq limit ${limit + 1}`;
  return { messages: await viewMessages(sql, rows.slice(0, limit)), hasMore: rows.length > limit };
}

/** Whose conversations these are; those of other channels than web chat are nobody's here. */
export async function ownersOf(sql: Sql, conversationIds: readonly string[]): Promise<Map<string, Owner>> {
  const rows = await sql<
    {
      id: string;
      channel_id: string;
      thread_key: string | null;
      external_id: string | null;
      merged_thread_keys: string[];
      merged_external_ids: string[];
    }[]
  >`
    select c.id, c.channel_id, c.thread_key, p.external_id, array(
      select t.thread_key from threads t
      where t.conversation_id = c.id and t.channel_id = c.channel_id and t.customer_id = c.customer_id
        and t.thread_key <> c.thread_key) as merged_thread_keys, array(
      select m.external_id from customers m where m.merged_into_id = c.customer_id and m.external_id is not null)
        as merged_external_ids
    from conversations c
    left join customers p on p.id = c.customer_id and p.deleted_at is null
    where c.id = any(${[...conversationIds]}) and c.channel_type = 'webchat'`;
  return new Map(
    rows.map((row) => [
      row.id,
      {
        channelId: row.channel_id,
        threadKey: row.thread_key,
        externalId: row.external_id,
        mergedExternalIds: row.merged_external_ids,
        mergedThreadKeys: row.merged_thread_keys,
      },
    ]),
  );
}

/** Notes how far the visitor has read, and says which messages that makes read. */
export async function advanceVisitorRead(
  sql: Sql,
  conversation: ConversationRow,
  upToSeq: number,
): Promise<{ id: string }[]> {
  const seq = Math.min(upToSeq, conversation.last_message_seq);
  await sql`
    update conversations set customer_read_seq = ${seq} where id = ${conversation.id} and customer_read_seq < ${seq}`;
  const newest = await sql<{ id: string }[]>`
    select id from messages
    where conversation_id = ${conversation.id} and seq <= ${seq} and direction = 'outbound'
      and status in ('queued', 'sending', 'sent', 'delivered')
    order by seq desc limit 500`;
  return newest.toReversed();
}
