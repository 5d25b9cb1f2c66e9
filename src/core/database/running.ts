import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from './connect.ts';

const LOOK_AGAIN_MS = 5;
const PATIENCE_MS = 5_000;

/**
 * Waits until every transaction that is writing just now has ended, for as long as that is likely: what read a row
 * before a commit of ours may have written by it until then.
 */
export async function untilRunningEnd(pool: Pool): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  const [before] = await pool<
    [{ next: string }]
  >`select pg_snapshot_xmax(pg_current_snapshot())::text as next`;
  for (;;) {
    const [row] = await pool<[{ ended: boolean }]>`
      select pg_snapshot_xmin(pg_current_snapshot()) >= ${before.next}::xid8 as ended`;
    if (row.ended || Date.now() > deadline) return;
    await sleep(LOOK_AGAIN_MS);
  }
}
