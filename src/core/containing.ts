import type { PendingQuery, Row } from 'postgres';
import type { Pool } from './database/connect.ts';

/** A LIKE pattern for texts that hold this one; what LIKE would read as a wildcard means itself. */
export function containing(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`;
}

const FEW = 1_000;

/** The ids that a query finds; undefined where they are so many that a list is full sooner when it is read from its beginning. */
export async function fewIds(pool: Pool, query: PendingQuery<Row[]>): Promise<string[] | undefined> {
  const rows = await pool.begin(async (tx) => {
    // Planned for this text: one plan for all of them would look each up in the index, however frequent it is.
    await tx`set local plan_cache_mode = force_custom_plan`;
    return tx<{ id: string }[]>`${query} limit ${FEW + 1}`;
  });
  return rows.length > FEW ? undefined : rows.map(({ id }) => id);
}
