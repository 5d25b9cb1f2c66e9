import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool } from '../../src/core/database/connect.ts';

/** Everything that the database says, a line a row, bytes as the text in them. */
export async function dumpDatabase(pool: Pool): Promise<string[]> {
  const tables = await pool<{ name: string; columns: string[] }[]>`
    select c.table_name as name, array_agg(case c.data_type
      when 'bytea' then format('encode(%I, ''escape'')', c.column_name) else format('%I::text', c.column_name) end) as columns
    from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
    where table_schema = 'public' and t.table_type = 'BASE TABLE' group by 1`;
  const dumps = await Promise.all(
    tables.map(({ name, columns }) =>
      pool.unsafe<{ line: string }[]>(
        `select concat_ws(' | ', '${name}', ${columns.join(', ')}) as line from "${name}"`,
      ),
    ),
  );
  return dumps.flatMap((rows) => rows.map(({ line }) => line));
}

/** The files below a folder, each as its path and its text. */
export async function dumpFolder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Promise.all(
    files.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name);
      return `${path} ${await readFile(path, 'latin1')}`;
    }),
  );
}
