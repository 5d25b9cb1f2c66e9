import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from './database/connect.ts';
import { newId } from './id.ts';
import type { Log } from './log.ts';

interface LeaseOptions {
  key: string;
  /** How long a holder that died keeps the others out. */
  ttlMs: number;
  log: Log;
}

type Work = (signal: AbortSignal) => Promise<void>;

/**
 * Runs the work while this process holds the lease of the key, one process at a time. The signal aborts when the
 * lease is lost or given up; work that ends by itself is begun again after a pause, by whoever comes first.
 */
export function holdLease(
  pool: Pool,
  { key, ttlMs, log }: LeaseOptions,
  work: Work,
): { stop(): Promise<void> } {
  const pauseMs = ttlMs / 3;
  const stopping = new AbortController();
  const token = newId();
  const held = holdUntilStopped();

  async function holdUntilStopped(): Promise<void> {
    while (!stopping.signal.aborted) {
      const takenAt = performance.now();
      if (await take().catch(warn)) await workWhileHeld(takenAt);
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  async function workWhileHeld(takenAt: number): Promise<void> {
    const lost = new AbortController();
    const renewing = keepRenewed(takenAt, lost);
    try {
      await work(AbortSignal.any([lost.signal, stopping.signal]));
    } catch (error) {
      if (!lost.signal.aborted && !stopping.signal.aborted)
        log.error({ err: error, lease: key }, 'work under a lease failed');
    } finally {
      renewing.stop();
      await release().catch(warn);
    }
  }

  /** Counts by our own clock from before the question was asked: at the deadline another may have it already. */
  function keepRenewed(takenAt: number, lost: AbortController): { stop(): void } {
    let deadline = expireAt(takenAt);
    const renewal = setInterval(async () => {
      const askedAt = performance.now();
      const renewed = await renew().catch(warn);
      if (renewed === false) lost.abort();
      if (renewed !== true || lost.signal.aborted) return;
      clearTimeout(deadline);
      deadline = expireAt(askedAt);
    }, pauseMs);

    function expireAt(since: number): NodeJS.Timeout {
      return setTimeout(() => lost.abort(), since + ttlMs - performance.now());
    }

    return {
      stop() {
        lost.abort();
        clearInterval(renewal);
        clearTimeout(deadline);
      },
    };
  }

  async function take(): Promise<boolean> {
    const rows = await pool`
      insert into leases (key, token, expires_at) values (${key}, ${token}, ${expiry()})
      on conflict (key) do update set token = excluded.token, expires_at = excluded.expires_at
      where leases.expires_at < now() or leases.token = excluded.token
      returning key`;
    return rows.length === 1;
  }

  async function renew(): Promise<boolean> {
    const rows = await pool`
      update leases set expires_at = ${expiry()} where key = ${key} and token = ${token} returning key`;
    return rows.length === 1;
  }

  async function release(): Promise<void> {
    await pool`delete from leases where key = ${key} and token = ${token}`;
  }

  function expiry() {
    return pool`now() + make_interval(secs => ${ttlMs / 1000})`;
  }

  function warn(error: unknown): undefined {
    log.warn({ err: error, lease: key }, 'asking for a lease failed');
  }

  return {
    async stop() {
      stopping.abort();
      await held;
    },
  };
}
