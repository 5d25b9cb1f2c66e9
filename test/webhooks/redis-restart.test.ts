import { afterEach, describe, expect, it, vi } from 'vitest';
import { eventually, startTestGateway } from '../support/gateway.ts';
import { freePort, redisMissing, startOwnRedis } from '../support/redis.ts';
import { startReceiver } from './support/receiver.ts';

vi.setConfig({ testTimeout: 60_000 });

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

describe.skipIf(redisMissing())('a Redis that is started again without its data', () => {
  it('costs no delivery, neither of what was due before nor of what happens meanwhile', async () => {
    const port = await freePort();
    let redis = await startOwnRedis(port);
    closing.push(() => redis.stop());
    const gateway = await startTestGateway({ redis: { url: redis.url } });
    closing.push(gateway.stop);
    const receiver = await startReceiver();
    closing.push(receiver.close);
    let isOpen = false;
    receiver.answer = (_request, response) => response.writeHead(isOpen ? 200 : 500).end();
    for (let n = 0; n < 5; n += 1)
      await gateway.call('POST', '/api/v1/webhook-endpoints', {
        url: `${receiver.url}/${n}`,
        events: ['customer.*'],
      });
    const addCustomers = async (count: number) => {
      for (let n = 0; n < count; n += 1) await gateway.call('POST', '/api/v1/customers', { name: 'Ada' });
    };
    const pending = async () =>
      (await gateway.pool<{ n: number }[]>`select count(*) as n from deliveries where status = 'pending'`)[0]
        ?.n;
    await addCustomers(10);
    await eventually(async () => expect(await pending()).toBe(50));
    await redis.stop();
    await addCustomers(5);
    redis = await startOwnRedis(port);
    await addCustomers(5);
    isOpen = true;
    await eventually(async () => expect(await pending()).toBe(0), 40_000);
    const taken = await gateway.pool`select 1 from deliveries where status = 'delivered'`;
    expect(taken).toHaveLength(100);
  });
});
