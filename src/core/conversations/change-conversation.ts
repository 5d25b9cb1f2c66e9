import type { Sql } from '../database/connect.ts';
import { snapshot } from '../events/snapshot.ts';
import { type EventType, record } from '../events.ts';
import { newId } from '../id.ts';
import type { Author } from '../messages/author.ts';
import type { ConversationRow } from '../views/conversation.ts';

/** What happens to a conversation: its columns, the line of its timeline and the events that tell of it. */
export interface Change {
  by: Author;
  set: Partial<ConversationRow>;
  /** Absent where the timeline need not know (a read position). */
  activity?: { content: string; metadata: Record<string, unknown> };
  events: EventType[];
  /** Further facts of the events: what was before, who did it. */
  facts?: Record<string, unknown>;
  /** What led to it, where that was no agent. */
  causedBy?: Record<string, unknown>;
}

/** Applies a change to a conversation that this transaction has locked. */
export async function changeConversation(
  tx: Sql,
  before: ConversationRow,
  change: Change,
): Promise<ConversationRow> {
  const seq = before.last_message_seq + (change.activity === undefined ? 0 : 1);
  const set = { ...change.set, last_message_seq: seq };
  const [after] = await tx<[ConversationRow]>`
    update conversations set ${tx(set as unknown as Record<string, never>)}, updated_at = clock_timestamp()
    where id = ${before.id} returning *`;
  if (change.activity !== undefined) await insertActivity(tx, after, { ...change.activity, by: change.by });
  await recordChange(tx, after, change);
  return after;
}

async function insertActivity(
  tx: Sql,
  conversation: ConversationRow,
  { content, metadata, by }: { content: string; metadata: Record<string, unknown>; by: Author },
): Promise<void> {
  const cause = by.causedBy === undefined ? {} : { caused_by: by.causedBy };
  await tx`
    insert into messages (id, business_id, conversation_id, channel_id, seq, direction, sender_type, sender_id,
      sender_name, type, content, metadata)
    values (${newId()}, ${conversation.business_id}, ${conversation.id}, ${conversation.channel_id},
      ${conversation.last_message_seq}, 'internal', ${by.type}, ${by.id}, ${by.name}, 'activity', ${content},
      ${tx.json({ ...metadata, ...cause } as never)})`;
}

async function recordChange(
  tx: Sql,
  conversation: ConversationRow,
  { events, facts, by, causedBy = by.causedBy }: Change,
): Promise<void> {
  const data = await snapshot(tx, { conversationId: conversation.id });
  const actor = { type: by.type, id: by.id, name: by.name };
  await record(
    tx,
    events.map((type) => ({
      type,
      businessId: conversation.business_id,
      conversationId: conversation.id,
      customerId: conversation.customer_id,
      data: { ...data, ...facts, actor },
      ...(causedBy === undefined ? {} : { causedBy }),
    })),
  );
}

/** "… by Ada" where the author has a name. */
export function sentence(what: string, by: Author): string {
  return by.name === null ? what : `${what} by ${by.name}`;
}
