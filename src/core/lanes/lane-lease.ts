import type { Pool, Sql } from '../database/connect.ts';
import { unhurried } from '../database/unhurried.ts';
import type { Log } from '../log.ts';

const LEASE_SECONDS = 15;
const RENEW_MS = 5_000;

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

/** An SQL condition: the lease still holds, and nobody takes it until this transaction ends. */
export function leaseHeld(sql: Sql, lease: Lease) {
  return sql`exists (select 1 from lanes where key = ${lease.key} and lease_token = ${lease.token} for share)`;
}

/** Whether the lease still holds. Whoever took the lane over decides now: what came of our call says nothing about theirs. */
export async function holds(sql: Sql, lease: Lease): Promise<boolean> {
  const [row] = await sql<[{ held: boolean }]>`select ${leaseHeld(sql, lease)} as held`;
  return row.held;
}

interface Holding {
  pool: Pool;
  log: Log;
  key: string;
  token: string;
  /** Aborted when a shutdown has waited long enough. */
  drained: AbortSignal;
  isDraining(): boolean;
  woken(): Promise<void>;
}

/** Works under a lease that was claimed, renewing it meanwhile. The work says whether it has given the lane up; else it is free again. */
export async function underLease(
  { pool, log, key, token, drained, isDraining, woken }: Holding,
  work: (lease: Lease) => Promise<boolean>,
): Promise<void> {
  const lost = new AbortController();
  const signal = AbortSignal.any([drained, lost.signal]);
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
    woken,
    get draining() {
      return isDraining();
    },
  };
  let isGivenUp = false;
  try {
    isGivenUp = await work(lease);
  } catch (error) {
    if (!signal.aborted) log.error({ err: error, lane: key }, 'working a lane failed');
  } finally {
    clearInterval(renewal);
    if (!isGivenUp)
      await abandon(pool, key, token).catch((error) =>
        log.warn({ err: error, lane: key }, 'releasing a lease failed'),
      );
  }
}

/**
 * Takes the lane when nobody has it; what made it due is ours to look at from here on. Not waited for until it is on disk:
 * a crash that loses the claim loses all that was written under it, and the lane is due as before.
 */
export async function claimLane(pool: Pool, key: string, token: string): Promise<boolean> {
  const rows = await pool`
    update lanes
    set lease_token = ${token}, lease_expires_at = now() + make_interval(secs => ${LEASE_SECONDS}),
      due_at = null, woken_at = null
    where key = ${key} and (lease_token is null or lease_expires_at < now()) and ${unhurried(pool)}
    returning key`;
  return rows.length === 1;
}

async function renew(pool: Pool, key: string, token: string): Promise<boolean> {
  const rows = await pool`
    update lanes set lease_expires_at = now() + make_interval(secs => ${LEASE_SECONDS})
    where key = ${key} and lease_token = ${token} returning key`;
  return rows.length === 1;
}

/**
 * Gives the lane up, unless something became due meanwhile: then false, and the work goes on. Not waited for either: after a
 * crash that loses it the lease expires, and whoever looks then finds nothing due.
 */
export async function releaseLane(pool: Pool, lease: Lease, next: Date | null): Promise<boolean> {
  const rows =
    next === null
      ? await pool`
          delete from lanes
          where key = ${lease.key} and lease_token = ${lease.token} and due_at is null and ${unhurried(pool)}
          returning key`
      : await pool`
          update lanes set lease_token = null, lease_expires_at = null, woken_at = null, due_at = ${next}
          where key = ${lease.key} and lease_token = ${lease.token} and due_at is null and ${next} > now()
            and ${unhurried(pool)}
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
