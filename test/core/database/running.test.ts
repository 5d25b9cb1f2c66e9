import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { connect } from '../../../src/core/database/connect.ts';
import { untilRunningEnd } from '../../../src/core/database/running.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ migrated: false });
});
afterAll(() => database.drop());

it.for([
  ['as we call ourselves', ''],
  ['under a name that its URL gives', '?application_name=support'],
])('waits for whoever has only read so far and will write by it, %s', async ([, name]) => {
  const pool = connect(`${database.url}${name}`);
  onTestFinished(() => pool.end());
  await pool`drop table if exists notes`;
  await pool`create table notes as select 'a note' as text`;
  const read = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const copying = pool.begin(async (tx) => {
    const [note] = await tx<[{ text: string }]>`select text from notes`;
    read.resolve();
    await goOn.promise;
    await tx`insert into notes values (${note.text})`;
  });
  await read.promise;
  const found = untilRunningEnd(pool).then(() => pool`select text from notes`);
  // As long as it would have taken not to wait.
  await Promise.race([found, sleep(200)]);
  goOn.resolve();
  expect(await found).toHaveLength(2);
  await copying;
});
