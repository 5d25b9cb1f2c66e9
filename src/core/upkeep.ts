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
export function startUpkeep(options: UpkeepOptions): {
  stop(): Promise<void>;
} {
  const { pool, transact, files, retentionDays, log } = options;
  const due = loop({
    everyMs: SECOND_MS,
    async turn() {
      await wakeSnoozed(transact);
      await releaseScheduled(transact);
      return false;
    },
    onError: (error) => log.error({ err: error }, 'waking what is due failed'),
  });
  const resolving = loop({
    everyMs: 5 * SECOND_MS,
    async turn() {
      await resolveInactive(transact);
      return false;
    },
    onError: (error) => log.error({ err: error }, 'resolving what nobody writes in failed'),
  });
  const erasing = loop({
    everyMs: 10 * SECOND_MS,
    async turn() {
      await sweepErasures({ pool, transact, files });
      return false;
    },
    onError: (error) => log.error({ err: error }, 'sweeping after an erasure failed'),
  });
  const removing = loop({
    everyMs: 2 * SECOND_MS,
    turn: () => removeBytes(pool, files),
    onError: (error) => log.error({ err: error }, 'removing files failed'),
  });
  const expiring = loop({
    everyMs: HOUR_MS,
    async turn() {
      const { messageDays, attachmentDays } = options;
      const more = messageDays !== undefined && (await expireConversations(transact, messageDays));
      return (attachmentDays !== undefined && (await expireAttachments(transact, attachmentDays))) || more;
    },
    onError: (error) => log.error({ err: error }, 'letting go of what is old failed'),
  });
  const forgetting = loop({
    everyMs: HOUR_MS,
    turn: () => forget(pool, files, retentionDays),
    onError: (error) => log.error({ err: error }, 'forgetting what has ended failed'),
  });
  return {
    async stop() {
      await Promise.all([
        removing.stop(),
        expiring.stop(),
        due.stop(),
        resolving.stop(),
        erasing.stop(),
        forgetting.stop(),
      ]);
    },
  };
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
