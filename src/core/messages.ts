import type { Sql } from './database/connect.ts';
import { AppError } from './errors.ts';
import { snapshot } from './events/snapshot.ts';
import { record } from './events.ts';
import { isUuid } from './id.ts';
import { type AttachmentRow, type MessageRow, type MessageView, viewMessage } from './views/message.ts';

export interface MessageQuery {
  afterSeq?: number | undefined;
  beforeSeq?: number | undefined;
  limit: number;
  /** How many to pass over first, for who counts pages. */
  offset?: number | undefined;
  /** Lines of the timeline too. */
  activity?: boolean | undefined;
}

interface MessagePage {
  messages: MessageView[];
  hasMore: boolean;
}

/** Messages by `seq`, always oldest first: those after a seq, or the last ones before one. */
export async function listMessages(
  sql: Sql,
  conversationId: string,
  query: MessageQuery,
): Promise<MessagePage> {
  const backwards = query.beforeSeq !== undefined && query.afterSeq === undefined;
  const rows = await sql<MessageRow[]>`
    select * from messages
    where conversation_id = ${conversationId} and seq > ${query.afterSeq ?? 0}
      ${query.beforeSeq === undefined ? sql`` : sql`and seq < ${query.beforeSeq}`}
      ${query.activity === true ? sql`` : sql`and type <> 'activity'`}
    order by seq ${backwards ? sql`desc` : sql`asc`} limit ${query.limit + 1} offset ${query.offset ?? 0}`;
  const shown = rows.slice(0, query.limit);
  if (backwards) shown.reverse();
  return { messages: await viewMessages(sql, shown), hasMore: rows.length > query.limit };
}

/** All messages of a conversation, or its newest, what is scheduled at the end. */
export async function conversationMessages(
  sql: Sql,
  conversationId: string,
  newest?: number,
): Promise<MessagePage> {
  const scheduled = await sql<MessageRow[]>`
    select * from messages where conversation_id = ${conversationId} and seq is null order by send_at, id`;
  const rows = await sql<MessageRow[]>`
    select * from messages
    where conversation_id = ${conversationId} and seq is not null and type <> 'activity'
    order by seq desc ${newest === undefined ? sql`` : sql`limit ${newest + 1}`}`;
  const all = [...rows.reverse(), ...scheduled];
  const shown = newest === undefined ? all : all.slice(Math.max(0, all.length - newest));
  return { messages: await viewMessages(sql, shown), hasMore: all.length > shown.length };
}

/** Messages as the API shows them, with their attachments and what they wait for. */
export async function viewMessages(sql: Sql, rows: readonly MessageRow[]): Promise<MessageView[]> {
  const [attachments, blockers, merged] = await Promise.all([
    attachmentsOf(sql, rows),
    blockersOf(sql, rows),
    mergedWriters(sql, rows),
  ]);
  return rows.map((row) => {
    const blocker = blockers.get(row.id);
    const customer_id = merged.get(row.customer_id ?? '') ?? row.customer_id;
    const shown = { ...row, customer_id, ...(blocker && { next_attempt_at: blocker.next_attempt_at }) };
    return viewMessage(shown, {
      attachments: attachments.get(row.id) ?? [],
      blockedBy: blocker?.blocker ?? null,
    });
  });
}

/** The attachments of messages, by the message's id, in their order. */
export async function attachmentsOf(
  sql: Sql,
  rows: readonly Pick<MessageRow, 'id'>[],
): Promise<Map<string, AttachmentRow[]>> {
  if (rows.length === 0) return new Map();
  const attachments = await sql<(AttachmentRow & { message_id: string })[]>`
    select id, message_id, name, content_type, size_bytes, width, height, error, state
    from attachments where message_id = any(${rows.map((row) => row.id)}) order by position`;
  return Map.groupBy(attachments, (attachment) => attachment.message_id);
}

/** Whom those who wrote became part of, where they were merged into somebody since. */
async function mergedWriters(sql: Sql, rows: readonly MessageRow[]): Promise<Map<string, string>> {
  const writers = rows.flatMap((row) => (row.direction === 'inbound' ? (row.customer_id ?? []) : []));
  if (writers.length === 0) return new Map();
  const merged = await sql<{ id: string; merged_into_id: string }[]>`
    select id, merged_into_id from customers
    where id = any(${[...new Set(writers)]}) and merged_into_id is not null`;
  return new Map(merged.map((row) => [row.id, row.merged_into_id]));
}

interface Blocked {
  id: string;
  blocker: string;
  /** When the blocker is tried next: before that nothing behind it goes. */
  next_attempt_at: Date | null;
}

async function blockersOf(sql: Sql, rows: readonly MessageRow[]): Promise<Map<string, Blocked>> {
  const waiting = rows.filter((row) => row.status === 'queued').map((row) => row.id);
  if (waiting.length === 0) return new Map();
  const blockers = await sql<Blocked[]>`
    select m.id, b.id as blocker, b.next_attempt_at
    from messages m
    cross join lateral (
      select e.id, e.next_attempt_at from messages e
      where e.conversation_id = m.conversation_id and e.seq < m.seq and e.status in ('queued', 'sending')
        and e.skipped_at is null
      order by e.seq limit 1) b
    where m.id = any(${waiting})`;
  return new Map(blockers.map((row) => [row.id, row]));
}

/** The business's message. Throws `not_found` for any other id. */
export async function findMessage(sql: Sql, businessId: string, id: string): Promise<MessageRow> {
  const [row] = isUuid(id)
    ? await sql<MessageRow[]>`select * from messages where id = ${id} and business_id = ${businessId}`
    : [];
  if (row === undefined) throw new AppError('not_found', 'There is no such message.');
  return row;
}

/** One message as the API shows it. */
export async function viewOneMessage(sql: Sql, row: MessageRow): Promise<MessageView> {
  const [view] = await viewMessages(sql, [row]);
  if (view === undefined) throw new Error('a row has a view');
  return view;
}

interface Update {
  type?: 'message.updated' | 'message.deleted';
  /** What the event says besides the message. */
  facts?: Record<string, unknown>;
  /** Lanes that have something to do because of it. */
  wakes?: string[];
}

/** Tells of a message that changed other than by being sent. */
export async function recordUpdate(
  tx: Sql,
  message: MessageRow,
  { type = 'message.updated', facts = {}, wakes = [] }: Update = {},
): Promise<void> {
  const data = await snapshot(tx, { conversationId: message.conversation_id, messageId: message.id });
  await record(tx, [
    {
      type,
      businessId: message.business_id,
      conversationId: message.conversation_id,
      customerId: data.customer?.id ?? null,
      messageId: message.id,
      data: { ...data, ...facts },
      wakes,
    },
  ]);
}
