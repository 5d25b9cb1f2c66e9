import type { Limits } from '../adapter.ts';
import type { Attachments } from '../attachments.ts';
import type { Channels, LoadedChannel } from '../channels.ts';
import type { Pool, Sql } from '../database/connect.ts';
import type { Transact } from '../database/transact.ts';
import type { EgressGuard } from '../egress.ts';
import type { AttachmentRef } from '../envelope.ts';
import { AppError, RateLimited } from '../errors.ts';
import type { LaneKind, Lease } from '../lanes.ts';
import type { Log } from '../log.ts';
import type { Secrets } from '../secrets.ts';
import { createSlots, type Slots } from '../slots.ts';
import { renamed, safeFileName, trustedType } from './file-name.ts';
import { FileTooLarge } from './files.ts';
import { keyOf, type Outcome, type Pending, settle } from './settle-fetch.ts';
import { isTheirs, openSource } from './source.ts';
import { MAX_UPLOAD_BYTES } from './uploads.ts';

const LONGEST_WAIT_MS = 3_600_000;
const DEADLINE_MS = 300_000;
// What an attachment is called while its name is not known.
const NAMELESS = new Set(['file', 'attachment']);

interface FetchOptions {
  pool: Pool;
  transact: Transact;
  attachments: Pick<Attachments, 'files'>;
  channels: Pick<Channels, 'load'>;
  egress: EgressGuard;
  secrets: Secrets;
  log: Log;
}

/** How many requests with files in them are in memory at a time: a mail may have 25 MB. */
const REQUESTS_AT_ONCE = 1;

interface Fetching extends FetchOptions {
  slots: Slots;
}

/** The lanes that bring attachments' bytes home, each attachment by itself. */
export function createFetchLane(options: FetchOptions): LaneKind {
  const slots = createSlots(REQUESTS_AT_ONCE);
  return {
    name: 'fetch',
    async work(id, lease) {
      const pending = await loadPending(options.pool, id);
      if (pending === undefined) return null;
      if (pending.next_attempt_at.getTime() > Date.now()) return pending.next_attempt_at;
      const outcome = await tryOnce(pending, lease, { ...options, slots });
      if (lease.signal.aborted) return null;
      return settle(pending, outcome, { ...options, lease });
    },
  };
}

async function loadPending(sql: Sql, id: string): Promise<Pending | undefined> {
  const [row] = await sql<Pending[]>`
    select a.id, a.business_id, a.message_id, a.name, a.content_type, a.source, a.storage_key, a.version,
      a.tries, m.channel_id, m.direction,
      coalesce(a.next_attempt_at, a.created_at) as next_attempt_at
    from attachments a join messages m on m.id = a.message_id
    where a.id = ${id} and a.state = 'pending' and a.source is not null`;
  return row;
}

async function tryOnce(pending: Pending, lease: Lease, options: Fetching): Promise<Outcome> {
  const signal = AbortSignal.any([lease.signal, AbortSignal.timeout(DEADLINE_MS)]);
  try {
    const channel = await options.channels.load(pending.channel_id);
    if (channel === undefined) return { state: 'failed', error: 'the channel is gone' };
    return await bring(pending, { channel, signal }, options);
  } catch (error) {
    // Whoever took the lane over writes at the same key, or has written there already.
    if (!lease.signal.aborted) await options.attachments.files.remove(keyOf(pending));
    if (isTooLarge(error)) return { state: 'too_large', error: error.message };
    if (error instanceof RateLimited)
      return { state: 'later', error: error.message, afterMs: Math.min(error.retryAfterMs, LONGEST_WAIT_MS) };
    options.log.warn(
      { err: error, attachment: pending.id, tries: pending.tries + 1 },
      'fetching an attachment failed',
    );
    return { state: 'failed', error: error instanceof Error ? error.message : 'it could not be fetched' };
  }
}

/** Our own limit, or the provider's, which an adapter tells as `payload_too_large`. */
function isTooLarge(error: unknown): error is Error {
  return error instanceof FileTooLarge || (error instanceof AppError && error.code === 'payload_too_large');
}

interface Bringing {
  channel: LoadedChannel;
  signal: AbortSignal;
}

async function bring(pending: Pending, bringing: Bringing, options: Fetching): Promise<Outcome> {
  const source = sourceOf(pending, options.secrets);
  const giveBack = source.request === undefined ? () => {} : await options.slots.take();
  try {
    return await keep(pending, source, { ...bringing, options });
  } finally {
    giveBack();
  }
}

async function keep(
  pending: Pending,
  source: AttachmentRef,
  { channel, signal, options }: Opening,
): Promise<Outcome> {
  const { body, contentType, name, sizeBytes } = await openSource(source, {
    direction: pending.direction,
    channel,
    signal,
    ...options,
  });
  const limits = limitsOf(isTheirs(source, pending.direction), channel.adapter.limits);
  if (sizeBytes !== undefined && sizeBytes > limits.maxBytes) {
    await discard(body);
    throw new FileTooLarge(limits.maxBytes);
  }
  const file = await options.attachments.files.write(keyOf(pending), body, { ...limits, signal });
  if (sizeBytes !== undefined && sizeBytes !== file.receivedBytes)
    throw new Error(`expected ${sizeBytes} bytes, got ${file.receivedBytes}`);
  if (file.sizeBytes > limits.mostBytes) throw new FileTooLarge(limits.mostBytes);
  const called = NAMELESS.has(pending.name) ? safeFileName(name ?? pending.name) : pending.name;
  const isConverted = file.sizeBytes !== file.receivedBytes;
  return {
    state: 'ready',
    file,
    name: isConverted ? renamed(called, file.sniffedType) : called,
    contentType: trustedType(contentType ?? pending.content_type, file.sniffedType),
  };
}

/** What may come, and what may stay: a picture for a customer may come larger than the channel takes it, and is made to fit. */
function limitsOf(isCustomers: boolean, { inboundBytes, outboundBytes, pictures }: Limits) {
  if (isCustomers) return { maxBytes: inboundBytes, mostBytes: inboundBytes };
  const maxBytes = pictures === undefined ? outboundBytes : Math.max(outboundBytes, MAX_UPLOAD_BYTES);
  return { maxBytes, mostBytes: outboundBytes, pictures };
}

interface Opening extends Bringing {
  options: FetchOptions;
}

function sourceOf({ id, business_id, source }: Pending, secrets: Secrets): AttachmentRef {
  return JSON.parse(
    secrets.decrypt(source, { businessId: business_id, rowId: id, field: 'source' }),
  ) as AttachmentRef;
}

async function discard(body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of body) break;
}
