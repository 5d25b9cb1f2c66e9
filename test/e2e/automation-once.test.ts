import { afterAll, beforeAll, expect, it } from 'vitest';
import { closeAll, connect } from '../realtime/sockets.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { untilRead } from '../support/readers.ts';

let first: TestGateway;
const others: TestGateway[] = [];

beforeAll(async () => {
  first = await startTestGateway();
});
afterAll(async () => {
  closeAll();
  for (const one of others) await one.stop();
  await first.stop();
});

async function ok<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await first.call<T>(method, `/api/v1${path}`, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

it('runs once for an event, whoever reads it again: other processes, and one that lost its place', async () => {
  const rule = await ok<{ id: string }>('POST', '/automation-rules', {
    trigger: 'message.received',
    actions: [{ type: 'reply', message: 'Thanks' }],
  });
  const runs = async () => {
    const rows = await first.pool`select subject_id from automation_runs where rule_id = ${rule.id}`;
    const replies = await first.pool`select id from messages where content = 'Thanks'`;
    return [rows.length, replies.length];
  };
  others.push(await startTestGateway({ database_: first.database }));
  const write = async (count: number) => {
    for (let n = 0; n < count; n += 1) {
      const socket = await connect(first.url, { business_id: first.businessId });
      await socket.ask('client_message', { content: `hello ${n}` });
    }
  };
  await write(10);
  await eventually(async () => expect(await runs()).toEqual([10, 10]));

  // Whoever takes over begins at the beginning, and finds all of it done.
  await first.pool`
    insert into readers (name, seq, day) values ('automation', 0, '1970-01-01')
    on conflict (name) do update set seq = 0, day = '1970-01-01'`;
  await first.pool`update leases set token = gen_random_uuid(), expires_at = now() where key = 'reader:automation'`;
  others.push(await startTestGateway({ database_: first.database }));
  await untilRead(first.pool, 'automation');
  expect(await runs()).toEqual([10, 10]);
  await write(3);
  await eventually(async () => expect(await runs()).toEqual([13, 13]), 20_000);
});
