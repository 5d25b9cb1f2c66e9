import { expect, it } from 'vitest';
import { createTransact } from '../../../src/core/database/transact.ts';
import { createLog } from '../../../src/core/log.ts';
import { createWake } from '../../../src/core/wake.ts';
import { createTestDatabase } from '../../support/database.ts';

it('goes on while a newer release adds columns to what is read', async () => {
  const database = await createTestDatabase({ migrated: false, max: 8 });
  const wake = await createWake(undefined, createLog('silent'));
  const transact = createTransact(database.pool, wake);
  await database.pool`create table things as select 1 as id`;
  const both = () =>
    transact(async (tx) => [
      await tx`select * from things where id = ${1}`,
      await tx`select things.* from things where id = ${1}`,
      // Long enough for each to have a connection of its own.
      await tx`select pg_sleep(0.05)`,
    ]);
  const onAll = () => Promise.all(Array.from({ length: 8 }, both));
  await onAll();
  await database.pool`alter table things add column name text`;
  expect((await onAll()).map(([rows]) => rows)).toEqual(Array(8).fill([{ id: 1, name: null }]));
  await wake.close();
  await database.drop();
});
