import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type postgres from 'postgres';
import type { Pool } from './connect.ts';
import { sqlState } from './transact.ts';

export interface Migration {
  version: number;
  name: string;
  text: string;
}

/** Brings the schema up to date; of several processes that try at once, one does it and the others wait. */
export async function migrate(pool: Pool, folder: URL = MIGRATIONS): Promise<void> {
  const migrations = await readMigrations(folder);
  const connection = await pool.reserve();
  try {
    await takeLock(connection);
    await connection`create table if not exists schema_migrations (
      version integer primary key, name text not null, applied_at timestamptz not null default now())`;
    for (const migration of await pending(connection, migrations)) await apply(connection, migration);
  } finally {
    await connection`reset lock_timeout`;
    await connection`select pg_advisory_unlock(${LOCK})`;
    connection.release();
  }
}

type Connection = postgres.ReservedSql<{ bigint: number }>;

const MIGRATIONS = new URL('./migrations/', import.meta.url);
const LOCK = 7_305_811;
const LOCK_TIMEOUT_TRIES = 30;
const LOCK_NOT_AVAILABLE = '55P03';

async function readMigrations(folder: URL): Promise<Migration[]> {
  const files = (await readdir(fileURLToPath(folder))).filter((name) => /^\d{4}_\w+\.sql$/.test(name)).sort();
  return Promise.all(
    files.map(async (name) => ({
      version: Number(name.slice(0, 4)),
      name,
      text: await readFile(new URL(name, folder), 'utf8'),
    })),
  );
}

// Asked again and again: a session that waits inside pg_advisory_lock holds a snapshot, which an index built
// concurrently would wait for in turn.
async function takeLock(connection: Connection): Promise<void> {
  for (;;) {
    const [row] = await connection<{ taken: boolean }[]>`select pg_try_advisory_lock(${LOCK}) as taken`;
    if (row?.taken) return;
    await sleep(100);
  }
}

async function pending(connection: Connection, migrations: Migration[]): Promise<Migration[]> {
  const applied = await connection<{ version: number }[]>`select version from schema_migrations`;
  const known = Math.max(0, ...migrations.map((migration) => migration.version));
  const found = Math.max(0, ...applied.map((row) => row.version));
  if (found > known) {
    throw new Error(
      `The database has schema ${found}, of a newer Tributary; this one knows ${known}. Start the newer one.`,
    );
  }
  return migrations.filter(({ version }) => !applied.some((row) => row.version === version));
}

async function apply(connection: Connection, migration: Migration): Promise<void> {
  // A migration that must wait for a lock makes every writer wait behind it: give up soon, let them pass, try again.
  await connection`set lock_timeout = '2s'`;
  for (let tries = 1; ; tries++) {
    try {
      return await applyOnce(connection, migration);
    } catch (error) {
      const busy = sqlState(error) === LOCK_NOT_AVAILABLE;
      if (!busy || tries === LOCK_TIMEOUT_TRIES)
        throw new Error(`Migration ${migration.name} failed: ${error}`, { cause: error });
      await sleep(500);
    }
  }
}

async function applyOnce(connection: Connection, migration: Migration): Promise<void> {
  if (isConcurrent(migration)) return applyConcurrently(connection, migration);
  await connection`begin`;
  try {
    await connection.unsafe(migration.text);
    await markApplied(connection, migration);
    await connection`commit`;
  } catch (error) {
    await connection`rollback`;
    throw error;
  }
}

// Such a file runs statement by statement outside a transaction, and must stand being run again from its start.
async function applyConcurrently(connection: Connection, migration: Migration): Promise<void> {
  if (!(await hasExtension(connection, migration))) return markApplied(connection, migration);
  for (const statement of migration.text.split(/;\s*$/m)) {
    if (statement.replace(/--.*$/gm, '').trim() !== '') await connection.unsafe(statement);
  }
  await markApplied(connection, migration);
}

/** `-- concurrently with NAME` is for databases that have that extension. */
async function hasExtension(connection: Connection, migration: Migration): Promise<boolean> {
  const [, name] = /^-- concurrently with (\w+)/.exec(migration.text) ?? [];
  if (name === undefined) return true;
  const found = await connection`select 1 from pg_extension where extname = ${name}`;
  return found.length > 0;
}

function isConcurrent(migration: Migration): boolean {
  return /^-- concurrently\b/.test(migration.text);
}

async function markApplied(connection: Connection, { version, name }: Migration): Promise<void> {
  await connection`insert into schema_migrations (version, name) values (${version}, ${name})`;
}
