import type { Sql } from '../../database/connect.ts';

interface Blanking {
  /** Columns that say nothing of the person. */
  keep: readonly string[];
  /** Columns with a value of their own. */
  set: Record<string, ReturnType<Sql>>;
  where: ReturnType<Sql>;
}

/** Sets every other column to its default: what a later version adds is blanked without anybody having to think of it. */
export async function blank(tx: Sql, table: string, { keep, set, where }: Blanking) {
  const columns = await columnsOf(tx, table);
  const others = columns.filter((name) => !keep.includes(name) && !(name in set));
  const assignments = [
    ...Object.entries(set).map(([name, value]) => tx`${tx(name)} = ${value}`),
    ...others.map((name) => tx`${tx(name)} = default`),
  ].map((one, n) => (n === 0 ? one : tx`, ${one}`));
  return tx<{ id: string }[]>`update ${tx(table)} set ${assignments} where ${where} returning id`;
}

async function columnsOf(tx: Sql, table: string): Promise<string[]> {
  const rows = await tx<{ name: string }[]>`
    select attname as name from pg_attribute
    where attrelid = ${table}::regclass and attnum > 0 and not attisdropped and attgenerated = ''`;
  return rows.map(({ name }) => name);
}
