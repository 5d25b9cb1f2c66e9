import type { Wake } from '../wake.ts';
import type { Pool, Sql } from './connect.ts';

/** Runs the work in one transaction and wakes the dispatcher after the commit. The work may run twice: no I/O inside. */
export type Transact = <T>(work: (tx: Sql) => Promise<T>) => Promise<T>;

const MAX_TRIES = 5;
// serialization_failure, deadlock_detected: the database chose us to yield, the same work succeeds next time.
const YIELDED = new Set(['40001', '40P01']);

/** The one way to write what records events. */
export function createTransact(pool: Pool, wake: Wake): Transact {
  return async function transact<T>(work: (tx: Sql) => Promise<T>): Promise<T> {
    const result = await withRetries(() => pool.begin((tx) => work(tx)) as Promise<T>);
    wake.notify('outbox');
    return result;
  };
}

async function withRetries<T>(run: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await run();
    } catch (error) {
      if (tries === MAX_TRIES || !YIELDED.has(sqlState(error) ?? '')) throw error;
    }
  }
}

/** The SQLSTATE of a database error, undefined for any other. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Whether the database could not be asked at all: it restarts, or the way to it broke. */
export function isAway(error: unknown): boolean {
  return /^(08|57P|53|CONN|ECONN|EPIPE|ETIMEDOUT)/.test(sqlState(error) ?? '');
}
