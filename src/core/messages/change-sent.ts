import { removeAttachments } from '../attachments/removed-files.ts';
import type { Attachments } from '../attachments.ts';
import type { Channels, LoadedChannel } from '../channels.ts';
import { lockConversation } from '../conversations.ts';
import type { Sql } from '../database/connect.ts';
import type { Transact } from '../database/transact.ts';
import type { Part } from '../envelope.ts';
import { AppError, invalidField } from '../errors.ts';
import { findMessage, recordUpdate } from '../messages.ts';
import { outboundMessage, type SendingMessage } from '../send/parts.ts';
import type { MessageRow } from '../views/message.ts';
import { refuseAsProvider } from './provider-refusal.ts';

interface ChangeDeps {
  pool: Sql;
  transact: Transact;
  channels: Pick<Channels, 'load' | 'markBroken'>;
  attachments: Pick<Attachments, 'outbound'>;
}

/** Whose message it is, and which. */
export interface Wish {
  businessId: string;
  id: string;
}

interface Words {
  content: string;
  html: string | null;
}

/** Changes the words of what was sent, or of a note: the customer sees the new ones. The same words again change nothing. */
export async function editSent(
  deps: ChangeDeps,
  { businessId, id, content, html }: Wish & { content: string | undefined; html: string | null | undefined },
): Promise<MessageRow> {
  const message = await findMessage(deps.pool, businessId, id);
  refuseUnchangeable(message);
  if (content === undefined)
    throw invalidField('content', 'is what can be changed of a message that was sent');
  refuseWords(message, content);
  const words = { content, html: html ?? null };
  const isSame = message.content === content && message.html === words.html;
  // What went out in pieces may show other words halfway, where an earlier change broke off.
  if (isSame && !(await wasSplit(deps.pool, message))) return message;
  if (message.direction !== 'internal') await editAtProvider(deps, message, words);
  return isSame ? message : deps.transact((tx) => storeWords(tx, message, words));
}

function refuseWords({ type }: MessageRow, content: string): void {
  if (type !== 'text' && type !== 'attachment' && type !== 'note')
    throw new AppError('conflict', `A ${type} cannot be changed.`);
  if (content.trim() === '' && type !== 'attachment') throw invalidField('content', 'is required');
}

async function wasSplit(sql: Sql, { id }: MessageRow): Promise<boolean> {
  const rows = await sql`
    select 1 from message_parts p join messages m on m.id = p.message_id and m.generation = p.generation
    where m.id = ${id} limit 2`;
  return rows.length > 1;
}

/** Takes back what was sent, or a note: the words go, the row stays for the order of the others. */
export async function removeSent(deps: ChangeDeps, { businessId, id }: Wish): Promise<MessageRow> {
  const message = await findMessage(deps.pool, businessId, id);
  if (message.deleted_at !== null) return message;
  refuseUnchangeable(message);
  if (message.direction !== 'internal') await removeAtProvider(deps, message);
  return deps.transact((tx) => storeRemoval(tx, message));
}

/** Where the customer has the message. */
export const WAS_SENT: ReadonlySet<string> = new Set(['sent', 'delivered', 'read']);

function refuseUnchangeable({ direction, type, status, deleted_at }: MessageRow): void {
  if (direction === 'inbound') throw new AppError('conflict', 'What a customer wrote is theirs.');
  if (type === 'activity') throw new AppError('conflict', 'What has happened cannot be changed.');
  if (deleted_at !== null) throw new AppError('conflict', 'The message was deleted.');
  if (direction === 'outbound' && !WAS_SENT.has(status ?? ''))
    throw new AppError('conflict', `A message that is ${status} cannot be changed.`);
}

interface SentParts {
  loaded: LoadedChannel;
  threadKey: string;
  generation: number;
  parts: { n: number; externalId: string | null; payload: Part['payload']; attachmentIds: string[] }[];
}

/** What the provider has of the message, on a channel that still works. */
async function sentParts({ pool, channels }: ChangeDeps, message: MessageRow): Promise<SentParts> {
  const loaded = await channels.load(message.channel_id);
  if (loaded === undefined || !loaded.row.is_active)
    throw new AppError('conflict', 'The channel is gone or off.');
  const rows = await pool<
    {
      n: number;
      external_id: string | null;
      payload: { payload: Part['payload']; attachmentIds: string[] };
    }[]
  >`
    select p.n, p.external_id, p.payload from message_parts p join messages m on m.id = p.message_id
    where m.id = ${message.id} and p.generation = m.generation order by p.n`;
  const [to] = await pool<[{ thread_key: string | null; generation: number }]>`
    select c.thread_key, m.generation from messages m join conversations c on c.id = m.conversation_id
    where m.id = ${message.id}`;
  const parts = rows.map(({ n, external_id, payload }) => ({ n, externalId: external_id, ...payload }));
  return { loaded, threadKey: to.thread_key ?? '', generation: to.generation, parts };
}

const CALL_TIMEOUT_MS = 30_000;

/** The provider first: what it refuses is nothing that the customer sees. Each piece is noted as it changes, so that another try goes on. */
async function editAtProvider(deps: ChangeDeps, message: MessageRow, words: Words): Promise<void> {
  const sent = await sentParts(deps, message);
  const { adapter, channel } = sent.loaded;
  if (adapter.send === undefined) return;
  if (adapter.edit === undefined) throw new AppError('conflict', 'This channel cannot change what was sent.');
  const parts = await partsWith(deps, { message, sent, words });
  let changed = 0;
  for (const part of parts) {
    const before = sent.parts.find(({ n }) => n === part.n);
    if (JSON.stringify(before?.payload) === JSON.stringify(part.payload)) continue;
    if (typeof before?.externalId !== 'string')
      throw new AppError('conflict', 'The provider never named this message.');
    await adapter
      .edit({ part, externalId: before.externalId }, channel, AbortSignal.timeout(CALL_TIMEOUT_MS))
      .catch((error: unknown) => refuseAsProvider(deps.channels, sent.loaded, error))
      .catch((refusal: unknown) => refuseHalfway(refusal, { changed, of: parts.length }));
    await deps.transact((tx) => storePart(tx, message, part));
    changed += 1;
  }
}

/** Says what the customer sees by now, where that is neither the old words nor the new ones. */
function refuseHalfway(refusal: unknown, { changed, of }: { changed: number; of: number }): never {
  if (changed === 0 || !(refusal instanceof AppError)) throw refusal;
  const { code, message, retryAfterSeconds } = refusal;
  const shown = `${changed} of its ${of} pieces changed already; the same request goes on from there.`;
  throw new AppError(code, `${message} ${shown}`, {
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    cause: refusal,
  });
}

async function storePart(tx: Sql, message: MessageRow, { n, payload, attachments }: Part): Promise<void> {
  const stored = { payload, attachmentIds: attachments.map(({ id }) => id) };
  // Locked: whoever takes the message away meanwhile finds what is written here.
  await tx`
    with kept as (select id, generation from messages where id = ${message.id} and deleted_at is null for update)
    update message_parts p set payload = ${tx.json(stored as never)} from kept
    where p.message_id = kept.id and p.generation = kept.generation and p.n = ${n}`;
}

interface Rewording {
  message: MessageRow;
  sent: SentParts;
  words: Words;
}

/** The message split with its new words; it has to become as many pieces as it was. */
async function partsWith(
  { pool, attachments }: ChangeDeps,
  { message, sent, words }: Rewording,
): Promise<Part[]> {
  const { loaded, threadKey } = sent;
  const files = message.type === 'text' ? [] : await attachments.outbound(pool, message.id);
  const reworded = { ...message, ...words, thread_key: threadKey } as SendingMessage;
  const parts = loaded.adapter.split(await outboundMessage(pool, reworded, files), loaded.channel);
  const isSame = parts.every((part) => {
    const ids = part.attachments.map(({ id }) => id);
    return sent.parts.find(({ n }) => n === part.n)?.attachmentIds.join() === ids.join();
  });
  if (isSame && parts.length === sent.parts.length) return parts;
  throw invalidField('content', 'becomes another number of messages than were sent');
}

async function storeWords(tx: Sql, message: MessageRow, words: Words): Promise<MessageRow> {
  await lockConversation(tx, message.business_id, message.conversation_id);
  const [edited] = await tx<MessageRow[]>`
    update messages set content = ${words.content}, html = ${words.html}, edited_at = now()
    where id = ${message.id} and deleted_at is null returning *`;
  if (edited === undefined) throw new AppError('conflict', 'The message was deleted.');
  await recordUpdate(tx, edited, { facts: { changed: ['content'] } });
  return edited;
}

async function removeAtProvider(deps: ChangeDeps, message: MessageRow): Promise<void> {
  const { loaded, threadKey } = await sentParts(deps, message);
  const { adapter, channel } = loaded;
  if (adapter.send === undefined) return;
  if (adapter.remove === undefined)
    throw new AppError('conflict', 'This channel cannot take back what was sent.');
  const known = await deps.pool<{ external_id: string }[]>`
    select external_id from provider_ids
    where channel_id = ${message.channel_id} and message_id = ${message.id} order by part, external_id`;
  const externalIds = known.map(({ external_id }) => external_id);
  if (externalIds.length === 0) throw new AppError('conflict', 'The provider never named this message.');
  await adapter
    .remove({ threadKey, externalIds }, channel, AbortSignal.timeout(CALL_TIMEOUT_MS))
    .catch((error: unknown) => refuseAsProvider(deps.channels, loaded, error));
}

async function storeRemoval(tx: Sql, message: MessageRow): Promise<MessageRow> {
  await lockConversation(tx, message.business_id, message.conversation_id);
  const [removed] = await tx<MessageRow[]>`
    update messages set content = '', html = null, text_full = null, card = null, deleted_at = now()
    where id = ${message.id} and deleted_at is null returning *`;
  if (removed === undefined) return findMessage(tx, message.business_id, message.id);
  await tx`update message_parts set payload = '{"payload":{},"attachmentIds":[]}' where message_id = ${message.id}`;
  await removeAttachments(tx, [message.id]);
  await recordUpdate(tx, removed, { type: 'message.deleted' });
  return removed;
}
