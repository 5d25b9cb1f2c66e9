import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/id.ts';
import { skipDelivery } from '../../src/webhooks/deliveries.ts';
import { until } from '../support/until.ts';
import { type Bench, openBench } from './support/lanes.ts';
import { type Receiver, startReceiver } from './support/receiver.ts';

let bench: Bench;
let receiver: Receiver;

beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(async () => {
  await bench.pool`update webhook_endpoints set is_active = false where is_active`;
  await receiver.close();
});

const ids = () => receiver.received.map(({ headers }) => headers['webhook-id']);

/** Events of several conversations, taken in turns. */
async function publishTurns(conversations: readonly (string | null)[], rounds: number) {
  const events = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const conversation_id of conversations)
      events.push(...(await bench.publish(1, { conversation_id })));
  }
  return events;
}

describe('an endpoint that wants everything in order', () => {
  it('gets one delivery at a time, in the order of events', async () => {
    const { endpoint } = await bench.endpoint(receiver.url, { order: 'endpoint' });
    let open = 0;
    let most = 0;
    receiver.answer = async (_request, response) => {
      open += 1;
      most = Math.max(most, open);
      await sleep(Math.random() * 5);
      open -= 1;
      response.end();
    };
    const events = await publishTurns([newId(), null, newId()], 10);
    await bench.work(endpoint.id);
    expect(ids()).toEqual(events.map(({ id }) => id));
    expect(most).toBe(1);
  });

  it('waits behind what fails, until that is delivered, given up or skipped', async () => {
    const { endpoint } = await bench.endpoint(receiver.url, { order: 'endpoint' });
    receiver.answer = (_request, response) => response.writeHead(500).end();
    const events = await bench.publish(3);
    expect(await bench.work(endpoint.id)).toBeInstanceOf(Date);
    expect(ids()).toEqual([events[0]?.id]);
    const [head] = await bench.deliveries(endpoint.id);
    receiver.answer = (_request, response) => response.end();
    await bench.pool.begin((tx) => skipDelivery(tx, endpoint, head?.['id']));
    await bench.work(endpoint.id);
    expect(ids()).toEqual([events[0]?.id, events[1]?.id, events[2]?.id]);
    const rows = await bench.deliveries(endpoint.id);
    expect(rows.map((row) => row['status'])).toEqual(['failed', 'delivered', 'delivered']);
  });
});

describe('an endpoint that wants each conversation in order', () => {
  it('gets each in its order, and several conversations side by side', async () => {
    const { endpoint } = await bench.endpoint(receiver.url, { order: 'conversation' });
    const open = new Map<string, number>();
    const seen: string[] = [];
    let most = 0;
    let widest = 0;
    const conversationOf = new Map<string, string>();
    receiver.answer = async ({ headers }, response) => {
      const conversation = conversationOf.get(String(headers['webhook-id'])) ?? '';
      open.set(conversation, (open.get(conversation) ?? 0) + 1);
      most = Math.max(most, open.get(conversation) ?? 0);
      widest = Math.max(widest, [...open.values()].filter((count) => count > 0).length);
      await sleep(2 + Math.random() * 5);
      open.set(conversation, (open.get(conversation) ?? 0) - 1);
      response.end();
    };
    const conversations = Array.from({ length: 6 }, newId);
    const events = await publishTurns(conversations, 8);
    for (const event of events) conversationOf.set(event.id, event.conversation_id ?? '');
    await bench.work(endpoint.id);
    seen.push(...ids().map(String));
    for (const conversation of conversations) {
      const expected = events.filter(({ conversation_id }) => conversation_id === conversation);
      expect(seen.filter((id) => conversationOf.get(id) === conversation)).toEqual(
        expected.map(({ id }) => id),
      );
    }
    expect(most).toBe(1);
    expect(widest).toBeGreaterThan(1);
  });

  it('holds up one conversation only, and nothing that belongs to none', async () => {
    const { endpoint } = await bench.endpoint(receiver.url, { order: 'conversation' });
    const [stuck, free] = [newId(), newId()];
    const events = await publishTurns([stuck, free, null], 2);
    const poison = events[0]?.id;
    receiver.answer = ({ headers }, response) =>
      response.writeHead(headers['webhook-id'] === poison ? 500 : 200).end();
    await bench.work(endpoint.id);
    expect(new Set(ids())).toEqual(
      new Set([poison, events[1]?.id, events[2]?.id, events[4]?.id, events[5]?.id]),
    );
    receiver.answer = (_request, response) => response.end();
    await bench.hasten(endpoint.id);
    await bench.work(endpoint.id);
    expect(ids().slice(-2)).toEqual([poison, events[3]?.id]);
  });

  it('finds the first of each among very many that wait', async () => {
    const { endpoint } = await bench.endpoint(receiver.url, { order: 'conversation', concurrency: 2 });
    const conversation_id = newId();
    await bench.publish(3_000, { conversation_id });
    const last = await bench.publish(1, { conversation_id: newId() });
    const lease = await bench.lease(endpoint.id);
    const working = bench.work(endpoint.id, lease);
    await until(() => ids().includes(last[0]?.id));
    lease.draining = true;
    lease.ring();
    await working;
    expect(receiver.received.length).toBeLessThan(3_000);
  });
});
