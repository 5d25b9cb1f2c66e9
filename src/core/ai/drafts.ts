import { lockConversation } from '../conversations.ts';
import type { Sql } from '../database/connect.ts';
import { AppError } from '../errors.ts';
import { snapshot } from '../events/snapshot.ts';
import { type EventType, record } from '../events.ts';
import { isUuid } from '../id.ts';
import type { Author } from '../messages/author.ts';
import { queueMessage, type Writing } from '../messages/queue-message.ts';
import { findMessage, viewOneMessage } from '../messages.ts';
import type { ConversationRow } from '../views/conversation.ts';
import type { DraftView } from '../views/draft.ts';
import type { MessageView } from '../views/message.ts';

interface DraftRow {
  id: string;
  business_id: string;
  conversation_id: string;
  message_id: string | null;
  state: DraftView['state'];
  last_seq: number;
  reply: string;
  confidence: number;
  sent_message_id: string | null;
  created_at: Date;
}

/** What the AI suggests in a conversation and nobody has decided on, the newest first. */
export async function listDrafts(sql: Sql, conversation: ConversationRow): Promise<DraftView[]> {
  const rows = await sql<DraftRow[]>`
    select * from ai_turns where conversation_id = ${conversation.id} and state = 'drafted' order by id desc`;
  return rows.map((row) => viewDraft(row, conversation));
}

/** Everything that the AI suggested in a conversation, whatever became of it, the oldest first. */
export async function allDrafts(sql: Sql, conversation: ConversationRow): Promise<DraftView[]> {
  const rows = await sql<DraftRow[]>`
    select * from ai_turns
    where conversation_id = ${conversation.id} and state in ('drafted', 'accepted', 'discarded', 'superseded')
      and reply is not null order by id`;
  return rows.map((row) => viewDraft(row, conversation));
}

/** Tells agents of a suggestion that was just stored; it takes the place of those before it. */
export async function announceDraft(tx: Sql, conversation: ConversationRow, id: string): Promise<void> {
  await tx`
    update ai_turns set state = 'superseded'
    where conversation_id = ${conversation.id} and state = 'drafted' and id <> ${id}`;
  const [row] = await tx<[DraftRow]>`select * from ai_turns where id = ${id}`;
  await recordDraft(tx, 'draft.created', row);
}

/** Sends a suggestion, as it is or as the agent would rather say it. One that was accepted already is not sent again. */
export async function acceptDraft(
  tx: Sql,
  draft: { businessId: string; id: string },
  {
    content,
    ifLastSeq,
    ...writing
  }: Writing & { content?: string | undefined; ifLastSeq?: number | undefined },
): Promise<MessageView> {
  const { row, conversation } = await lockDraft(tx, draft);
  if (row.sent_message_id !== null)
    return viewOneMessage(tx, await findMessage(tx, draft.businessId, row.sent_message_id));
  if (row.state === 'discarded') throw new AppError('conflict', 'The draft was discarded.');
  const message = await queueMessage(tx, conversation, {
    ...writing,
    draft: {
      content: content ?? row.reply,
      ifLastSeq,
      metadata: { ai: { draft_id: row.id, confidence: row.confidence } },
    },
  });
  await decide(tx, row, { state: 'accepted', by: writing.by, sent_message_id: message.id });
  return message;
}

/** Takes a suggestion away. One that was sent stays sent. */
export async function discardDraft(
  tx: Sql,
  draft: { businessId: string; id: string },
  by: Author,
): Promise<void> {
  const { row } = await lockDraft(tx, draft);
  if (row.state === 'accepted') throw new AppError('conflict', 'The draft was accepted.');
  if (row.state !== 'discarded') await decide(tx, row, { state: 'discarded', by, sent_message_id: null });
}

/** The conversation first, as every writer locks; the draft's row is only written under that lock. */
async function lockDraft(tx: Sql, { businessId, id }: { businessId: string; id: string }) {
  const find = async () => {
    const [row] = isUuid(id)
      ? await tx<DraftRow[]>`
          select * from ai_turns
          where id = ${id} and business_id = ${businessId}
            and state in ('drafted', 'accepted', 'discarded', 'superseded') and reply is not null`
      : [];
    if (row === undefined) throw new AppError('not_found', 'There is no such draft.');
    return row;
  };
  const { conversation_id } = await find();
  const conversation = await lockConversation(tx, businessId, conversation_id);
  return { conversation, row: await find() };
}

interface Decision {
  state: 'accepted' | 'discarded';
  by: Author;
  sent_message_id: string | null;
}

async function decide(tx: Sql, { id }: DraftRow, { state, by, sent_message_id }: Decision): Promise<void> {
  const [row] = await tx<[DraftRow]>`
    update ai_turns set ${tx({ state, sent_message_id, decided_by: by.id })} where id = ${id} returning *`;
  await recordDraft(tx, 'draft.updated', row);
}

async function recordDraft(tx: Sql, type: EventType & `draft.${string}`, row: DraftRow): Promise<void> {
  const data = await snapshot(tx, { conversationId: row.conversation_id });
  const conversation = await lockConversation(tx, row.business_id, row.conversation_id);
  await record(tx, [
    {
      type,
      businessId: row.business_id,
      conversationId: row.conversation_id,
      customerId: conversation.customer_id,
      data: { ...data, draft: viewDraft(row, conversation) },
    },
  ]);
}

function viewDraft(row: DraftRow, { last_public_seq }: ConversationRow): DraftView {
  return {
    id: row.id,
    conversation_id: row.conversation_id,
    answers_message_id: row.message_id,
    content: row.reply,
    confidence: row.confidence,
    state: row.state,
    is_outdated: last_public_seq > row.last_seq,
    created_at: row.created_at.toISOString(),
  };
}
