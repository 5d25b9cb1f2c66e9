import type { Download } from './adapter.ts';
import type { Attachments } from './attachments.ts';
import type { Channels, LoadedChannel } from './channels.ts';
import type { Pool, Sql } from './database/connect.ts';
import type { Transact } from './database/transact.ts';
import { download } from './download.ts';
import type { EgressGuard } from './egress.ts';
import type { AttachmentRef } from './envelope.ts';
import { AppError } from './errors.ts';
import { safeFileName, trustedType } from './file-name.ts';
import { FileTooLarge, type StoredFile } from './files.ts';
import { keptRequest } from './inbound-requests.ts';
import { type LaneKind, type Lease, leaseHeld } from './lanes.ts';
import type { Log } from './log.ts';
import { recordUpdate } from './messages.ts';
import type { Secrets } from './secrets.ts';
import type { MessageRow } from './views/message.ts';

const RETRY_AFTER_MS = [5_000, 30_000, 120_000, 600_000];
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

interface Pending {
  id: string;
  business_id: string;
  message_id: string;
  channel_id: string;
  direction: MessageRow['direction'];
  name: string;
  content_type: string;
  source: Buffer;
  tries: number;
  next_attempt_at: Date;
}

/** What came of one try. */
type Outcome =
  | { state: 'ready'; file: Omit<StoredFile, 'sniffedType'>; name: string; contentType: string }
  | { state: 'too_large'; error: string }
  | { state: 'failed'; error: string };

/** The lanes that bring attachments' bytes home, each attachment by itself. */
export function createFetchLane(options: FetchOptions): LaneKind {
  return {
    name: 'fetch',
    async work(id, lease) {
      const pending = await loadPending(options.pool, id);
      if (pending === undefined) return null;
      if (pending.next_attempt_at.getTime() > Date.now()) return pending.next_attempt_at;
      const outcome = await tryOnce(pending, lease, options);
      if (lease.signal.aborted) return null;
      return settle(pending, outcome, { ...options, lease });
    },
  };
}

async function loadPending(sql: Sql, id: string): Promise<Pending | undefined> {
  const [row] = await sql<Pending[]>`
    select a.id, a.business_id, a.message_id, a.name, a.content_type, a.source, a.tries, m.channel_id, m.direction,
      coalesce(a.next_attempt_at, a.created_at) as next_attempt_at
    from attachments a join messages m on m.id = a.message_id
    where a.id = ${id} and a.state = 'pending' and a.source is not null`;
  return row;
}

async function tryOnce(pending: Pending, lease: Lease, options: FetchOptions): Promise<Outcome> {
  const signal = AbortSignal.any([lease.signal, AbortSignal.timeout(DEADLINE_MS)]);
  try {
    const channel = await options.channels.load(pending.channel_id);
    if (channel === undefined) return { state: 'failed', error: 'the channel is gone' };
    const { limits } = channel.adapter;
    const maxBytes = pending.direction === 'inbound' ? limits.inboundBytes : limits.outboundBytes;
    return await bring(pending, { channel, maxBytes, signal }, options);
  } catch (error) {
    if (isTooLarge(error)) return { state: 'too_large', error: error.message };
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
  maxBytes: number;
  signal: AbortSignal;
}

async function bring(
  pending: Pending,
  { channel, maxBytes, signal }: Bringing,
  options: FetchOptions,
): Promise<Outcome> {
  const source = sourceOf(pending, options.secrets);
  if (typeof source.ref['copyOf'] === 'string') return copy(source.ref['copyOf'], options);
  const { body, contentType, name, sizeBytes } = await open(pending, source, { channel, signal, options });
  if (sizeBytes !== undefined && sizeBytes > maxBytes) {
    await discard(body);
    throw new FileTooLarge(maxBytes);
  }
  const file = await options.attachments.files.write(body, { maxBytes, signal });
  if (sizeBytes !== undefined && sizeBytes !== file.sizeBytes) {
    await options.attachments.files.remove(file.key);
    throw new Error(`expected ${sizeBytes} bytes, got ${file.sizeBytes}`);
  }
  const declared = contentType ?? pending.content_type;
  return {
    state: 'ready',
    file,
    name: NAMELESS.has(pending.name) ? safeFileName(name ?? pending.name) : pending.name,
    contentType: trustedType(declared, file.sniffedType),
  };
}

interface Opening extends Pick<Bringing, 'channel' | 'signal'> {
  options: FetchOptions;
}

/** Where the bytes are: in the request that brought the message, at the provider, or at a public address. */
async function open(
  { direction }: Pending,
  source: AttachmentRef,
  { channel: { adapter, channel }, signal, options }: Opening,
): Promise<Download> {
  if (source.request !== undefined && adapter.readAttachment !== undefined)
    return adapter.readAttachment(source, await keptRequest(options.pool, source.request), channel);
  if (direction === 'inbound' && adapter.fetchAttachment !== undefined)
    return adapter.fetchAttachment(source, channel, signal);
  return download(String(source.ref['url']), { egress: options.egress, signal });
}

function sourceOf({ id, business_id, source }: Pending, secrets: Secrets): AttachmentRef {
  return JSON.parse(
    secrets.decrypt(source, { businessId: business_id, rowId: id, field: 'source' }),
  ) as AttachmentRef;
}

async function discard(body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of body) break;
}

/** An attachment of an earlier message, sent once more. */
async function copy(id: string, { pool, attachments }: FetchOptions): Promise<Outcome> {
  const [original] = await pool<
    { storage_key: string; name: string; content_type: string; size_bytes: number; sha256: Buffer }[]
  >`select storage_key, name, content_type, size_bytes, sha256 from attachments where id = ${id} and state = 'ready'`;
  if (original === undefined) return { state: 'failed', error: 'the original is gone' };
  const key = await attachments.files.copy(original.storage_key);
  const file = { key, sizeBytes: original.size_bytes, sha256: original.sha256 };
  return { state: 'ready', file, name: original.name, contentType: original.content_type };
}

/** Writes down what came of the try, unless the lease was lost; resolves with the time of the next one. */
async function settle(
  pending: Pending,
  outcome: Outcome,
  { transact, attachments, lease }: FetchOptions & { lease: Lease },
): Promise<Date | null> {
  const delay = outcome.state === 'failed' ? RETRY_AFTER_MS[pending.tries] : undefined;
  const next = delay === undefined ? null : new Date(Date.now() + delay);
  const stored = await transact(async (tx) => {
    const message = await lockMessage(tx, pending.message_id);
    const rows = await tx`
      update attachments set ${tx(columnsOf(outcome, next))}, tries = tries + 1
      where id = ${pending.id} and state = 'pending' and ${leaseHeld(tx, lease)} returning id`;
    if (rows.length === 1 && next === null) await recordUpdate(tx, message, {}, sendersOf(message));
    return rows.length === 1;
  });
  if (!stored && outcome.state === 'ready') await attachments.files.remove(outcome.file.key);
  return stored ? next : null;
}

/** Several attachments of one message become ready at once: locked, each event shows those that are. */
async function lockMessage(tx: Sql, id: string): Promise<MessageRow> {
  const [message] = await tx<[MessageRow]>`select * from messages where id = ${id} for update`;
  return message;
}

/** A message to a customer waited for its attachment. */
function sendersOf({ status, conversation_id }: MessageRow): string[] {
  return status === 'queued' || status === 'sending' ? [`send:${conversation_id}`] : [];
}

function columnsOf(outcome: Outcome, next: Date | null) {
  if (outcome.state !== 'ready') {
    return {
      state: next === null ? outcome.state : 'pending',
      error: outcome.error.slice(0, 500),
      next_attempt_at: next,
    };
  }
  return {
    state: 'ready',
    error: null,
    next_attempt_at: null,
    storage_key: outcome.file.key,
    sha256: outcome.file.sha256,
    size_bytes: outcome.file.sizeBytes,
    name: outcome.name,
    content_type: outcome.contentType,
  };
}
