import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from './connect.ts';

const LOOK_AGAIN_MS = 5;
const PATIENCE_MS = 5_000;

/**
 * Waits until every transaction of ours that is under way just now has ended, for as long as that is likely: what read a
 * row before a commit of ours may have written by it until then.
 */
export async function untilRunningEnd(pool: Pool): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  // Not by what has an id of a transaction: whoever has only read so far has none, and may write by it all the same.
  const before = await pool<{ id: string }[]>`
    select l.virtualxid as id from pg_locks l join pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'virtualxid' and l.granted and l.pid <> pg_backend_pid()
      and a.datname = current_database()
      -- A URL may name us otherwise, all of our processes alike.
      and (a.application_name like 'tributary%' or a.application_name = current_setting('application_name'))`;
  for (let running = before; running.length > 0 && Date.now() < deadline; ) {
    await sleep(LOOK_AGAIN_MS);
    running = await pool<{ id: string }[]>`
      select virtualxid as id from pg_locks
      where locktype = 'virtualxid' and granted and virtualxid = any(${running.map(({ id }) => id)})`;
  }
}
