import { mergeAttributes } from '../custom-attributes.ts';
import type { Sql } from '../database/connect.ts';
import { AppError, invalidField } from '../errors.ts';
import { isUuid } from '../id.ts';
import type { Author } from '../messages/author.ts';
import type { ConversationRow, ConversationStatus } from '../views/conversation.ts';
import { type Change, changeConversation, sentence } from './change-conversation.ts';
import { changeStatus, snooze } from './lifecycle.ts';

const MOST_TAGS = 200;

/** Adds and removes tags; those that are there, or not there, already change nothing. */
export async function changeTags(
  tx: Sql,
  conversation: ConversationRow,
  { add = [], remove = [], by }: { add?: string[]; remove?: string[]; by: Author },
): Promise<ConversationRow> {
  const added = [...new Set(add)].filter((tag) => !conversation.tags.includes(tag));
  const removed = conversation.tags.filter((tag) => remove.includes(tag));
  if (added.length === 0 && removed.length === 0) return conversation;
  const tags = [...conversation.tags.filter((tag) => !removed.includes(tag)), ...added];
  if (added.length > 0 && tags.length > MOST_TAGS)
    throw invalidField('tags', `are over ${MOST_TAGS} on this conversation`);
  return changeConversation(tx, conversation, {
    by,
    set: { tags },
    activity: {
      content: sentence(tagsSentence(added, removed), by),
      metadata: { activity: 'tags_changed', added, removed },
    },
    events: ['conversation.tags_changed'],
    facts: { added_tags: added, removed_tags: removed },
  });
}

function tagsSentence(added: string[], removed: string[]): string {
  const parts = [
    added.length === 0 ? [] : [`Tagged ${added.join(', ')}`],
    removed.length === 0 ? [] : [`Untagged ${removed.join(', ')}`],
  ];
  return parts.flat().join('; ');
}

/** Notes how far agents have read; a position behind the one that is known changes nothing. */
export async function markRead(
  tx: Sql,
  conversation: ConversationRow,
  { upToSeq, by }: { upToSeq: number | undefined; by: Author },
): Promise<ConversationRow> {
  const seq = Math.min(upToSeq ?? conversation.last_message_seq, conversation.last_message_seq);
  return seq <= conversation.agent_read_seq ? conversation : setRead(tx, conversation, { seq, by });
}

/** Makes unread again what customers wrote from a message on; without one, the last that they wrote. */
export async function markUnread(
  tx: Sql,
  conversation: ConversationRow,
  { fromSeq, by }: { fromSeq: number | undefined; by: Author },
): Promise<ConversationRow> {
  const from = fromSeq ?? (await lastInboundSeq(tx, conversation));
  const seq = Math.max(0, from - 1);
  return seq >= conversation.agent_read_seq ? conversation : setRead(tx, conversation, { seq, by });
}

async function lastInboundSeq(tx: Sql, { id, last_message_seq }: ConversationRow): Promise<number> {
  const [row] = await tx<{ seq: number }[]>`
    select seq from messages where conversation_id = ${id} and direction = 'inbound' order by seq desc limit 1`;
  return row?.seq ?? last_message_seq + 1;
}

async function setRead(
  tx: Sql,
  conversation: ConversationRow,
  { seq, by }: { seq: number; by: Author },
): Promise<ConversationRow> {
  const [row] = await tx<[{ unread: number }]>`
    select count(*)::int as unread from messages
    where conversation_id = ${conversation.id} and seq > ${seq} and direction = 'inbound'`;
  if (row.unread === conversation.unread_count) {
    await tx`update conversations set agent_read_seq = ${seq} where id = ${conversation.id}`;
    return { ...conversation, agent_read_seq: seq };
  }
  return changeConversation(tx, conversation, {
    by,
    set: { agent_read_seq: seq, unread_count: row.unread },
    events: ['conversation.updated'],
    facts: { changed: ['unread_count'] },
  });
}

export interface ConversationPatch {
  status?: ConversationStatus | undefined;
  snoozedUntil?: Date | undefined;
  priority?: ConversationRow['priority'] | undefined;
  subject?: string | null | undefined;
  /** Merged into what is there; null takes an attribute away. */
  customAttributes?: Record<string, unknown> | undefined;
  customerId?: string | undefined;
}

/** Changes fields of the conversation; a status does all that its own route does. */
export async function patchConversation(
  tx: Sql,
  conversation: ConversationRow,
  { patch, by }: { patch: ConversationPatch; by: Author },
): Promise<ConversationRow> {
  const set = await changedFields(tx, conversation, patch);
  const changed = Object.keys(set);
  const patched =
    changed.length === 0 ? conversation : await changeConversation(tx, conversation, fieldChange(set, by));
  if (set.customer_id !== undefined) await claimMessages(tx, patched);
  return patchStatus(tx, patched, { patch, by });
}

function fieldChange(set: Partial<ConversationRow>, by: Author): Change {
  const changed = Object.keys(set);
  const content = sentence(`Changed ${changed.join(', ').replaceAll('_', ' ')}`, by);
  return {
    by,
    set,
    activity: { content, metadata: { activity: 'updated', changed } },
    events: ['conversation.updated'],
    facts: { changed },
  };
}

async function changedFields(
  tx: Sql,
  before: ConversationRow,
  patch: ConversationPatch,
): Promise<Partial<ConversationRow>> {
  const { priority = before.priority, subject = before.subject, customerId } = patch;
  const custom_attributes = mergeAttributes(before.custom_attributes, patch.customAttributes ?? {});
  const isSame = JSON.stringify(custom_attributes) === JSON.stringify(before.custom_attributes);
  return {
    ...(priority === before.priority ? {} : { priority }),
    ...(subject === before.subject ? {} : { subject }),
    ...(isSame ? {} : { custom_attributes }),
    ...(customerId === undefined ? {} : await linkedCustomer(tx, before, customerId)),
  };
}

async function linkedCustomer(tx: Sql, { business_id, customer_id }: ConversationRow, id: string) {
  if (customer_id === id) return {};
  if (customer_id !== null) throw new AppError('conflict', 'The conversation has a customer already.');
  return { customer_id: await customerToLink(tx, business_id, id) };
}

async function customerToLink(tx: Sql, businessId: string, id: string): Promise<string> {
  const [row] = isUuid(id)
    ? await tx<{ id: string }[]>`
        select coalesce(merged_into_id, id) as id from customers
        where id = ${id} and business_id = ${businessId} and deleted_at is null for share`
    : [];
  if (row === undefined) throw invalidField('customer_id', 'is not a customer of your business');
  return row.id;
}

/** What we wrote so far concerns the customer too. */
async function claimMessages(tx: Sql, { id, customer_id }: ConversationRow): Promise<void> {
  await tx`update messages set customer_id = ${customer_id} where conversation_id = ${id} and customer_id is null`;
}

async function patchStatus(
  tx: Sql,
  conversation: ConversationRow,
  { patch, by }: { patch: ConversationPatch; by: Author },
): Promise<ConversationRow> {
  const { status, snoozedUntil } = patch;
  if (status === 'snoozed') {
    if (snoozedUntil === undefined) throw invalidField('snoozed_until', 'is needed with status snoozed');
    return snooze(tx, conversation, { until: snoozedUntil, by });
  }
  if (snoozedUntil !== undefined) throw invalidField('snoozed_until', 'goes with status snoozed only');
  return status === undefined ? conversation : changeStatus(tx, conversation, { to: status, by });
}
