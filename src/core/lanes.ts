import type { Pool, Sql } from './database/connect.ts';
import { newId } from './id.ts';
import { type Bell, createBell, createBells } from './lanes/bells.ts';
import type { LaneName } from './lanes/lane-key.ts';
import { claimLane, type Lease, releaseLane, underLease } from './lanes/lane-lease.ts';
import type { Log } from './log.ts';
import { loop } from './loop.ts';
import type { LaneQueue } from './queue.ts';
import type { Wake } from './wake.ts';

export { holds, type Lease, leaseHeld } from './lanes/lane-lease.ts';

/** What is done in the lanes of one kind. */
export interface LaneKind {
  readonly name: LaneName;
  /** Works all that is due; resolves with the time at which the next thing is, or null. */
  work(id: string, lease: Lease): Promise<Date | null>;
}

const RECONCILE_MS = 1_000;
const RECONCILE_BATCH = 1_000;
// A lane whose wake-up is this old and that nobody works was forgotten (flush, crash): it is woken again.
const FORGOTTEN_AFTER_SECONDS = 10;
const DRAIN_MS = 8_000;

/** Marks lanes as due, in the transaction that gives them something to do. */
export async function wakeLanes(tx: Sql, keys: readonly string[]): Promise<void> {
  const sorted = [...new Set(keys)].sort();
  if (sorted.length === 0) return;
  await tx`
    insert into lanes (key, due_at, woken_at) select key, now(), now() from unnest(${sorted}::text[]) as key
    on conflict (key) do update set due_at = least(lanes.due_at, excluded.due_at), woken_at = excluded.woken_at`;
}

/** Marks lanes as due where nobody tells the queue afterwards: the reconciler does, within a second. */
export async function scheduleLanes(tx: Sql, keys: readonly string[]): Promise<void> {
  await wakeLanes(tx, keys);
  await tx`update lanes set woken_at = null where key = any(${[...keys]}::text[])`;
}

interface LaneOptions {
  pool: Pool;
  queue: LaneQueue;
  wake: Wake;
  kinds: LaneKind[];
  concurrency: number;
  log: Log;
}

/** Works the lanes that the queue names, and wakes by itself those whose wake-up was lost. */
export async function startLanes({ pool, queue, wake, kinds, concurrency, log }: LaneOptions) {
  const drained = new AbortController();
  let draining = false;
  const bells = createBells();
  const byName = new Map<string, LaneKind>(kinds.map((kind) => [kind.name, kind]));
  const stopListening = wake.on('lane', bells.ring);
  const worker = await queue.work(workLane, { concurrency });
  const reconciler = loop({
    everyMs: RECONCILE_MS,
    turn: reconcile,
    onError: (error) => log.error({ err: error }, 'waking lanes failed'),
  });

  async function workLane(key: string): Promise<void> {
    const [name, id] = key.split(':');
    const kind = byName.get(name ?? '');
    if (kind === undefined || id === undefined || draining) return;
    const token = newId();
    if (!(await claimLane(pool, key, token))) {
      wake.notify('lane', key);
      return;
    }
    const bell = createBell();
    const holding = { key, token, drained: drained.signal, isDraining: () => draining, woken: bell.next };
    await underLease({ pool, log, ...holding }, async (lease) => {
      try {
        return await workUntilIdle({ kind, id }, lease, bell);
      } finally {
        bells.unlisten(key, bell);
        bell.ring();
      }
    });
  }

  /** True once the lane was given up. */
  async function workUntilIdle(
    { kind, id }: { kind: LaneKind; id: string },
    lease: Lease,
    bell: Bell,
  ): Promise<boolean> {
    while (!draining) {
      bells.listen(lease.key, bell);
      const next = await kind.work(id, lease);
      if (draining || lease.signal.aborted) return false;
      // Deaf before the lane is given up: whoever rings in vain from here on asks the queue.
      bells.unlisten(lease.key, bell);
      if (await releaseLane(pool, lease, next)) return true;
    }
    return false;
  }

  async function reconcile(): Promise<boolean> {
    const keys = await forgottenLanes(pool);
    if (keys.length > 0) await queue.wake(keys);
    return keys.length === RECONCILE_BATCH;
  }

  return {
    /** Lanes that something was made due for: those worked here look again, the queue names the others. */
    async wake(keys: readonly string[]): Promise<void> {
      const others = keys.filter((key) => !bells.ring(key));
      if (others.length > 0) await queue.wake(others);
    },
    /** Waits for what is under way, up to 8 s; then aborts it. */
    async stop(): Promise<void> {
      draining = true;
      stopListening();
      await reconciler.stop();
      bells.ringAll();
      const deadline = setTimeout(() => drained.abort(), DRAIN_MS);
      await worker.close();
      clearTimeout(deadline);
    },
  };
}

async function forgottenLanes(pool: Pool): Promise<string[]> {
  const rows = await pool<{ key: string }[]>`
    update lanes set woken_at = now()
    where key in (
      select key from lanes
      where (due_at <= now() and lease_token is null or lease_expires_at < now())
        and (woken_at is null or woken_at < now() - make_interval(secs => ${FORGOTTEN_AFTER_SECONDS})
          or woken_at < lease_expires_at)
      order by due_at limit ${RECONCILE_BATCH} for update skip locked)
    returning key`;
  return rows.map((row) => row.key);
}
