import type { LoadedChannel } from '../channels.ts';
import type { OutboundAttachment, SentPart } from '../envelope.ts';
import { SendRejected } from '../errors.ts';
import type { Lease } from '../lanes.ts';
import { beginAttempt, closeCutAttempts } from './attempt.ts';
import { correspondenceOf } from './correspondence.ts';
import { failMessage, settleFailure, unknownOutcome } from './failure.ts';
import { noteSent, untilWritten } from './note-sent.ts';
import type { SendOptions } from './options.ts';
import { keptParts, type PartRow, partOf, type SendingMessage, splitIntoParts } from './parts.ts';

interface Sending {
  message: SendingMessage;
  loaded: LoadedChannel;
  lease: Lease;
}

/** Sends what is left of a message; true when it went as far as it goes. */
export async function sendParts(options: SendOptions, sending: Sending): Promise<boolean> {
  const { message } = sending;
  const attachments =
    message.type === 'text' ? [] : await options.attachments.outbound(options.pool, message.id);
  const parts = await partsOf(options, sending, attachments);
  if (parts === undefined) return false;
  let { unkept } = parts;
  for (const row of parts.all) {
    if (isTaken(row)) continue;
    if (!(await sendPart(options, sending, { row, unkept, attachments }))) return false;
    unkept = [];
  }
  return true;
}

function isTaken({ status }: PartRow): boolean {
  return status === 'sent' || status === 'delivered' || status === 'read';
}

interface Parts {
  all: PartRow[];
  /** Those that the first attempt keeps, for the next try to go on with. */
  unkept: PartRow[];
}

/** Undefined when the message cannot be split for this channel: then it has failed. */
async function partsOf(
  options: SendOptions,
  { message, lease, loaded }: Sending,
  attachments: OutboundAttachment[],
): Promise<Parts | undefined> {
  const kept = await keptParts(options.pool, message);
  if (kept.length > 0) return { all: kept, unkept: [] };
  try {
    const correspondence = loaded.adapter.writesLetters
      ? await correspondenceOf(options.pool, message)
      : undefined;
    const parts = await splitIntoParts(options.pool, message, { loaded, attachments, correspondence });
    if (parts.length > 0) return { all: parts, unkept: parts };
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
  unkept: PartRow[];
  attachments: OutboundAttachment[];
}

// The last resort: an adapter ends its calls by itself, and an upload may take it two minutes.
const SEND_TIMEOUT_MS = 150_000;

/** Sends one part; false when the message goes no further now. */
async function sendPart(
  options: SendOptions,
  sending: Sending,
  { row, unkept, attachments }: PartToSend,
): Promise<boolean> {
  const { message, lease, loaded } = sending;
  const { adapter, channel } = loaded;
  if (row.status === 'sending' && !(await mayResend(options, sending, row))) return false;
  const attempt = await beginAttempt(options, { message, row, unkept, lease });
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

/** A call that a crash cut short is made again only where the provider recognises the repetition. */
async function mayResend(options: SendOptions, sending: Sending, row: PartRow): Promise<boolean> {
  const { message, loaded } = sending;
  await closeCutAttempts(options.pool, message);
  if (loaded.adapter.sendIsIdempotent) return true;
  await failMessage(options, sending, unknownOutcome('We stopped while the provider was answering.'));
  options.log.warn({ message: message.id, part: row.n }, 'the outcome of a send is unknown');
  return false;
}
