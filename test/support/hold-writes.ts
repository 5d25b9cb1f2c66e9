import { onTestFinished } from 'vitest';
import type { Pool } from '../../src/core/database/connect.ts';

// Of tests alone.
const HELD = 4711;

/** Whatever writes to a table of this database has read what it writes, and waits there until it is let go. */
export async function holdWrites(pool: Pool, table: string) {
  const holder = await pool.reserve();
  let isHeld = true;
  async function release(): Promise<void> {
    if (!isHeld) return;
    isHeld = false;
    await holder`select pg_advisory_unlock(${HELD})`;
    // Granted once what was held has ended.
    await holder`select pg_advisory_lock(${HELD})`;
    await holder`select pg_advisory_unlock(${HELD})`;
    await pool.unsafe('drop function hold_writes cascade');
    holder.release();
  }
  await holder`select pg_advisory_lock(${HELD})`;
  await pool.unsafe(`
    create function hold_writes() returns trigger language plpgsql as $$
      begin perform pg_advisory_xact_lock_shared(${HELD}); return null; end $$;
    create trigger hold_writes before insert on ${table} for each statement execute function hold_writes();`);
  // A test that fails holds up no other.
  onTestFinished(release);
  return {
    async isHolding(): Promise<boolean> {
      const waiting = await pool`
        select 1 from pg_locks
        where locktype = 'advisory' and objid = ${HELD} and not granted
          and database = (select oid from pg_database where datname = current_database())`;
      return waiting.length > 0;
    },
    release,
  };
}
