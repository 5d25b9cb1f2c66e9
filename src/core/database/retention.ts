import type { RetentionDays } from '../config.ts';
import type { Log } from '../log.ts';
import { loop } from '../loop.ts';
import type { Pool, Sql } from './connect.ts';
import { createPartitions, dayOf, listPartitions, type Partition } from './partitions.ts';
import { sqlState } from './transact.ts';

const HOUR_MS = 3_600_000;
const DAYS_AHEAD = 14;
const LOCK = 7_305_812;
const LOCK_NOT_AVAILABLE = '55P03';

/** Keeps the days to come ready and lets go of the expired ones, now and every hour. The first days exist when it resolves. */
export async function keepPartitions(
  pool: Pool,
  retention: RetentionDays,
  log: Log,
): Promise<{ stop(): Promise<void> }> {
  await createPartitions(pool, { daysAhead: DAYS_AHEAD });
  return loop({
    everyMs: HOUR_MS,
    turn: () => keepOnce(pool, retention),
    onError: (error) => log.error({ error }, 'partitions were not kept; trying again within the hour'),
  });
}

async function keepOnce(pool: Pool, retention: RetentionDays): Promise<boolean> {
  await createPartitions(pool, { daysAhead: DAYS_AHEAD });
  await expire(pool, retention, new Date());
  return false;
}

/** Drops what is older than its retention; of several processes one does it. */
export async function expire(pool: Pool, retention: RetentionDays, now: Date): Promise<void> {
  await pool.begin(async (tx) => {
    // It only holds the lock, however long the others work.
    await tx`set local idle_in_transaction_session_timeout = 0`;
    const [row] = await tx<{ taken: boolean }[]>`select pg_try_advisory_xact_lock(${LOCK}) as taken`;
    if (row?.taken) await expirePartitions(pool, retention, now);
  });
}

async function expirePartitions(pool: Pool, retention: RetentionDays, now: Date): Promise<void> {
  const keep: Record<string, number> = { ...retention, inbound_requests: retention.inbound };
  for (const partition of await listPartitions(pool)) {
    const expired = partition.day < dayOf(now, -(keep[partition.table] ?? Number.POSITIVE_INFINITY));
    if (!expired) continue;
    if (partition.table === 'inbound_requests' && partition.day >= dayOf(now, -retention.failedInbound)) {
      await keepOnlyFailed(pool, partition);
    } else {
      await dropPartition(pool, partition);
    }
  }
}

// What could not be processed is worth a replay for longer than what was.
async function keepOnlyFailed(pool: Pool, partition: Partition): Promise<void> {
  const table = pool(partition.name);
  const [found] = await pool`select 1 from ${table} where status <> 'failed' limit 1`;
  if (!found) return;
  await briefly(pool, async (tx) => {
    await tx`create temp table failed on commit drop as select * from ${table} where status = 'failed'`;
    await tx`truncate ${table}`;
    await tx`insert into ${table} select * from failed`;
  });
}

async function dropPartition(pool: Pool, partition: Partition): Promise<void> {
  await briefly(pool, (tx) => tx`drop table ${tx(partition.name)}`);
}

// Everybody who uses the table waits while we wait for its lock: a few short waits instead of a long one.
async function briefly(pool: Pool, work: (tx: Sql) => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await pool.begin(async (tx) => {
        await tx`set local lock_timeout = '200ms'`;
        await work(tx);
      });
      return;
    } catch (error) {
      if (sqlState(error) !== LOCK_NOT_AVAILABLE || tries === 20) throw error;
    }
  }
}
