import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrate } from '../../../src/core/database/migrate.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
let folder: string;
beforeEach(async () => {
  database = await createTestDatabase({ migrated: false });
  folder = await mkdtemp(join(tmpdir(), 'tributary-migrations-'));
});
afterEach(async () => {
  await database.drop();
  await rm(folder, { recursive: true });
});

const write = (name: string, text: string) => writeFile(join(folder, name), text);
const run = () => migrate(database.pool, pathToFileURL(`${folder}/`));
const versions = () =>
  database.pool`select version from schema_migrations order by version`.then((rows) =>
    rows.map((row) => row['version']),
  );

describe('migrations', () => {
  it('run once each and in order', async () => {
    await write('0001_one.sql', 'create table one (n int); insert into one values (1);');
    await run();
    await write('0002_two.sql', 'insert into one select n + 1 from one;');
    await run();
    await run();
    expect(await database.pool`select n from one order by n`).toEqual([{ n: 1 }, { n: 2 }]);
    expect(await versions()).toEqual([1, 2]);
  });

  it('leave nothing half done', async () => {
    await write('0001_one.sql', 'create table one (n int);');
    await write('0002_two.sql', 'create table two (n int); select nonsense;');
    await expect(run()).rejects.toThrow('Migration 0002_two.sql failed');
    expect(await versions()).toEqual([1]);
    expect(await database.pool`select to_regclass('two') as two`).toEqual([{ two: null }]);
  });

  it('build an index concurrently, outside a transaction', async () => {
    await write('0001_one.sql', 'create table one (n int);');
    await write(
      '0002_index.sql',
      '-- concurrently\ndrop index concurrently if exists one_n;\ncreate index concurrently one_n on one (n);\n',
    );
    await Promise.all([run(), run(), run()]);
    expect(await database.pool`select indexname from pg_indexes where tablename = 'one'`).toEqual([
      { indexname: 'one_n' },
    ]);
  });

  it('leave out an index that needs an extension which is not there', async () => {
    await write('0001_one.sql', 'create table one (t text);');
    await write(
      '0002_index.sql',
      '-- concurrently with pg_trgm\ncreate index concurrently one_t on one using gin (t gin_trgm_ops);\n',
    );
    await run();
    expect(await versions()).toEqual([1, 2]);
    expect(await database.pool`select to_regclass('one_t') as one_t`).toEqual([{ one_t: null }]);
  });

  it('wait in short turns for a lock, so that nobody waits long behind them', async () => {
    await write('0001_one.sql', 'create table one (n int);');
    await run();
    await write('0002_two.sql', 'alter table one add column m int;');
    const reader = await database.pool.reserve();
    await reader`begin`;
    await reader`select * from one`;
    const migrated = run();
    // Past the first lock_timeout: by now the migration has given up once and tries again.
    await new Promise((resolve) => setTimeout(resolve, 2_300));
    await reader`commit`;
    reader.release();
    await migrated;
    expect(await versions()).toEqual([1, 2]);
  });

  it('refuse a database that a newer version has migrated', async () => {
    await write('0001_one.sql', 'create table one (n int);');
    await run();
    await database.pool`insert into schema_migrations (version, name) values (2, '0002_future.sql')`;
    await expect(run()).rejects.toThrow('The database has schema 2, of a newer Tributary');
  });

  it('are done by one of two processes that start at once', async () => {
    const codes = await Promise.all([migrateInProcess(database.url), migrateInProcess(database.url)]);
    expect(codes).toEqual([0, 0]);
    expect(await versions()).toContain(1);
  });
});

async function migrateInProcess(url: string): Promise<unknown> {
  const source = new URL('../../../src/core/database/', import.meta.url);
  const script = `
    import { connect } from '${new URL('connect.ts', source)}';
    import { migrate } from '${new URL('migrate.ts', source)}';
    import { createPartitions } from '${new URL('partitions.ts', source)}';
    const pool = connect('${url}');
    await migrate(pool);
    await createPartitions(pool, { daysAhead: 3 });
    await pool.end();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  return code;
}
