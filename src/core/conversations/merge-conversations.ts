import { findConversation } from '../conversations.ts';
import type { Sql } from '../database/connect.ts';
import { AppError, invalidField } from '../errors.ts';
import { isUuid } from '../id.ts';
import type { Author } from '../messages/author.ts';
import type { ConversationRow } from '../views/conversation.ts';
import { changeConversation, sentence } from './change-conversation.ts';

interface Merge {
  businessId: string;
  id: string;
  into: string;
  by: Author;
}

/**
 * Makes a conversation part of another. Nothing moves: its messages stay, and what its customer writes from now on goes
 * to the other one.
 */
export async function mergeConversation(
  tx: Sql,
  { businessId, id, into, by }: Merge,
): Promise<ConversationRow> {
  const { id: sourceId } = await findConversation(tx, businessId, id);
  if (sourceId === into) throw invalidField('into', 'is the conversation itself');
  await refuseForeign(tx, businessId, into);
  const { source, target } = await lockPair(tx, sourceId, into);
  if (source.merged_into_id === target.id) return source;
  refuseMerged(source, target);
  await pointThreads(tx, source, target);
  await changeConversation(tx, target, {
    by,
    set: {},
    activity: {
      content: sentence('Another conversation was merged into this one', by),
      metadata: { activity: 'merged', from: source.id },
    },
    events: ['conversation.updated'],
    facts: { changed: ['merged_from'], merged_from: source.id },
  });
  return changeConversation(tx, source, {
    by,
    set: { merged_into_id: target.id },
    activity: {
      content: sentence('Merged into another conversation', by),
      metadata: { activity: 'merged', into: target.id },
    },
    events: ['conversation.merged'],
    facts: { into: target.id },
  });
}

async function refuseForeign(tx: Sql, businessId: string, into: string): Promise<void> {
  const rows = isUuid(into)
    ? await tx`select id from conversations where id = ${into} and business_id = ${businessId}`
    : [];
  if (rows.length === 0) throw invalidField('into', 'is not a conversation of your business');
}

interface Pair {
  source: ConversationRow;
  target: ConversationRow;
}

/** Threads before conversations, each in the order of their keys, as every writer does. */
async function lockPair(tx: Sql, sourceId: string, targetId: string): Promise<Pair> {
  await tx`
    select thread_key from threads where conversation_id in (${sourceId}, ${targetId})
    order by channel_id, thread_key for update`;
  const rows = await tx<ConversationRow[]>`
    select * from conversations where id in (${sourceId}, ${targetId}) order by id for update`;
  const source = rows.find((row) => row.id === sourceId);
  const target = rows.find((row) => row.id === targetId);
  if (source === undefined || target === undefined) throw new Error('a conversation is never deleted');
  return { source, target };
}

/** Only what stands on its own is merged, and only into what does: so no circle can come about. */
function refuseMerged(source: ConversationRow, target: ConversationRow): void {
  if (source.merged_into_id !== null) {
    throw new AppError('conflict', 'The conversation is merged into another one already; undo that first.', {
      extra: { merged_into_id: source.merged_into_id },
    });
  }
  if (target.merged_into_id === null) return;
  const message =
    target.merged_into_id === source.id
      ? 'The other conversation is merged into this one already; undo that first.'
      : 'The other conversation is itself merged into another one; merge into that.';
  throw new AppError('conflict', message, { extra: { merged_into_id: target.merged_into_id } });
}

/** A thread that came from an earlier merge into the source goes on, and remembers both. */
async function pointThreads(tx: Sql, source: ConversationRow, target: ConversationRow): Promise<void> {
  await tx`
    update threads t set conversation_id = ${target.id}, updated_at = now(), merged_from =
      case when exists (select 1 from conversations c
        where c.id = t.merged_from[array_upper(t.merged_from, 1)] and c.merged_into_id = ${source.id})
      then t.merged_from else '{}' end || ${source.id}::uuid
    where conversation_id = ${source.id}`;
}

type Undo = Omit<Merge, 'into'>;

/** Makes a merged conversation stand on its own again; its thread leads to it, unless the thread has moved on since. */
export async function unmergeConversation(tx: Sql, { businessId, id, by }: Undo): Promise<ConversationRow> {
  const before = await findConversation(tx, businessId, id);
  if (before.merged_into_id === null) return before;
  const { source, target } = await lockMergedPair(tx, before.id, before.merged_into_id);
  if (source.merged_into_id !== target.id) return source;
  await pointThreadsBack(tx, source);
  await changeConversation(tx, target, {
    by,
    set: {},
    activity: {
      content: sentence('A merged conversation was taken out again', by),
      metadata: { activity: 'unmerged', from: source.id },
    },
    events: ['conversation.updated'],
    facts: { changed: ['merged_from'], unmerged: source.id },
  });
  return changeConversation(tx, source, {
    by,
    set: { merged_into_id: null },
    activity: {
      content: sentence('The merge was undone', by),
      metadata: { activity: 'unmerged', into: target.id },
    },
    events: ['conversation.updated'],
    facts: { changed: ['merged_into_id'], unmerged_from: target.id },
  });
}

/** The threads that the merge took away stand with the conversation that all of it was merged into in the end. */
async function lockMergedPair(tx: Sql, sourceId: string, targetId: string): Promise<Pair> {
  await tx`
    select thread_key from threads where conversation_id = ${await rootOf(tx, targetId)}
    order by channel_id, thread_key for update`;
  return lockPair(tx, sourceId, targetId);
}

async function pointThreadsBack(tx: Sql, source: ConversationRow): Promise<void> {
  await tx`
    update threads set conversation_id = ${source.id}, updated_at = now(),
      merged_from = nullif(merged_from[1:array_position(merged_from, ${source.id}::uuid) - 1], '{}')
    where conversation_id = ${await rootOf(tx, source.id)} and ${source.id}::uuid = any(merged_from)`;
}

/** The conversation that this one was merged into in the end, or itself. */
async function rootOf(tx: Sql, id: string): Promise<string> {
  const [root] = await tx<[{ id: string }]>`
    with recursive chain as (
      select id, merged_into_id from conversations where id = ${id}
      union all
      select c.id, c.merged_into_id from conversations c join chain on c.id = chain.merged_into_id)
    select id from chain where merged_into_id is null`;
  return root.id;
}

/** The conversations that were merged into this one. */
export async function mergedFrom(sql: Sql, { id }: ConversationRow): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from conversations where merged_into_id = ${id} order by id`;
  return rows.map((row) => row.id);
}
