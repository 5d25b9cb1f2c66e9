import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { readConfig } from '../../src/core/config.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type Receiver, startReceiver } from './support/receiver.ts';

/* One endpoint's trouble is nobody else's. Nothing is timed: what must not wait is there while the others still wait. */

vi.setConfig({ testTimeout: 120_000 });

// Who never answers is still waited for when all others are served, on a slow machine too.
const POLICY = { ...readConfig({}).webhooks, timeoutMs: 60_000 };

const ADMIN_API_KEY = 'the-admin-key-of-the-test-of-isolation';
const ROUTE = '/api/v1/webhook-endpoints';
let gateway: TestGateway;
const receivers: Receiver[] = [];

beforeAll(async () => {
  gateway = await startTestGateway({ adminApiKey: ADMIN_API_KEY, webhooks: POLICY });
});
afterAll(() => gateway.stop());
afterEach(async () => {
  await gateway.pool`update webhook_endpoints set deleted_at = now(), is_active = false where deleted_at is null`;
  for (const receiver of receivers.splice(0)) await receiver.close();
});

async function openReceiver(): Promise<Receiver> {
  const receiver = await startReceiver();
  receivers.push(receiver);
  return receiver;
}

async function subscribe(url: string, key = gateway.apiKey): Promise<string> {
  const answer = await gateway.call<{ id: string }>(
    'POST',
    ROUTE,
    { url, events: ['customer.created'] },
    { key },
  );
  expect(answer.status).toBe(201);
  return answer.body.id;
}

async function addCustomer(key = gateway.apiKey): Promise<void> {
  expect((await gateway.call('POST', '/api/v1/customers', { name: 'Ada' }, { key })).status).toBe(201);
}

describe('a black hole and a slow one among a hundred endpoints', () => {
  it('delay none of the others', async () => {
    const [blackHole, slow, healthy] = [await openReceiver(), await openReceiver(), await openReceiver()];
    blackHole.answer = () => {};
    const others = Promise.withResolvers<void>();
    slow.answer = (_request, response) => void others.promise.then(() => response.end());
    const broken = await subscribe(blackHole.url);
    await subscribe(slow.url);
    for (let n = 0; n < 98; n += 1) await subscribe(`${healthy.url}/${n}`);
    const events = 25;
    for (let n = 0; n < events; n += 1) await addCustomer();
    await eventually(() => expect(healthy.received).toHaveLength(98 * events), 50_000);
    // All of theirs is there while not one request of the black hole has ended.
    const attempts = await gateway.pool`
      select 1 from attempts a join deliveries d on d.id = a.subject_id
      where d.endpoint_id = ${broken} and a.outcome is not null`;
    expect(attempts).toHaveLength(0);
    expect(blackHole.received).toHaveLength(10);
    expect(slow.received).toHaveLength(10);
    const distinct = new Set(healthy.received.map(({ path, headers }) => path + headers['webhook-id']));
    expect(distinct.size).toBe(98 * events);
    others.resolve();
    await eventually(() => expect(slow.received).toHaveLength(events));
  });
});

describe('hundreds of endpoints that never answer', () => {
  it('leave room for those that do', async () => {
    const { body } = await gateway.call<{ api_key: string }>(
      'POST',
      '/api/v1/businesses',
      { name: 'Third' },
      {
        key: ADMIN_API_KEY,
      },
    );
    const [blackHole, healthy] = [await openReceiver(), await openReceiver()];
    blackHole.answer = () => {};
    await gateway.pool`
      insert into webhook_endpoints (id, business_id, url, events)
      select uuidv7(), ${gateway.businessId}, ${blackHole.url} || '/' || n, '{customer.created}' from generate_series(1, 400) n`;
    await addCustomer();
    await eventually(() => expect(blackHole.received).toHaveLength(400), 30_000);
    await subscribe(healthy.url, body.api_key);
    await addCustomer(body.api_key);
    await eventually(() => expect(healthy.received).toHaveLength(1));
    const ended = await gateway.pool`
      select 1 from attempts where url like ${`${blackHole.url}%`} and outcome is not null`;
    expect(ended).toHaveLength(0);
  });
});

describe("one business's 100,000 due deliveries", () => {
  it("do not delay another's", async () => {
    const { body } = await gateway.call<{ api_key: string }>(
      'POST',
      '/api/v1/businesses',
      { name: 'Other' },
      {
        key: ADMIN_API_KEY,
      },
    );
    const [busy, quick] = [await openReceiver(), await openReceiver()];
    busy.answer = (_request, response) => void sleep(2).then(() => response.end());
    const busyId = await subscribe(busy.url);
    await subscribe(quick.url, body.api_key);
    await gateway.pool`
      insert into deliveries (id, created_at, business_id, endpoint_id, event_id, event_seq, event_type, body, next_attempt_at)
      select uuidv7(), now(), ${gateway.businessId}, ${busyId}, uuidv7(), n, 'customer.created', '{}', now()
      from generate_series(1, 100000) n`;
    await gateway.pool`
      insert into lanes (key, due_at) values (${`deliver:${busyId}`}, now()) on conflict (key) do update set due_at = now()`;
    await eventually(() => expect(busy.received.length).toBeGreaterThan(100));
    for (let n = 1; n <= 10; n += 1) {
      await addCustomer(body.api_key);
      await eventually(() => expect(quick.received).toHaveLength(n));
    }
    const [row] = await gateway.pool<{ pending: number }[]>`
      select count(*) as pending from deliveries where endpoint_id = ${busyId} and status = 'pending'`;
    expect(row?.pending).toBeGreaterThan(50_000);
    await gateway.call('DELETE', `${ROUTE}/${busyId}`);
  });
});
