import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type Pool } from '../../../src/core/database/connect.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase({ migrated: false });
  pool = connect(database.url, { max: 1 });
  await pool`create table written (who text)`;
});
afterAll(async () => {
  await pool.end({ timeout: 1 });
  await database.drop();
});

const kill = (pid: number) => database.pool`select pg_terminate_backend(${pid})`;
const pidOf = async (sql: Pick<Pool, 'unsafe'>) =>
  Number((await sql.unsafe('select pg_backend_pid() as pid'))[0]?.['pid']);

describe('a connection that dies in the middle of a transaction', () => {
  it('fails the transaction and nothing else, however much of it was under way', async () => {
    for (let round = 0; round < 30; round += 1) {
      const failed = pool.begin(async (tx) => {
        const killing = kill(await pidOf(tx));
        await Promise.all(Array.from({ length: round }, () => tx`select pg_sleep(0.001)`));
        await killing;
        await tx`select 1`;
        await tx`select 1`;
      });
      await expect(failed).rejects.toThrow();
      const answers = [round + 1, -round - 1].map((n) => pool`select ${n}::int as n`);
      expect(await Promise.all(answers)).toEqual([[{ n: round + 1 }], [{ n: -round - 1 }]]);
    }
  });

  it('lets nothing of it through on the connection that follows', async () => {
    const { promise: others, resolve: othersDone } = Promise.withResolvers<void>();
    let late: Promise<unknown> | undefined;
    const failed = pool.begin(async (tx) => {
      await tx`insert into written values ('lost')`;
      late = others.then(() => tx`insert into written values ('late')`);
      await kill(await pidOf(tx));
      await late;
    });
    await expect(failed).rejects.toThrow();
    await pool`insert into written values ('after')`;
    othersDone();
    await expect(late).rejects.toThrow();
    expect(await pool`select who from written`).toEqual([{ who: 'after' }]);
  });
});

describe('a transaction that begins behind as many statements as a connection takes', () => {
  it('is one, and leaves none open behind it', async () => {
    const busy = connect(database.url, { max: 2 });
    await Promise.all([busy`select 0::int as n`, busy`select 0::int as n`]);
    // Two connections take a hundred statements each before they count as full.
    for (let before = 190; before < 210; before += 1) {
      const statements = Array.from({ length: before }, (_, n) => {
        const statement = busy`select ${n}::int as n`;
        statement.execute();
        return statement;
      });
      const begun = busy.begin((tx) => tx`insert into written values (${`behind ${before}`})`);
      await Promise.all([...statements, begun]);
    }
    await busy.end();
    const [row] = await pool`select count(*)::int as n from written where who like 'behind %'`;
    expect(row?.['n']).toBe(20);
  });
});
