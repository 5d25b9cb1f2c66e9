import { type Bell, createBell } from './bell.ts';
import type { Pool, Sql } from './database/connect.ts';
import { newId } from './id.ts';
import type { Log } from './log.ts';
import { loop } from './loop.ts';
import type { LaneQueue } from './queue.ts';
import type { Wake } from './wake.ts';

/** The right to work a lane. Every result that the work writes carries the token, so a lost lease writes nothing. */
export interface Lease {
  readonly key: string;
  readonly token: string;
  /** Aborted when the lease is lost, and when a shutdown has waited long enough. */
  readonly signal: AbortSignal;
  /** The process is about to stop: finish what is under way and begin nothing new. */
  readonly draining: boolean;
  /** Resolves at the next wake-up of this lane: something new may be due. */
  woken(): Promise<void>;
}

/** What is done in the lanes of one kind. */
export interface LaneKind {
  readonly name: 'send' | 'deliver' | 'fetch' | 'ai';
  /** Works all that is due; resolves with the time at which the next thing is, or null. */
  work(id: string, lease: Lease): Promise<Date | null>;
}

const LEASE_SECONDS = 15;
const RENEW_MS = 5_000;
const RECONCILE_MS = 1_000;
const RECONCILE_BATCH = 1_000;
// A lane whose wake-up is this old and that nobody works was forgotten (flush, crash): it is woken again.
const FORGOTTEN_AFTER_SECONDS = 10;
const DRAIN_MS = 8_000;

/** An SQL condition: the lease still holds, and nobody takes it until this transaction ends. */
export function leaseHeld(sql: Sql, lease: Lease) {
  return sql`exists (select 1 from lanes where key = ${lease.key} and lease_token = ${lease.token} for share)`;
}

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
  const running = new Map<string, Set<Bell>>();
  const byName = new Map<string, LaneKind>(kinds.map((kind) => [kind.name, kind]));
  const stopListening = wake.on('lane', ring);
  const worker = await queue.work(workLane, { concurrency });
  const reconciler = loop({
    everyMs: RECONCILE_MS,
    turn: reconcile,
    onError: (error) => log.error({ err: error }, 'waking lanes failed'),
  });

  /** Tells the handler that works the lane in this process; true when there is one, which then looks again. */
  function ring(key: string | undefined): boolean {
    const bells = key === undefined ? undefined : running.get(key);
    for (const bell of bells ?? []) bell.ring();
    return bells !== undefined;
  }

  async function workLane(key: string): Promise<void> {
    const [name, id] = key.split(':');
    const kind = byName.get(name ?? '');
    if (kind === undefined || id === undefined || draining) return;
    const token = newId();
    if (!(await claim(pool, key, token))) {
      wake.notify('lane', key);
      return;
    }
    await holding(key, token, (lease, bell) => workUntilIdle({ kind, id }, lease, bell));
  }

  /** True once the lane was given up. */
  async function workUntilIdle(
    { kind, id }: { kind: LaneKind; id: string },
    lease: Lease,
    bell: Bell,
  ): Promise<boolean> {
    while (!draining) {
      listen(lease.key, bell);
      const next = await kind.work(id, lease);
      if (draining || lease.signal.aborted) return false;
      // Deaf before the lane is given up: whoever rings in vain from here on asks the queue.
      unlisten(lease.key, bell);
      if (await release(pool, lease, next)) return true;
    }
    return false;
  }

  function listen(key: string, bell: Bell): void {
    running.set(key, (running.get(key) ?? new Set()).add(bell));
  }

  function unlisten(key: string, bell: Bell): void {
    const bells = running.get(key);
    bells?.delete(bell);
    if (bells?.size === 0) running.delete(key);
  }

  async function holding(
    key: string,
    token: string,
    work: (lease: Lease, bell: Bell) => Promise<boolean>,
  ): Promise<void> {
    const lost = new AbortController();
    const signal = AbortSignal.any([drained.signal, lost.signal]);
    const bell = createBell();
    const renewal = setInterval(() => {
      renew(pool, key, token).then(
        (held) => held || lost.abort(),
        (error) => log.warn({ err: error, lane: key }, 'renewing a lease failed'),
      );
    }, RENEW_MS);
    const lease = {
      key,
      token,
      signal,
      woken: bell.next,
      get draining() {
        return draining;
      },
    };
    let isGivenUp = false;
    try {
      isGivenUp = await work(lease, bell);
    } catch (error) {
      if (!signal.aborted) log.error({ err: error, lane: key }, 'working a lane failed');
    } finally {
      clearInterval(renewal);
      unlisten(key, bell);
      bell.ring();
      if (!isGivenUp) await abandonQuietly(key, token);
    }
  }

  async function abandonQuietly(key: string, token: string): Promise<void> {
    await abandon(pool, key, token).catch((error) =>
      log.warn({ err: error, lane: key }, 'releasing a lease failed'),
    );
  }

  async function reconcile(): Promise<boolean> {
    const keys = await forgottenLanes(pool);
    if (keys.length > 0) await queue.wake(keys);
    return keys.length === RECONCILE_BATCH;
  }

  return {
    /** Lanes that something was made due for: those worked here look again, the queue names the others. */
    async wake(keys: readonly string[]): Promise<void> {
      const others = keys.filter((key) => !ring(key));
      if (others.length > 0) await queue.wake(others);
    },
    /** Waits for what is under way, up to 8 s; then aborts it. */
    async stop(): Promise<void> {
      draining = true;
      stopListening();
      await reconciler.stop();
      for (const bells of running.values()) for (const bell of bells) bell.ring();
      const deadline = setTimeout(() => drained.abort(), DRAIN_MS);
      await worker.close();
      clearTimeout(deadline);
    },
  };
}

/** Takes the lane when nobody has it; what made it due is ours to look at from here on. */
async function claim(pool: Pool, key: string, token: string): Promise<boolean> {
  const rows = await pool`
    update lanes
    set lease_token = ${token}, lease_expires_at = now() + make_interval(secs => ${LEASE_SECONDS}),
      due_at = null, woken_at = null
    where key = ${key} and (lease_token is null or lease_expires_at < now())
    returning key`;
  return rows.length === 1;
}

async function renew(pool: Pool, key: string, token: string): Promise<boolean> {
  const rows = await pool`
    update lanes set lease_expires_at = now() + make_interval(secs => ${LEASE_SECONDS})
    where key = ${key} and lease_token = ${token} returning key`;
  return rows.length === 1;
}

/** Gives the lane up, unless something became due meanwhile: then false, and the work goes on. */
async function release(pool: Pool, lease: Lease, next: Date | null): Promise<boolean> {
  const rows =
    next === null
      ? await pool`delete from lanes where key = ${lease.key} and lease_token = ${lease.token} and due_at is null returning key`
      : await pool`
          update lanes set lease_token = null, lease_expires_at = null, woken_at = null, due_at = ${next}
          where key = ${lease.key} and lease_token = ${lease.token} and due_at is null and ${next} > now()
          returning key`;
  if (rows.length === 1) return true;
  const taken = await pool`
    update lanes set due_at = null where key = ${lease.key} and lease_token = ${lease.token} returning key`;
  return taken.length === 0;
}

/** After an error or a shutdown: free at once and due in a moment, so another process goes on. */
async function abandon(pool: Pool, key: string, token: string): Promise<void> {
  await pool`
    update lanes
    set lease_token = null, lease_expires_at = null, woken_at = null, due_at = least(due_at, now() + interval '1 second')
    where key = ${key} and lease_token = ${token}`;
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
