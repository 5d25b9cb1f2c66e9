import type { Pool, Sql } from '../database/connect.ts';
import type { Slots } from '../slots.ts';

/** Waits until nobody else of this process is placing events: those that find the order taken go a longer way. */
export type TakeTurn = () => Promise<unknown>;

// Longer than the commit of another batch, then the events go through the outbox. Bounded, for the database cannot see that
// somebody waits here for one who waits for a lock of ours.
const WITHIN_MS = 50;

/** A transaction that takes its turn before it places events, and gives it back when it ends. */
export async function inTurn<T>(
  { pool, turns }: { pool: Pool; turns: Slots },
  work: (tx: Sql, takeTurn: TakeTurn) => Promise<T>,
): Promise<T> {
  let turn: ReturnType<Slots['takeWithin']> | undefined;
  const working = pool.begin((tx) =>
    work(tx, () => {
      turn = turns.takeWithin(WITHIN_MS);
      return turn;
    }),
  );
  return working.finally(() => turn?.then((end) => end?.())) as Promise<T>;
}
