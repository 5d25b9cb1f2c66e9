import type { Pool } from '../../src/core/database/connect.ts';
import { eventually } from './gateway.ts';

/** Waits until the reader of events of this name has read all that has happened so far. */
export function untilRead(pool: Pool, name: string): Promise<boolean> {
  return eventually(async () => {
    // At one moment: what has left the outbox is an event.
    const [row] = await pool<[{ done: boolean }]>`
      select not exists (select 1 from outbox) and coalesce(
        (select max(seq) from events) <= (select seq from readers where name = ${name}), false) as done`;
    return row.done;
  }, 20_000);
}
