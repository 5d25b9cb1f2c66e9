import type { Attachments } from '../attachments.ts';
import { findConversation } from '../conversations.ts';
import type { Sql } from '../database/connect.ts';
import { snapshot } from '../events/snapshot.ts';
import { viewMessages } from '../messages.ts';
import type { MessageRow, MessageView } from '../views/message.ts';
import type { AiHookRow, AiMode } from './hook.ts';

/** What the hook is told, and how far the conversation had come then. */
export interface Question {
  body: string;
  lastSeq: number;
}

interface Asking {
  id: string;
  hook: AiHookRow;
  conversationId: string;
  mode: AiMode;
  attachments: Pick<Attachments, 'mintUrls'>;
}

const HISTORY_MESSAGES = 20;
const HISTORY_CHARACTERS = 32_000;

/** Tells the hook what was said: public messages only, the newest of them, the oldest first. */
export async function writeQuestion(sql: Sql, asking: Asking): Promise<Question> {
  const { hook, conversationId, mode, id } = asking;
  // Read first: whatever comes between this and the messages makes the answer late, not wrong.
  const { last_public_seq: lastSeq } = await findConversation(sql, hook.business_id, conversationId);
  const { conversation, customer } = await snapshot(sql, { conversationId });
  const messages = await history(sql, conversationId, asking.attachments);
  const body = {
    id,
    type: 'ai.reply_requested',
    timestamp: new Date().toISOString(),
    version: 1,
    business_id: hook.business_id,
    mode,
    threshold: hook.threshold,
    data: { conversation, customer: customer ?? null, messages },
  };
  return { body: JSON.stringify(body), lastSeq };
}

async function history(sql: Sql, conversationId: string, attachments: Asking['attachments']) {
  const rows = await sql<MessageRow[]>`
    select * from messages
    where conversation_id = ${conversationId} and seq is not null and direction <> 'internal' and deleted_at is null
      and status is distinct from 'canceled'
    order by seq desc limit ${HISTORY_MESSAGES}`;
  const views = await viewMessages(sql, rows);
  return withinBounds(views)
    .map((view) => brief(attachments.mintUrls(view)))
    .reverse();
}

/** As much of the newest as fits; a single long message is cut. */
function withinBounds(newestFirst: MessageView[]): MessageView[] {
  let room = HISTORY_CHARACTERS;
  const kept: MessageView[] = [];
  for (const message of newestFirst) {
    if (room <= 0) break;
    kept.push({ ...message, content: message.content.slice(0, room).toWellFormed() });
    room -= message.content.length;
  }
  return kept;
}

function brief({
  id,
  seq,
  sender_type,
  sender,
  type,
  content,
  attachments,
  choice,
  created_at,
}: MessageView) {
  return { id, seq, sender_type, sender, type, content, attachments, choice, created_at };
}
