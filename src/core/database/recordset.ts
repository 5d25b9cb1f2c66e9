import type postgres from 'postgres';
import type { Sql } from './connect.ts';

const JSON_TYPE = 114;

/**
 * Many rows as one parameter, for `json_to_recordset`: one prepared statement whatever their number. A column that is
 * null is left out, which reads the same and is shorter.
 */
export function recordset(sql: Sql, rows: readonly object[]) {
  return sql.typed(rows.map(withoutNulls) as never, JSON_TYPE);
}

function withoutNulls(row: object): object {
  const short: Record<string, unknown> = {};
  for (const [column, value] of Object.entries(row))
    if (value !== null && value !== undefined) short[column] = value;
  return short;
}

/**
 * The same as a table `r` to join with, its columns named with their types. The planner takes a function's rows for a hundred, and
 * would read a table of ten thousand whole for two; those of a limit that it cannot know it takes for ten.
 */
export function fewRows(sql: Sql, rows: readonly object[], columns: postgres.Fragment) {
  return sql`(
    select * from json_to_recordset(${recordset(sql, rows)}) as r(${columns}) limit (select ${rows.length}::int)) r`;
}

/** One column of many rows, for `unnest`: cheaper than a recordset where the columns are few. */
export function column<Row, Name extends keyof Row>(rows: readonly Row[], name: Name): Row[Name][] {
  return rows.map((row) => row[name]);
}

// Never part of JSON, where control characters are escaped.
const RECORD_SEPARATOR = '\u001e';

/** Many JSON documents, a row each: as one text they cost half of what an array does, whose elements are escaped once more. */
export function documents(sql: Sql, texts: readonly string[]) {
  return sql`string_to_table(${texts.join(RECORD_SEPARATOR)}, ${RECORD_SEPARATOR})`;
}
