import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadedChannel } from '../channels.ts';
import { OPTED_OUT } from '../customers/consent.ts';
import { isAway } from '../database/transact.ts';
import type { OutboundAttachment, SentPart } from '../envelope.ts';
import { SendRejected } from '../errors.ts';
import { type Lease, leaseHeld } from '../lanes.ts';
import { partSent } from '../messages/receipts.ts';
import { isWindowClosed, WINDOW_CLOSED } from '../messages/reply-window.ts';
import { type Attempt, beginAttempt, closeCutAttempts, finishAttempt } from './attempt.ts';
import { correspondenceOf } from './correspondence.ts';
import { failMessage, settleFailure, unknownOutcome } from './failure.ts';
import type { SendOptions } from './options.ts';
import { sentOverSockets } from './over-sockets.ts';
import { loadParts, type PartRow, partOf, type SendingMessage, storeParts } from './parts.ts';

/** `settled`: look at the next message. `waiting`: an attachment's bytes are not here yet. `lost`: the lane is another's. */
export type SendOutcome = 'settled' | 'waiting' | 'lost';

/** Takes a message as far as it goes now: all its parts, or up to the first that fails. */
export async function sendMessage(
  options: SendOptions,
  message: SendingMessage,
  lease: Lease,
): Promise<SendOutcome> {
  const loaded = await options.channels.load(message.channel_id);
  const refusal = refusalOf(loaded, message);
  if (refusal !== undefined || loaded === undefined) {
    await failMessage(
      options,
      { message, lease },
      refusal ?? { code: 'channel_deleted', message: 'The channel is gone.' },
    );
    return stillOurs(options, lease);
  }
  const states = await attachmentStates(options, message);
  if (states.includes('pending')) return 'waiting';
  if (states.some((state) => state !== 'ready')) {
    await failMessage(options, { message, lease }, attachmentRefusal(states));
    return stillOurs(options, lease);
  }
  const isSettled =
    loaded.adapter.send === undefined
      ? await sendOverSockets(options, message, lease)
      : await sendParts(options, { message, loaded, lease });
  return isSettled ? 'settled' : stillOurs(options, lease);
}

function attachmentRefusal(states: string[]): Refusal {
  return states.includes('too_large')
    ? { code: 'attachment_too_large', message: 'An attachment is larger than this channel takes.' }
    : { code: 'attachment_failed', message: 'An attachment could not be fetched.' };
}

/** A message that did not move may have been canceled, or the lane was lost: then there is nothing more to do here. */
async function stillOurs({ pool }: SendOptions, lease: Lease): Promise<SendOutcome> {
  const [row] = await pool<{ held: boolean }[]>`select ${leaseHeld(pool, lease)} as held`;
  return row?.held === true ? 'settled' : 'lost';
}

interface Refusal {
  code: string;
  message: string;
}

function refusalOf(loaded: LoadedChannel | undefined, message: SendingMessage): Refusal | undefined {
  if (loaded === undefined) return { code: 'channel_deleted', message: 'The channel is gone.' };
  if (!loaded.row.is_active) return { code: 'channel_inactive', message: 'The channel is switched off.' };
  // Every try would fail the same way until somebody mends the account.
  if (loaded.row.broken_at !== null) {
    return {
      code: 'channel_error',
      message: `The channel is refused: ${loaded.row.broken_reason ?? 'unknown'}`,
    };
  }
  if (message.thread_key === null && loaded.adapter.send !== undefined) {
    return { code: 'no_recipient', message: 'The conversation has no recipient.' };
  }
  if (message.opted_out) return { code: 'opted_out', message: OPTED_OUT };
  // It may have waited for its turn until the provider would refuse it.
  if (message.type !== 'template' && isWindowClosed(message, new Date())) {
    return { code: 'window_closed', message: WINDOW_CLOSED };
  }
  return undefined;
}

async function attachmentStates({ pool }: SendOptions, message: SendingMessage): Promise<string[]> {
  if (message.type === 'text') return [];
  const rows = await pool<
    { state: string }[]
  >`select state from attachments where message_id = ${message.id}`;
  return rows.map((row) => row.state);
}

/** Web chat needs no provider: every api process hears `message.sent` and emits it. */
async function sendOverSockets(
  { transact }: SendOptions,
  message: SendingMessage,
  lease: Lease,
): Promise<boolean> {
  return transact(async (tx) => {
    const rows = await tx`
      update messages set status = 'sending'
      where id = ${message.id} and generation = ${message.generation} and status in ('queued', 'sending')
        and ${leaseHeld(tx, lease)}
      returning id`;
    if (rows.length === 0) return false;
    await sentOverSockets(tx, identityOf(message));
    return true;
  });
}

function identityOf(message: SendingMessage) {
  return { channelId: message.channel_id, messageId: message.id, generation: message.generation };
}

interface Sending {
  message: SendingMessage;
  loaded: LoadedChannel;
  lease: Lease;
}

/** True when it went as far as it goes. */
async function sendParts(options: SendOptions, sending: Sending): Promise<boolean> {
  const { message } = sending;
  const attachments =
    message.type === 'text' ? [] : await options.attachments.outbound(options.pool, message.id);
  const parts = await checkpointedParts(options, sending, attachments);
  if (parts === undefined) return false;
  for (const row of parts) {
    if (isTaken(row)) continue;
    if (!(await sendPart(options, sending, { row, attachments }))) return false;
  }
  return true;
}

function isTaken({ status }: PartRow): boolean {
  return status === 'sent' || status === 'delivered' || status === 'read';
}

/** Undefined when the message cannot be split for this channel: then it has failed. */
async function checkpointedParts(
  options: SendOptions,
  { message, lease, loaded }: Sending,
  attachments: OutboundAttachment[],
): Promise<PartRow[] | undefined> {
  const known = await loadParts(options.pool, message);
  if (known.length > 0) return known;
  try {
    const correspondence = loaded.adapter.writesLetters
      ? await correspondenceOf(options.pool, message)
      : undefined;
    const parts = await storeParts(options.pool, message, { loaded, attachments, correspondence });
    if (parts.length > 0) return parts;
    throw new SendRejected('There is nothing in it that this channel can send.');
  } catch (error) {
    if (!(error instanceof SendRejected)) throw error;
    const { code, message: reason, retryable } = error;
    await failMessage(options, { message, lease }, { code, message: reason, retryable });
    return undefined;
  }
}

interface PartToSend {
  row: PartRow;
  attachments: OutboundAttachment[];
}

// The last resort: an adapter ends its calls by itself, and an upload may take it two minutes.
const SEND_TIMEOUT_MS = 150_000;

/** Sends one part; false when the message goes no further now. */
async function sendPart(
  options: SendOptions,
  sending: Sending,
  { row, attachments }: PartToSend,
): Promise<boolean> {
  const { message, lease, loaded } = sending;
  const { adapter, channel } = loaded;
  if (row.status === 'sending' && !(await mayResend(options, sending, row))) return false;
  const attempt = await beginAttempt(options, { message, row, lease });
  if (attempt === undefined || adapter.send === undefined) return false;
  const signal = AbortSignal.any([lease.signal, AbortSignal.timeout(SEND_TIMEOUT_MS)]);
  let sent: SentPart;
  try {
    sent = await adapter.send(partOf(row, message, attachments), channel, signal);
  } catch (error) {
    await untilWritten(() => settleFailure(options, { message, row, attempt, error, loaded, lease }));
    return false;
  }
  await untilWritten(() => noteSent(options, message, { row, attempt, sent }));
  if (sent.newThreadKey !== undefined) message.thread_key = sent.newThreadKey;
  return true;
}

interface Taken {
  row: PartRow;
  attempt: Attempt;
  sent: SentPart;
}

function noteSent(
  { transact }: SendOptions,
  message: SendingMessage,
  { row, attempt, sent }: Taken,
): Promise<void> {
  return transact(async (tx) => {
    const externalIds = [sent.externalId, ...(sent.alsoKnownAs ?? [])].filter((id) => id !== undefined);
    await finishAttempt(tx, attempt, { outcome: 'sent' });
    if (sent.refused !== undefined) await noteRefused(tx, message, sent.refused);
    await partSent(tx, { ...identityOf(message), n: row.n, externalIds, status: sent.status ?? 'sent' });
    if (sent.newThreadKey !== undefined) await moveThread(tx, message, sent.newThreadKey);
  });
}

/** The message is sent, since somebody has it; who has not stands beside it. */
async function noteRefused(
  tx: Parameters<typeof partSent>[0],
  { id }: SendingMessage,
  refused: NonNullable<SentPart['refused']>,
): Promise<void> {
  const note = { refused_recipients: refused };
  await tx`update messages set metadata = metadata || ${tx.json(note)} where id = ${id}`;
}

const WRITE_TRIES = 20;
const WRITE_PAUSE_MS = 500;

/** What came of a call must not be forgotten because the database was away just then; it may be written twice. */
async function untilWritten(write: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await write();
    } catch (error) {
      if (tries === WRITE_TRIES || !isAway(error)) throw error;
      await sleep(WRITE_PAUSE_MS);
    }
  }
}

/** A call that a crash cut short is made again only where the provider recognises the repetition. */
async function mayResend(options: SendOptions, sending: Sending, row: PartRow): Promise<boolean> {
  const { message, loaded } = sending;
  await closeCutAttempts(options.pool, message);
  if (loaded.adapter.sendIsIdempotent) return true;
  await failMessage(options, sending, unknownOutcome('We stopped while the provider was answering.'));
  options.log.warn({ message: message.id, part: row.n }, 'the outcome of a send is unknown');
  return false;
}

async function moveThread(
  tx: Parameters<typeof partSent>[0],
  message: SendingMessage,
  to: string,
): Promise<void> {
  await tx`
    insert into threads (channel_id, thread_key, business_id, customer_id, conversation_id)
    values (${message.channel_id}, ${to}, ${message.business_id}, ${message.customer_id}, ${message.conversation_id})
    on conflict (channel_id, thread_key) do update
      set conversation_id = excluded.conversation_id, customer_id = excluded.customer_id
      where threads.conversation_id is null`;
  await tx`update conversations set thread_key = ${to} where id = ${message.conversation_id}`;
  // Where the thread is the address itself (a group), whoever writes there next is the customer we know.
  await tx`
    update identities set address = ${to}
    where channel_id = ${message.channel_id} and address = ${message.thread_key}
      and not exists (select 1 from identities where channel_id = ${message.channel_id} and address = ${to})`;
}
