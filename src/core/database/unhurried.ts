import type { Pool } from './connect.ts';

/**
 * An SQL condition that is always true: the commit of its statement is not waited for until it is on disk. A crash of the
 * database may lose it, and with it all that was committed later. Not for a statement of a longer transaction.
 */
export function unhurried(pool: Pool) {
  return pool`(select set_config('synchronous_commit', 'off', true)) is not null`;
}
