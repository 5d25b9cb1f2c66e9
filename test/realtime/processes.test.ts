import { afterEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { redisMissing, startRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { closeAll, connect, quiet } from './sockets.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  closeAll();
  for (const close of closers.splice(0).reverse()) await close();
});

interface Pair {
  database: TestDatabase;
  one: TestGateway;
  two: TestGateway;
}

async function startPair(redis: { url: string } | undefined): Promise<Pair> {
  const database = await createTestDatabase();
  closers.push(database.drop);
  const one = await startTestGateway({ database_: database, redis });
  closers.push(one.stop);
  const two = await startTestGateway({ database_: database, redis });
  closers.push(two.stop);
  return { database, one, two };
}

async function talk({ one, two }: Pair): Promise<void> {
  const { businessId: business_id, apiKey: token } = one;
  const agents = await Promise.all([one, two].map(({ url }) => connect(url, { business_id, token })));
  const vic = await connect(one.url, { business_id });
  const { visitor_token } = await vic.next('session');
  const elsewhere = await connect(two.url, { business_id, visitor_token });
  const { conversation_id } = await vic.ask('client_message', { content: '0' });
  for (let n = 1; n <= 10; n += 1) {
    const url = `${n % 2 === 0 ? one.url : two.url}/api/v1/conversations/${conversation_id}/reply`;
    await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ message: String(n), type: 'reply' }),
    });
  }
  const all = Array.from({ length: 11 }, (_, n) => String(n));
  for (const socket of [...agents, vic, elsewhere]) {
    await until(() => socket.of('new_message').length >= 11);
  }
  await quiet(1_500);
  for (const socket of [...agents, vic, elsewhere]) {
    expect(socket.of('new_message').map((it) => it['content'])).toEqual(all);
  }
  const [first, second] = agents.map((it) => it.of('event').map((event) => event['cursor']));
  expect(second).toEqual(first);
}

it('publishes every event once to the sockets of both processes, in one order', async () => {
  await talk(await startPair(undefined));
});

describe.skipIf(redisMissing())('with Redis', () => {
  async function startWithRedis(): Promise<Pair> {
    const redis = await startRedis();
    closers.push(redis.stop);
    return startPair({ url: redis.url });
  }

  it('publishes every event once, as without it', async () => {
    await talk(await startWithRedis());
  });

  it('carries typing from one process to the other, and ends revoked sessions in both', async () => {
    const { one, two } = await startWithRedis();
    const { businessId: business_id, apiKey: token } = one;
    const ann = await connect(two.url, { business_id, token });
    const vic = await connect(one.url, { business_id });
    const { visitor_token } = await vic.next('session');
    const elsewhere = await connect(two.url, { business_id, visitor_token });
    const { conversation_id } = await vic.ask('client_message', { content: 'hi' });
    await quiet(1_500);
    await vic.ask('typing', { conversation_id, is_typing: true });
    await ann.next('typing', (it) => it['is_typing'] === true);
    await ann.ask('typing', { conversation_id, is_typing: true });
    await vic.next('typing', (it) => it['is_typing'] === true);
    vic.socket.emit('end_session');
    await until(() => vic.socket.disconnected && elsewhere.socket.disconnected);
  });
});

it('says goodbye before it stops, and answers what it was asked before', async () => {
  const { one, two } = await startPair(undefined);
  const { businessId: business_id, apiKey: token } = one;
  const ann = await connect(two.url, { business_id, token });
  const vic = await connect(two.url, { business_id });
  let release = () => {};
  const locked = new Promise<void>((resolve) => {
    release = resolve;
  });
  const locking = one.pool.begin(async (tx) => {
    await tx`lock table threads`;
    await locked;
  });
  const asked = vic.ask('client_message', { content: 'last words' });
  await until(async () => {
    const waiting =
      await two.pool`select 1 from pg_locks where relation = 'threads'::regclass and not granted`;
    return waiting.length > 0;
  });
  const stopped = closers.pop()?.();
  await quiet();
  release();
  await locking;
  await stopped;
  expect(await asked).toMatchObject({ seq: 1 });
  expect((await ann.next('draining'))['retry_after_ms']).toBeGreaterThan(0);
  expect(vic.of('draining')).toHaveLength(1);
  expect(ann.socket.disconnected).toBe(true);
});

it('closes connections in a way that lets clients reconnect', async () => {
  const { one, two } = await startPair(undefined);
  const ann = await connect(two.url, { business_id: one.businessId, token: one.apiKey });
  const reason = new Promise((resolve) => ann.socket.once('disconnect', resolve));
  await closers.pop()?.();
  expect(await reason).toBe('transport close');
});
