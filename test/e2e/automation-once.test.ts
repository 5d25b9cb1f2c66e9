import { afterAll, beforeAll, expect, it } from 'vitest';
import { closeAll, connect } from '../realtime/sockets.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { untilRead } from '../support/readers.ts';

let first: TestGateway;
const others: TestGateway[] = [];

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  first = await startTestGateway({ database_: database });
  others.push(first);
});
afterAll(async () => {
  closeAll();
  for (const one of others) await one.stop();
  await database.drop();
});

async function ok<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await first.call<T>(method, `/api/v1${path}`, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

it('runs once for an event, whoever reads it again: other processes, and one that lost its place', async () => {
  const rule = await ok<{ id: string }>('POST', '/automation-rules', {
    trigger: 'message.received',
    actions: [{ type: 'reply', message: 'Thanks' }, { type: 'stop' }],
  });
  await ok('POST', '/automation-rules', {
    trigger: 'message.received',
    actions: [{ type: 'reply', message: 'Stopped before this' }],
  });
  const runs = async () => {
    const rows = await database.pool`select subject_id from automation_runs where rule_id = ${rule.id}`;
    const replies = await database.pool`select id from messages where direction = 'outbound'`;
    return [rows.length, replies.length];
  };
  others.push(await startTestGateway({ database_: database }));
  const write = async (count: number) => {
    for (let n = 0; n < count; n += 1) {
      const socket = await connect(others[0]?.url ?? '', { business_id: first.businessId });
      await socket.ask('client_message', { content: `hello ${n}` });
    }
  };
  await write(10);
  await eventually(async () => expect(await runs()).toEqual([10, 10]));
  await untilRead(database.pool, 'automation');

  // Whoever takes over begins at the beginning, and finds all of it done.
  for (const one of others.splice(0)) await one.stop();
  await database.pool`update readers set seq = 0, day = '1970-01-01' where name = 'automation'`;
  for (let n = 0; n < 2; n += 1) others.push(await startTestGateway({ database_: database }));
  await untilRead(database.pool, 'automation');
  expect(await runs()).toEqual([10, 10]);
  await write(3);
  await eventually(async () => expect(await runs()).toEqual([13, 13]));
});
