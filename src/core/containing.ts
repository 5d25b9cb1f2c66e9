import type { PendingQuery, Row } from 'postgres';
import type { Sql } from './database/connect.ts';

/** A LIKE pattern for texts that hold this one; what LIKE would read as a wildcard means itself. */
export function containing(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`;
}

const FEW = 10_000;

/** The ids that a query finds; undefined where they are so many that a list is full sooner when it is read from its beginning. */
export async function fewIds(sql: Sql, query: PendingQuery<Row[]>): Promise<string[] | undefined> {
  const rows = await sql<{ id: string }[]>`${query} limit ${FEW + 1}`;
  return rows.length > FEW ? undefined : rows.map(({ id }) => id);
}
