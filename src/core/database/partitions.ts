import type { Pool, Sql } from './connect.ts';

const PARTITIONED = ['events', 'deliveries', 'attempts', 'inbound_requests'];

/** Makes the partitions of yesterday and of the days to come. */
export async function createPartitions(
  pool: Pool,
  options: { daysAhead: number; now?: Date },
): Promise<void> {
  const wanted = wantedPartitions(options.now ?? new Date(), options.daysAhead);
  if ((await missing(pool, wanted)).length === 0) return;
  await pool.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${LOCK})`;
    await tx`set local lock_timeout = '2s'`;
    for (const partition of await missing(tx, wanted)) await createPartition(tx, partition);
  });
}

const LOCK = 7_305_813;

function wantedPartitions(now: Date, daysAhead: number): Partition[] {
  const days = Array.from({ length: daysAhead + 2 }, (_, index) => dayOf(now, index - 1));
  return PARTITIONED.flatMap((table) =>
    days.map((day) => ({ table, day, name: `${table}_${day.replaceAll('-', '_')}` })),
  );
}

async function missing(sql: Sql, wanted: Partition[]): Promise<Partition[]> {
  const existing = new Set((await listPartitions(sql)).map(({ name }) => name));
  return wanted.filter(({ name }) => !existing.has(name));
}

// Made first and attached then: "partition of" would lock all readers and writers of the table out.
async function createPartition(tx: Sql, { name, table, day }: Partition): Promise<void> {
  const next = dayOf(new Date(`${day}T00:00:00Z`), 1);
  await tx`create table ${tx(name)} (like ${tx(table)} including defaults including constraints including storage)`;
  await tx.unsafe(`alter table "${table}" attach partition "${name}"
    for values from ('${day} 00:00:00+00') to ('${next} 00:00:00+00')`);
}

export interface Partition {
  name: string;
  table: string;
  day: string;
}

/** Every day partition there is, oldest first. */
export async function listPartitions(sql: Sql): Promise<Partition[]> {
  const rows = await sql<{ name: string; table: string }[]>`
    select child.relname as name, parent.relname as table
    from pg_inherits
    join pg_class child on child.oid = inhrelid
    join pg_class parent on parent.oid = inhparent
    where parent.relname in ${sql(PARTITIONED)} and parent.relkind = 'p'
      and parent.relnamespace = 'public'::regnamespace
    order by child.relname`;
  return rows.map((row) => ({ ...row, day: row.name.slice(-10).replaceAll('_', '-') }));
}

/** The UTC day this many days from now, as YYYY-MM-DD. */
export function dayOf(now: Date, offset: number): string {
  return new Date(now.getTime() + offset * DAY_MS).toISOString().slice(0, 10);
}

const DAY_MS = 86_400_000;
