import type { Wake } from '../wake.ts';
import type { Pool, Sql } from './connect.ts';

/** Runs the work in one transaction and wakes the dispatcher after the commit. The work may run twice: no I/O inside. */
export type Transact = <T>(work: (tx: Sql) => Promise<T>) => Promise<T>;

// serialization_failure, deadlock_detected: the database chose us to yield, the same work succeeds next time.
const YIELDED = new Set(['40001', '40P01']);
// How often it is tried again; a plan of before a newer release added a column is forgotten with its failure, so that ends.
const TRIES_LEFT = { yielded: 4, stalePlan: 200 };

/** The one way to write what records events. */
export function createTransact(pool: Pool, wake: Wake): Transact {
  return async function transact<T>(work: (tx: Sql) => Promise<T>): Promise<T> {
    const result = await withRetries(() => pool.begin((tx) => work(tx)) as Promise<T>);
    wake.notify('outbox');
    return result;
  };
}

async function withRetries<T>(run: () => Promise<T>): Promise<T> {
  for (const left = { ...TRIES_LEFT }; ; ) {
    try {
      return await run();
    } catch (error) {
      const reason = reasonToRepeat(error);
      if (reason === undefined || left[reason] === 0) throw error;
      left[reason] -= 1;
    }
  }
}

function reasonToRepeat(error: unknown): keyof typeof TRIES_LEFT | undefined {
  if (YIELDED.has(sqlState(error) ?? '')) return 'yielded';
  if (sqlState(error) !== '0A000') return undefined;
  return (error as { routine?: string }).routine === 'RevalidateCachedQuery' ? 'stalePlan' : undefined;
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
