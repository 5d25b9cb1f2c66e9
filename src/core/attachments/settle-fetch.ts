import type { Attachments } from '../attachments.ts';
import type { Sql } from '../database/connect.ts';
import type { Transact } from '../database/transact.ts';
import { laneKey } from '../lanes/lane-key.ts';
import { type Lease, leaseHeld } from '../lanes.ts';
import { recordUpdate } from '../messages.ts';
import type { MessageRow } from '../views/message.ts';
import { type Files, fileKey, type StoredFile } from './files.ts';
import { removeFiles } from './removed-files.ts';

/** An attachment whose bytes are still to be had. */
export interface Pending {
  id: string;
  business_id: string;
  message_id: string;
  channel_id: string;
  direction: MessageRow['direction'];
  name: string;
  content_type: string;
  source: Buffer;
  storage_key: string | null;
  version: number;
  tries: number;
  next_attempt_at: Date;
}

/** What came of one try. */
export type Outcome =
  | { state: 'ready'; file: StoredFile; name: string; contentType: string }
  | { state: 'too_large'; error: string }
  | { state: 'failed'; error: string }
  /** The provider asks to wait, which costs no try. */
  | { state: 'later'; error: string; afterMs: number };

interface Settling {
  transact: Transact;
  attachments: Pick<Attachments, 'files'>;
  lease: Lease;
}

// Quick at first: a provider may tell of a file a moment before it has it.
const RETRY_AFTER_MS = [1_000, 3_000, 15_000, 60_000, 300_000, 900_000];

/** Writes down what came of the try, unless the lease was lost; resolves with the time of the next one. */
export async function settle(
  pending: Pending,
  outcome: Outcome,
  { transact, attachments, lease }: Settling,
): Promise<Date | null> {
  const delay = delayOf(outcome, pending);
  const next = delay === undefined ? null : new Date(Date.now() + delay);
  const stored = await transact(async (tx) => {
    const message = await lockMessage(tx, pending.message_id);
    const rows = await tx`
      update attachments set ${tx(columnsOf(outcome, next))}, tries = tries + ${outcome.state === 'later' ? 0 : 1}
      where id = ${pending.id} and state = 'pending' and version = ${pending.version} and ${leaseHeld(tx, lease)}
      returning id`;
    if (rows.length === 0 || message === undefined) return false;
    // What an upload was converted from.
    if (outcome.state === 'ready') await removeFiles(tx, [pending]);
    if (next === null) await recordUpdate(tx, message, { wakes: sendersOf(message) });
    return true;
  });
  if (!stored && outcome.state === 'ready') await removeUnwanted(pending, attachments.files, transact);
  return stored ? next : null;
}

function delayOf(outcome: Outcome, { tries }: Pending): number | undefined {
  if (outcome.state === 'later') return outcome.afterMs;
  return outcome.state === 'failed' ? RETRY_AFTER_MS[tries] : undefined;
}

/** The message was taken back or erased meanwhile. Whoever took the lane over writes, or wrote, the same bytes at the same key. */
async function removeUnwanted(
  pending: Pending,
  files: Pick<Files, 'remove'>,
  transact: Transact,
): Promise<void> {
  const key = keyOf(pending);
  const wanted = await transact(
    (tx) => tx`
      select 1 from attachments
      where id = ${pending.id} and (storage_key = ${key} or state = 'pending' and version = ${pending.version})`,
  );
  if (wanted.length === 0) await files.remove(key);
}

/** Several attachments of one message become ready at once: locked, each event shows those that are. */
async function lockMessage(tx: Sql, id: string): Promise<MessageRow | undefined> {
  const [message] = await tx<MessageRow[]>`select * from messages where id = ${id} for update`;
  return message;
}

/** A message to a customer waited for its attachment. */
function sendersOf({ status, conversation_id }: MessageRow): string[] {
  return status === 'queued' || status === 'sending' ? [laneKey('send', conversation_id)] : [];
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
    width: outcome.file.picture?.width ?? null,
    height: outcome.file.picture?.height ?? null,
    name: outcome.name,
    content_type: outcome.contentType,
  };
}

/** The attachment's bytes on this fetch; a try that failed leaves none, and the next one writes over what a crash left. */
export function keyOf({ id, version }: Pending): string {
  return fileKey(id, version);
}
