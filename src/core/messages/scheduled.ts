import { lockConversation } from '../conversations.ts';
import type { Sql } from '../database/connect.ts';
import type { Transact } from '../database/transact.ts';
import { laneKey } from '../lanes/lane-key.ts';
import { recordUpdate } from '../messages.ts';
import type { ConversationRow } from '../views/conversation.ts';
import type { MessageRow } from '../views/message.ts';
import type { Author } from './author.ts';
import { cancelScheduled, wasAnswered } from './cancel-on-reply.ts';
import { countMessage } from './count-message.ts';
import { recordStatus } from './receipts.ts';
import { isWindowClosed, WINDOW_CLOSED } from './reply-window.ts';

const CONVERSATIONS_PER_TURN = 100;

/** Queues the messages whose time has come, each exactly once however many processes do this. Resolves with how many. */
export async function releaseScheduled(transact: Transact): Promise<number> {
  let released = 0;
  for (;;) {
    const due = await transact(findDue);
    for (const { business_id, conversation_id } of due) {
      released += await transact((tx) => releaseIn(tx, business_id, conversation_id));
    }
    if (due.length < CONVERSATIONS_PER_TURN) return released;
  }
}

function findDue(tx: Sql) {
  return tx<{ business_id: string; conversation_id: string }[]>`
    select distinct business_id, conversation_id from (
      select business_id, conversation_id from messages
      where status = 'scheduled' and send_at <= now() order by send_at limit ${CONVERSATIONS_PER_TURN}) due`;
}

/** The conversation's lock decides who releases: a second process finds nothing left. */
async function releaseIn(tx: Sql, businessId: string, conversationId: string): Promise<number> {
  let conversation = await lockConversation(tx, businessId, conversationId);
  const due = await tx<(MessageRow & { cancel_on_reply: boolean })[]>`
    select * from messages
    where conversation_id = ${conversationId} and status = 'scheduled' and send_at <= now() order by send_at, id`;
  for (const message of due) {
    if (message.cancel_on_reply && (await isAnswered(tx, message))) await cancelScheduled(tx, message.id);
    else if (isTooLate(conversation, message)) conversation = await fail(tx, conversation, message);
    else conversation = await release(tx, conversation, message);
  }
  return due.length;
}

async function isAnswered(tx: Sql, { id }: MessageRow): Promise<boolean> {
  const rows = await tx`select id from messages m where id = ${id} and ${wasAnswered(tx)}`;
  return rows.length > 0;
}

/** The window may have closed since it was scheduled. */
function isTooLate(conversation: ConversationRow, { type }: MessageRow): boolean {
  return type !== 'template' && isWindowClosed(conversation, new Date());
}

async function fail(tx: Sql, conversation: ConversationRow, { id }: MessageRow): Promise<ConversationRow> {
  const seq = conversation.last_message_seq + 1;
  const error = { code: 'window_closed', provider_code: null, message: WINDOW_CLOSED, retryable: false };
  const [message] = await tx<[MessageRow & { status: 'failed' }]>`
    update messages set status = 'failed', seq = ${seq}, error = ${tx.json(error)} where id = ${id} returning *`;
  // Nobody was answered by it.
  const after = await countMessage(tx, conversation, { message, by: { type: 'system' } });
  await recordStatus(tx, message);
  return after;
}

async function release(tx: Sql, conversation: ConversationRow, { id }: MessageRow): Promise<ConversationRow> {
  const seq = conversation.last_message_seq + 1;
  const [message] = await tx<[MessageRow]>`
    update messages set status = 'queued', seq = ${seq}, next_attempt_at = now() where id = ${id} returning *`;
  const by = { type: message.sender_type as Author['type'] };
  const after = await countMessage(tx, conversation, { message, by });
  await recordUpdate(tx, message, { facts: { released: true }, wakes: [laneKey('send', conversation.id)] });
  return after;
}
