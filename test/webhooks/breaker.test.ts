import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/core/config.ts';
import type { EndpointRow } from '../../src/webhooks/endpoint-view.ts';
import { judge } from '../../src/webhooks/health.ts';
import type { Result } from '../../src/webhooks/results.ts';
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

async function rowOf(id: string) {
  const [row] = await bench.pool`select * from webhook_endpoints where id = ${id}`;
  return row;
}

describe('an endpoint whose every try fails', () => {
  it('gets a single try now and then, and everything again after the first success', async () => {
    receiver.answer = (_request, response) => response.writeHead(500).end();
    const { endpoint } = await bench.endpoint(receiver.url);
    await bench.publish(100);
    const next = await bench.work(endpoint.id);
    const tried = receiver.received.length;
    expect(tried).toBeGreaterThanOrEqual(10);
    expect(tried).toBeLessThan(40);
    const { paused_until } = (await rowOf(endpoint.id)) ?? {};
    expect(paused_until).toEqual(next);
    // Those that were not tried have lost nothing by it.
    const untried = (await bench.deliveries(endpoint.id)).filter((row) => row['tries'] === 0);
    expect(untried).toHaveLength(100 - tried);

    await bench.hasten(endpoint.id);
    await bench.work(endpoint.id);
    expect(receiver.received).toHaveLength(tried + 1);

    receiver.answer = (_request, response) => response.end();
    await bench.hasten(endpoint.id);
    expect(await bench.work(endpoint.id)).toBeNull();
    const rows = await bench.deliveries(endpoint.id);
    expect(rows.every((row) => row['status'] === 'delivered')).toBe(true);
    expect(await rowOf(endpoint.id)).toMatchObject({ paused_until: null, failing_since: null });
  });

  it('is not woken by events while it is paused, and holds no lane meanwhile', async () => {
    const { endpoint } = await bench.endpoint(receiver.url);
    await bench.pool`update webhook_endpoints set paused_until = now() + interval '1 minute' where id = ${endpoint.id}`;
    expect(await bench.publishedLanes(1)).toEqual([]);
    const next = await bench.work(endpoint.id);
    expect(next?.getTime()).toBeGreaterThan(Date.now() + 50_000);
    expect(receiver.received).toEqual([]);
  });
});

describe('an endpoint that asks for patience', () => {
  it('gets nothing at all until then, an hour at most', async () => {
    receiver.answer = (_request, response) => response.writeHead(503, { 'retry-after': '120' }).end();
    const { endpoint } = await bench.endpoint(receiver.url, { concurrency: 1 });
    await bench.publish(3);
    const next = await bench.work(endpoint.id);
    expect(receiver.received).toHaveLength(1);
    expect(Math.round(((next?.getTime() ?? 0) - Date.now()) / 1_000)).toBe(120);
    receiver.answer = (_request, response) => response.writeHead(429, { 'retry-after': '999999' }).end();
    await bench.hasten(endpoint.id);
    const later = await bench.work(endpoint.id);
    expect(Math.round(((later?.getTime() ?? 0) - Date.now()) / 60_000)).toBe(60);
  });
});

describe('a connection that breaks at once', () => {
  it('is tried a second time at once, which costs the schedule nothing', async () => {
    receiver.answer = (_request, response, incoming) =>
      receiver.received.length === 1 ? incoming.socket.destroy() : response.end();
    const { endpoint } = await bench.endpoint(receiver.url);
    await bench.publish(1);
    expect(await bench.work(endpoint.id)).toBeNull();
    const [delivery] = await bench.deliveries(endpoint.id);
    expect(delivery).toMatchObject({ status: 'delivered', tries: 1, attempt: 2 });
    const attempts = await bench.attempts(delivery?.['id']);
    expect(attempts.map((attempt) => attempt['outcome'])).toEqual(['connect', 'delivered']);
  });
});

describe('what is said of an endpoint', () => {
  const DAY_MS = 86_400_000;
  const now = new Date('2026-03-10T12:00:00Z');
  const policy = readConfig({}).webhooks;
  const failed = (tries: number) =>
    ({ answer: { outcome: 'http_5xx', statusCode: 500 }, status: 'pending', delivery: { tries } }) as Result;
  const delivered = { answer: { outcome: 'delivered', statusCode: 200 }, status: 'delivered' } as Result;
  const healthy: Partial<EndpointRow> = {
    failing_since: null,
    failing_announced_at: null,
    paused_until: null,
  };
  const endpoint = (fields: Partial<EndpointRow>) => ({ ...healthy, ...fields }) as EndpointRow;
  const ago = (ms: number) => new Date(now.getTime() - ms);

  it('is news at the fourth failure of a delivery, and again when a fifth of the time is left', () => {
    const first = judge(endpoint({ failing_since: ago(DAY_MS) }), [failed(3)], { now, streak: 4, policy });
    expect(first?.event).toBe('endpoint.failing');
    const told = { failing_since: ago(3 * DAY_MS), failing_announced_at: ago(2 * DAY_MS) };
    expect(judge(endpoint(told), [failed(5)], { now, streak: 9, policy })).toBeUndefined();
    const late = { failing_since: ago(4.1 * DAY_MS), failing_announced_at: ago(3 * DAY_MS) };
    expect(judge(endpoint(late), [failed(5)], { now, streak: 9, policy })?.event).toBe('endpoint.failing');
    const reminded = { failing_since: ago(4.2 * DAY_MS), failing_announced_at: ago(0.1 * DAY_MS) };
    expect(judge(endpoint(reminded), [failed(5)], { now, streak: 9, policy })).toBeUndefined();
  });

  it('is news where no delivery was tried that often, but very many once', () => {
    const since = { failing_since: ago(40 * 60_000) };
    expect(judge(endpoint(since), [failed(0)], { now, streak: 25, policy })?.event).toBe('endpoint.failing');
    const burst = { failing_since: ago(60_000) };
    expect(judge(endpoint(burst), [failed(0)], { now, streak: 25, policy })?.event).toBeUndefined();
  });

  it('ends with being switched off when the operator says, and from then on what it missed is known', () => {
    const strict = { ...policy, disableAfterMs: DAY_MS };
    const verdict = judge(endpoint({ failing_since: ago(DAY_MS) }), [failed(5)], {
      now,
      streak: 9,
      policy: strict,
    });
    expect(verdict).toMatchObject({
      event: 'endpoint.disabled',
      set: { is_active: false, disabled_reason: 'failing', missed_since: now },
    });
  });

  it('is that it recovered, where its failing was told', () => {
    const quiet = { failing_since: ago(60_000) };
    expect(judge(endpoint(quiet), [delivered], { now, streak: 0, policy })?.event).toBeUndefined();
    const told = { failing_since: ago(DAY_MS), failing_announced_at: ago(DAY_MS) };
    expect(judge(endpoint(told), [delivered, failed(5)], { now, streak: 0, policy })).toMatchObject({
      event: 'endpoint.recovered',
      set: { failing_since: null, paused_until: null },
    });
  });

  it('pauses longer the longer it lasts, from a second to a minute', () => {
    const pauseMs = (lastsMs: number) =>
      (judge(endpoint({ failing_since: ago(lastsMs) }), [failed(0)], {
        now,
        streak: 10,
        policy,
      })?.set.paused_until?.getTime() ?? 0) - now.getTime();
    expect([0, 100_000, DAY_MS].map(pauseMs)).toEqual([1_000, 10_000, 60_000]);
  });
});

describe('a delivery that was given up', () => {
  it('is told once an hour for its endpoint, and never of news about deliveries', async () => {
    receiver.answer = (_request, response) => response.writeHead(400).end();
    const { endpoint } = await bench.endpoint(receiver.url);
    const exhaust = async (type: 'message.received' | 'delivery.failed') => {
      await bench.publish(1, { type });
      await bench.pool`update deliveries set tries = 9 where endpoint_id = ${endpoint.id} and status = 'pending'`;
      await bench.hasten(endpoint.id);
      await bench.work(endpoint.id);
    };
    const told = () => bench.pool`
      select data from outbox where type = 'delivery.failed' and data->'endpoint'->>'id' = ${endpoint.id}`;
    await exhaust('delivery.failed');
    expect(await told()).toHaveLength(0);
    await exhaust('message.received');
    await exhaust('message.received');
    const news = await told();
    expect(news).toHaveLength(1);
    expect(news[0]?.['data'].delivery).toMatchObject({ status: 'failed', event_type: 'message.received' });
  });
});
