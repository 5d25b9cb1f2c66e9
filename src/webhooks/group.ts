import { sqlState } from '../core/database/transact.ts';

/** Answers one item of a group. */
export type Submit<T, R> = (item: T) => Promise<R>;

interface Waiting<T, R> {
  item: T;
  resolve(result: R): void;
  reject(error: unknown): void;
}

const MAX_ITEMS = 100;
// The data itself is refused: found out one by one, so that nobody else's share fails with it.
const REFUSED_DATA = /^2[23]/;

/** What all lanes of the process write: items that come in while a statement is under way share the next one. */
export function createGroup<T, R>(run: (items: T[]) => Promise<R[]>): Submit<T, R> {
  const waiting: Waiting<T, R>[] = [];
  let isRunning = false;

  async function drain(): Promise<void> {
    while (waiting.length > 0) await settle(waiting.splice(0, MAX_ITEMS));
    isRunning = false;
  }

  async function settle(group: Waiting<T, R>[]): Promise<void> {
    try {
      const results = await run(group.map(({ item }) => item));
      group.forEach(({ resolve }, index) => void resolve(results[index] as R));
    } catch (error) {
      await refuse(group, error);
    }
  }

  async function refuse(group: Waiting<T, R>[], error: unknown): Promise<void> {
    const isOnesFault = group.length > 1 && REFUSED_DATA.test(sqlState(error) ?? '');
    if (!isOnesFault) return group.forEach(({ reject }) => void reject(error));
    for (const one of group) await settle([one]);
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (isRunning) return;
      isRunning = true;
      // After this turn of the event loop: what happens together is written together.
      setImmediate(() => void drain());
    });
}
