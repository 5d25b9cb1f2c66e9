import { lockConversation } from '../conversations.ts';
import type { Sql } from '../database/connect.ts';
import { AppError } from '../errors.ts';
import { laneKey } from '../lanes/lane-key.ts';
import { findMessage, recordUpdate } from '../messages.ts';
import type { ConversationRow } from '../views/conversation.ts';
import type { MessageRow } from '../views/message.ts';
import type { Author } from './author.ts';
import { countMessage } from './count-message.ts';
import { refuseOutsideWindow } from './reply-window.ts';

interface Locked {
  conversation: ConversationRow;
  message: MessageRow;
}

/** Sends a failed message again, as a new generation; one that waits for its next try is tried at once. */
export async function retryMessage(tx: Sql, businessId: string, id: string): Promise<MessageRow> {
  const { conversation, message } = await lockOutbound(tx, businessId, id);
  switch (message.status) {
    case 'failed':
    case 'canceled':
      return restart(tx, { conversation, message });
    case 'queued':
    case 'sending':
      return hasten(tx, message);
    default:
      throw new AppError('conflict', `A message that is ${message.status} cannot be retried.`);
  }
}

async function restart(tx: Sql, { conversation, message }: Locked): Promise<MessageRow> {
  if (message.type !== 'template') refuseOutsideWindow(conversation, new Date());
  const seq = message.seq ?? conversation.last_message_seq + 1;
  const [queued] = await tx<[MessageRow]>`
    update messages
    set status = 'queued', seq = ${seq}, generation = generation + 1, tries = 0, error = null, skipped_at = null,
      next_attempt_at = now(), send_at = null
    where id = ${message.id} returning *`;
  if (message.seq === null)
    await countMessage(tx, conversation, {
      message: queued,
      by: { type: message.sender_type as Author['type'] },
    });
  await forgetFailure(tx, message);
  const fetches = await fetchAgain(tx, message.id);
  await recordUpdate(tx, queued, { wakes: [laneKey('send', queued.conversation_id), ...fetches] });
  return queued;
}

/** Where the provider knows it by the same id again, what it said of the last try would outrank the new one. */
async function forgetFailure(tx: Sql, { id, channel_id }: MessageRow): Promise<void> {
  await tx`
    update provider_ids set best_status = null, error = null, status_at = null
    where channel_id = ${channel_id} and message_id = ${id} and best_status = 'failed'`;
}

/** Attachments that could not be had are asked for again. */
async function fetchAgain(tx: Sql, messageId: string): Promise<string[]> {
  const rows = await tx<{ id: string }[]>`
    update attachments
    set state = 'pending', tries = 0, version = version + 1, error = null, next_attempt_at = now()
    where message_id = ${messageId} and state = 'failed' and source is not null returning id`;
  return rows.map((row) => laneKey('fetch', row.id));
}

async function hasten(tx: Sql, message: MessageRow): Promise<MessageRow> {
  const [waiting] = await tx<MessageRow[]>`
    update messages set next_attempt_at = now()
    where id = ${message.id} and next_attempt_at > now() returning *`;
  if (waiting === undefined) return message;
  await recordUpdate(tx, waiting, { wakes: [laneKey('send', message.conversation_id)] });
  return waiting;
}

/** Lets later messages of the conversation pass one that waits for its next try. */
export async function skipMessage(tx: Sql, businessId: string, id: string): Promise<MessageRow> {
  const { message } = await lockOutbound(tx, businessId, id);
  if (message.status === 'scheduled') throw new AppError('conflict', 'A scheduled message holds up nothing.');
  const [skipped] = await tx<MessageRow[]>`
    update messages set skipped_at = now()
    where id = ${id} and skipped_at is null and status in ('queued', 'sending') returning *`;
  if (skipped === undefined) return message;
  await recordUpdate(tx, skipped, {
    facts: { skipped: true },
    wakes: [laneKey('send', message.conversation_id)],
  });
  return skipped;
}

/** Takes back a message that has not been sent; one that a provider may be taking just now cannot be. */
export async function cancelMessage(tx: Sql, businessId: string, id: string): Promise<MessageRow> {
  const { message } = await lockOutbound(tx, businessId, id);
  if (message.status === 'canceled') return message;
  const [canceled] = await tx<MessageRow[]>`
    update messages set status = 'canceled', next_attempt_at = null
    where id = ${id} and (status in ('scheduled', 'queued') or (status = 'sending' and next_attempt_at > now()))
    returning *`;
  if (canceled === undefined)
    throw new AppError('conflict', `A message that is ${message.status} cannot be canceled.`);
  await recordUpdate(tx, canceled, { wakes: [laneKey('send', message.conversation_id)] });
  return canceled;
}

/** The conversation first, then the message: the order of every writer. */
export async function lockOutbound(tx: Sql, businessId: string, id: string): Promise<Locked> {
  const { conversation_id, direction } = await findMessage(tx, businessId, id);
  if (direction !== 'outbound') throw new AppError('conflict', 'Only messages to the customer are sent.');
  const conversation = await lockConversation(tx, businessId, conversation_id);
  const [message] = await tx<[MessageRow]>`select * from messages where id = ${id} for update`;
  return { conversation, message };
}
