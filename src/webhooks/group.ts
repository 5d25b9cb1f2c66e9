import { setImmediate as afterThisTurn } from 'node:timers/promises';
import { sqlState } from '../core/database/transact.ts';
import { together } from '../core/together.ts';

/** Answers one item of a group. */
export type Submit<T, R> = (item: T) => Promise<R>;

const MAX_ITEMS = 100;
// The data itself is refused: found out one by one, so that nobody else's share fails with it.
const REFUSED_DATA = /^2[23]/;

/** What all lanes of the process write: items that come in while a statement is under way share the next one. */
export function createGroup<T, R>(run: (items: T[]) => Promise<R[]>): Submit<T, R> {
  async function settle(items: T[]): Promise<(R | Promise<R>)[]> {
    try {
      return await run(items);
    } catch (error) {
      if (items.length === 1 || !REFUSED_DATA.test(sqlState(error) ?? '')) throw error;
      return oneByOne(items);
    }
  }

  async function oneByOne(items: T[]): Promise<Promise<R>[]> {
    const results: Promise<R>[] = [];
    for (const item of items) {
      const result = run([item]).then(([answer]) => answer as R);
      results.push(result);
      await result.catch(() => {});
    }
    return results;
  }

  return together(settle, { most: MAX_ITEMS, gather: () => afterThisTurn() });
}
