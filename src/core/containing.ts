import type { PendingQuery, Row } from 'postgres';
import type { Pool, Sql } from './database/connect.ts';

/** A LIKE pattern for texts that hold this one; what LIKE would read as a wildcard means itself. */
export function containing(text: string): string {
  return `%${literally(text)}%`;
}

function literally(text: string): string {
  return text.replaceAll(/[\\%_]/g, '\\$&');
}

/** Whether a column holds the text, whatever its case: one or two letters where a word begins, two where one ends. */
export function holds(sql: Sql, column: string, text: string) {
  return sql`(false ${patternsOf(text).map((pattern) => sql`or ${sql(column)} ilike ${pattern}`)})`;
}

/** The index of parts knows three letters, and of fewer those at the edges of words. */
function patternsOf(text: string): string[] {
  if (/[\p{L}\p{N}]{3}/u.test(text) || !/[\p{L}\p{N}]/u.test(text)) return [containing(text)];
  const word = literally(text);
  const ends = /[\p{L}\p{N}]{2}$/u.test(text) ? [`%${word}`, `%${word} %`] : [];
  return [`${word}%`, `% ${word}%`, ...ends];
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
