import { expireAttachments } from './attachments/expire-attachments.ts';
import { type Files, fileKey } from './attachments/files.ts';
import { removeBytes, removeFiles } from './attachments/removed-files.ts';
import { forgetRuns } from './automation/rules.ts';
import type { RetentionDays } from './config.ts';
import { resolveInactive } from './conversations/auto-resolve.ts';
import { wakeSnoozed } from './conversations/lifecycle.ts';
import { expireConversations } from './customers/erasure/expire.ts';
import { sweepErasures } from './customers/erasure/sweep.ts';
import type { Pool } from './database/connect.ts';
import type { Transact } from './database/transact.ts';
import { forgetAutomaticAnswers } from './greeter.ts';
import type { Log } from './log.ts';
import { loop } from './loop.ts';
import { releaseScheduled } from './messages/scheduled.ts';
import { forgetTickets } from './realtime-tickets.ts';

interface UpkeepOptions {
  pool: Pool;
  transact: Transact;
  files: Files;
  retentionDays: RetentionDays;
  messageDays: number | undefined;
  attachmentDays: number | undefined;
  log: Log;
}

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;

/** What happens when its time has come: snoozed conversations wake, scheduled messages go, what is over is resolved or forgotten. */
export function startUpkeep(options: UpkeepOptions): { stop(): Promise<void> } {
  const loops = dutiesOf(options).map(({ failure, ...duty }) =>
    loop({ ...duty, onError: (error) => options.log.error({ err: error }, failure) }),
  );
  return {
    async stop() {
      await Promise.all(loops.map((one) => one.stop()));
    },
  };
}

interface Duty {
  everyMs: number;
  /** True while there is more to do at once. */
  turn(): Promise<boolean>;
  failure: string;
}

function dutiesOf({ pool, transact, files, ...options }: UpkeepOptions): Duty[] {
  return [
    {
      everyMs: SECOND_MS,
      turn: () => once(wakeSnoozed(transact).then(() => releaseScheduled(transact))),
      failure: 'waking what is due failed',
    },
    {
      everyMs: 2 * SECOND_MS,
      turn: () => removeBytes(pool, files),
      failure: 'removing files failed',
    },
    {
      everyMs: 5 * SECOND_MS,
      turn: () => once(resolveInactive(transact)),
      failure: 'resolving what nobody writes in failed',
    },
    {
      everyMs: 10 * SECOND_MS,
      turn: () => once(sweepErasures({ pool, transact, files })),
      failure: 'sweeping after an erasure failed',
    },
    {
      everyMs: HOUR_MS,
      turn: () => expire({ pool, transact }, options),
      failure: 'letting go of what is old failed',
    },
    {
      everyMs: HOUR_MS,
      turn: () => forget(pool, files, options.retentionDays),
      failure: 'forgetting what has ended failed',
    },
  ];
}

/** Work that does in one turn all there is. */
async function once(work: Promise<unknown>): Promise<false> {
  await work;
  return false;
}

type Ages = Pick<UpkeepOptions, 'messageDays' | 'attachmentDays'>;

async function expire(
  database: Pick<UpkeepOptions, 'pool' | 'transact'>,
  { messageDays, attachmentDays }: Ages,
): Promise<boolean> {
  const more = await expireConversations(database, messageDays);
  return (
    (attachmentDays !== undefined && (await expireAttachments(database.transact, attachmentDays))) || more
  );
}

const FORGET_BATCH = 10_000;
const IDEMPOTENCY_HOURS = 24;
const UNUSED_UPLOAD_HOURS = 24;

/** True while there is more to forget: in batches, so that no statement holds locks for long. */
async function forget(pool: Pool, files: Files, { keys, attempts }: RetentionDays): Promise<boolean> {
  await pool`delete from idempotency_keys where created_at < now() - make_interval(hours => ${IDEMPOTENCY_HOURS})`;
  await pool`delete from visitor_sessions where expires_at < now() - interval '1 day'`;
  await pool`delete from leases where expires_at < now() - interval '1 day'`;
  await forgetTickets(pool);
  // A send names its message within minutes; what waits longer waits for a message that is none of ours.
  await pool`delete from provider_ids where message_id is null and created_at < now() - interval '1 day'`;
  await pool`delete from ai_turns where created_at < now() - make_interval(days => ${attempts})`;
  await forgetUploads(pool);
  await forgetAutomaticAnswers(pool);
  await files.tidy();
  const forgotten = await pool`
    delete from inbound_keys where ctid = any(array(
      select ctid from inbound_keys where created_at < now() - make_interval(days => ${keys}) limit ${FORGET_BATCH}))`;
  const runs = await forgetRuns(pool, FORGET_BATCH);
  return forgotten.count === FORGET_BATCH || runs === FORGET_BATCH;
}

/** One that never got its bytes may have some of them all the same. */
async function forgetUploads(pool: Pool): Promise<void> {
  await pool.begin(async (tx) => {
    const unused = await tx<{ id: string; storage_key: string | null }[]>`
      delete from attachments
      where state = 'uploaded' and created_at < now() - make_interval(hours => ${UNUSED_UPLOAD_HOURS})
      returning id, storage_key`;
    await removeFiles(
      tx,
      unused.map(({ id, storage_key }) => ({ storage_key: storage_key ?? fileKey(id) })),
    );
  });
}
