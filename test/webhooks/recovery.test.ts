import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type Receiver, startReceiver } from './support/receiver.ts';

/* Getting back what was not delivered, and seeing what was. */

interface Endpoint {
  id: string;
  secret: string;
  missed_since: string | null;
}

interface Delivery {
  id: string;
  event_id: string;
  status: string;
  trigger: string;
  attempt_count: number;
  next_attempt_at: string | null;
}

interface Page {
  data: Delivery[];
}

const ROUTE = '/api/v1/webhook-endpoints';
const LONG_AGO = '2020-01-01T00:00:00Z';
let gateway: TestGateway;
let receiver: Receiver;

beforeAll(async () => {
  gateway = await startTestGateway({ adminApiKey: 'the-admin-key-of-the-test-of-recovery' });
});
afterAll(() => gateway.stop());
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(async () => {
  await gateway.pool`update webhook_endpoints set deleted_at = now(), is_active = false where deleted_at is null`;
  await receiver.close();
});

async function subscribe(fields: object = {}): Promise<Endpoint> {
  const body = { url: receiver.url, events: ['customer.created'], ...fields };
  const answer = await gateway.call<Endpoint>('POST', ROUTE, body);
  expect(answer.status).toBe(201);
  return answer.body;
}

async function addCustomers(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1)
    expect((await gateway.call('POST', '/api/v1/customers', { name: `Ada ${n}` })).status).toBe(201);
}

async function log(id: string, query = ''): Promise<Delivery[]> {
  const answer = await gateway.call<Page>('GET', `${ROUTE}/${id}/deliveries?limit=100${query}`);
  expect(answer.status).toBe(200);
  return answer.body.data;
}

const received = (count: number) => eventually(() => expect(receiver.received).toHaveLength(count));
const allDelivered = (id: string, count: number) =>
  eventually(async () => expect(await log(id, '&status=delivered')).toHaveLength(count));

describe('what failed', () => {
  it('comes back paced, so that what happens now is not held up', async () => {
    const { id } = await subscribe();
    await addCustomers(6);
    await allDelivered(id, 6);
    await gateway.pool`update deliveries set status = 'failed' where endpoint_id = ${id}`;
    const range = { since: LONG_AGO, per_second: 2 };
    const answer = await gateway.call('POST', `${ROUTE}/${id}/recover`, range);
    expect(answer).toMatchObject({ status: 200, body: { recovered: 6, has_more: false } });
    const dues = (await log(id)).map((one) => Date.parse(one.next_attempt_at ?? new Date().toISOString()));
    expect(Math.max(...dues) - Math.min(...dues)).toBeGreaterThanOrEqual(1_800);
    await addCustomers(1);
    await eventually(async () => expect((await log(id))[0]?.status).toBe('delivered'));
    expect((await log(id, '&status=pending')).length).toBeGreaterThan(0);
    await received(13);
    const again = receiver.received.filter(({ headers }) => headers['webhook-trigger'] === 'recover');
    expect(again.map(({ headers }) => headers['webhook-attempt'])).toEqual(Array(6).fill('2'));
    expect(new Set(again.map(({ headers }) => headers['webhook-id'])).size).toBe(6);
  });

  it('comes back 10,000 at once at most, whoever else asks, and says that there is more', async () => {
    const { id } = await subscribe({ url: 'https://never-asked.example/' });
    await gateway.pool`
      insert into deliveries (id, created_at, business_id, endpoint_id, event_id, event_seq, event_type, body, status)
      select uuidv7(), now(), ${gateway.businessId}, ${id}, uuidv7(), n, 'customer.created', '{}', 'failed'
      from generate_series(1, 10_500) n`;
    const recover = () => gateway.call('POST', `${ROUTE}/${id}/recover`, { since: LONG_AGO, per_second: 1 });
    const both = (await Promise.all([recover(), recover()])).map(({ body }) => body);
    expect(both).toContainEqual({ recovered: 10_000, has_more: true });
    expect(both).toContainEqual({ recovered: 500, has_more: false });
    expect((await recover()).body).toEqual({ recovered: 0, has_more: false });
  });

  it('is skipped by hand where it is not worth another try', async () => {
    receiver.answer = (_request, response) => response.writeHead(500).end();
    const { id } = await subscribe();
    await addCustomers(1);
    await received(1);
    const [delivery] = await eventually(async () => {
      const pending = await log(id, '&status=pending&outcome=http_5xx');
      expect(pending).toHaveLength(1);
      return pending;
    });
    const path = `${ROUTE}/${id}/deliveries/${delivery?.id}/skip`;
    expect(await gateway.call('POST', path)).toMatchObject({
      status: 200,
      body: { status: 'failed', next_attempt_at: null },
    });
    expect(await gateway.call('POST', path)).toMatchObject({ status: 200, body: { status: 'failed' } });
  });
});

describe('what was missed', () => {
  it('while an endpoint was off is delivered when it is on again, once, and what was canceled too', async () => {
    receiver.answer = (_request, response) => response.writeHead(500).end();
    const { id } = await subscribe();
    await addCustomers(1);
    await eventually(async () => expect(await log(id, '&outcome=http_5xx')).toHaveLength(1));
    await gateway.call('PATCH', `${ROUTE}/${id}`, { is_active: false });
    await eventually(async () => expect(await log(id, '&status=canceled')).toHaveLength(1));
    await addCustomers(3);
    // What is dispatched after the endpoint is on again was not missed.
    await eventually(async () => expect(await gateway.pool`select 1 from outbox`).toEqual([]));
    receiver.answer = (_request, response) => response.end();
    const replay = (body?: object) => gateway.call('POST', `${ROUTE}/${id}/replay`, body);
    expect((await replay({ since: LONG_AGO })).status).toBe(409);
    const on = await gateway.call<Endpoint>('PATCH', `${ROUTE}/${id}`, { is_active: true });
    expect(on.body.missed_since).toEqual(expect.any(String));
    const before = receiver.received.length;
    await addCustomers(1);
    const canceled = await gateway.call('POST', `${ROUTE}/${id}/recover`, { since: LONG_AGO });
    expect(canceled.body).toEqual({ recovered: 1, has_more: false });
    expect((await replay()).body).toEqual({ replayed: 3, has_more: false });
    await allDelivered(id, 5);
    expect(receiver.received).toHaveLength(before + 5);
    const replayed = receiver.received.filter(({ headers }) => headers['webhook-trigger'] === 'replay');
    const events =
      await gateway.pool`select id from events where type = 'customer.created' order by seq desc limit 4`;
    expect(replayed.map(({ headers }) => headers['webhook-id'])).toEqual(
      events
        .slice(1)
        .map((event) => event['id'])
        .reverse(),
    );
    expect(JSON.parse(replayed[0]?.body ?? '')).toMatchObject({ type: 'customer.created', version: 1 });
    const after = await gateway.call<Endpoint>('GET', `${ROUTE}/${id}`);
    expect(after.body.missed_since).toBeNull();
    expect((await replay()).status).toBe(409);
    expect((await replay({ since: LONG_AGO, until: new Date().toISOString() })).body).toMatchObject({
      has_more: false,
    });
  });

  it('includes what waited when the endpoint was switched off', async () => {
    receiver.answer = (_request, response) => response.writeHead(500).end();
    const { id } = await subscribe();
    await addCustomers(2);
    await eventually(async () => expect(await log(id, '&outcome=http_5xx')).toHaveLength(2));
    await gateway.call('PATCH', `${ROUTE}/${id}`, { is_active: false });
    await eventually(async () => expect(await log(id, '&status=canceled')).toHaveLength(2));
    receiver.answer = (_request, response) => response.end();
    await gateway.call('PATCH', `${ROUTE}/${id}`, { is_active: true });
    const replayed = await gateway.call('POST', `${ROUTE}/${id}/replay`);
    expect(replayed.body).toEqual({ replayed: 2, has_more: false });
    await allDelivered(id, 2);
  });

  it('leaves out what was canceled when it was switched off before', async () => {
    receiver.answer = (_request, response) => response.writeHead(500).end();
    const { id } = await subscribe();
    const turn = (is_active: boolean) => gateway.call('PATCH', `${ROUTE}/${id}`, { is_active });
    const replay = (body?: object) =>
      gateway.call<{ replayed: number }>('POST', `${ROUTE}/${id}/replay`, body);
    for (const times of [1, 2]) {
      await addCustomers(1);
      await eventually(async () => expect(await log(id, '&status=pending&outcome=http_5xx')).toHaveLength(1));
      await turn(false);
      await eventually(async () => expect(await log(id, '&status=canceled')).toHaveLength(times));
      await turn(true);
      // The first time only what comes from now on is asked for.
      if (times === 1) expect((await replay({ since: new Date().toISOString() })).body.replayed).toBe(0);
    }
    receiver.answer = (_request, response) => response.end();
    expect((await replay()).body).toEqual({ replayed: 1, has_more: false });
    await allDelivered(id, 1);
    expect(await log(id, '&status=canceled')).toHaveLength(1);
  });

  it('before an endpoint was there is delivered to it as well, by its own choice of events', async () => {
    await addCustomers(2);
    const since = new Date(Date.now() - 60_000).toISOString();
    const { id } = await subscribe({ filter: { 'customer.name': 'Ada 1' } });
    const answer = await gateway.call<{ replayed: number }>('POST', `${ROUTE}/${id}/replay`, { since });
    expect(answer.status).toBe(200);
    expect(answer.body.replayed).toBeGreaterThan(0);
    await allDelivered(id, answer.body.replayed);
    const again = await gateway.call('POST', `${ROUTE}/${id}/replay`, { since });
    expect(again.body).toEqual({ replayed: 0, has_more: false });
    for (const { body } of receiver.received) expect(JSON.parse(body).data.customer.name).toBe('Ada 1');
  });

  it('is not delivered of a customer who was erased meanwhile', async () => {
    const { body } = await gateway.call<{ id: string }>('POST', '/api/v1/customers', { name: 'Gone' });
    const since = new Date(Date.now() - 10_000).toISOString();
    expect((await gateway.call('DELETE', `/api/v1/customers/${body.id}`)).status).toBeLessThan(300);
    await eventually(async () => {
      const told = await gateway.pool`
        select 1 from events where customer_id = ${body.id} and type = 'customer.created' and data->>'erased' is null`;
      expect(told).toHaveLength(0);
    });
    const { id } = await subscribe({ filter: null });
    expect((await gateway.call('POST', `${ROUTE}/${id}/replay`, { since })).status).toBe(200);
    await eventually(async () => expect(await log(id, '&status=pending')).toHaveLength(0));
    for (const { body: text } of receiver.received) expect(text).not.toMatch(new RegExp(`${body.id}|erased`));
  });
});

describe('what waits for another try when its customer is erased', () => {
  it('is canceled, lets those behind it go, and comes back by no way', async () => {
    receiver.answer = ({ body }, response) => response.writeHead(body.includes('Gone') ? 500 : 200).end();
    const { id } = await subscribe({ order: 'endpoint' });
    const { body: customer } = await gateway.call<{ id: string }>('POST', '/api/v1/customers', {
      name: 'Gone',
    });
    await addCustomers(1);
    const [waiting] = await eventually(async () => {
      const failed = await log(id, '&outcome=http_5xx');
      expect(failed).toHaveLength(1);
      return failed;
    });
    expect((await gateway.call('DELETE', `/api/v1/customers/${customer.id}`)).status).toBeLessThan(300);
    await eventually(async () => expect(await log(id, '&status=canceled')).toHaveLength(1));
    await allDelivered(id, 1);
    const recovered = await gateway.call('POST', `${ROUTE}/${id}/recover`, { since: LONG_AGO });
    expect(recovered.body).toEqual({ recovered: 0, has_more: false });
    const retried = await gateway.call('POST', `${ROUTE}/${id}/deliveries/${waiting?.id}/retry`);
    expect(retried.status).toBe(409);
    for (const { body } of receiver.received) expect(body).not.toContain('erased');
  });
});

describe('a test event', () => {
  it('arrives signed like any other, and its delivery tells the outcome', async () => {
    const { id, secret } = await subscribe();
    const { body: delivery } = await gateway.call<Delivery>('POST', `${ROUTE}/${id}/test`);
    expect(delivery).toMatchObject({ event_type: 'endpoint.test', trigger: 'test', status: 'pending' });
    await received(1);
    const [request] = receiver.received;
    expect(request?.headers['webhook-trigger']).toBe('test');
    expect(new Webhook(secret).verify(request?.body ?? '', request?.headers as never)).toMatchObject({
      type: 'endpoint.test',
      data: { endpoint: { id } },
    });
    await eventually(async () => expect(await log(id, '&trigger=test&status=delivered')).toHaveLength(1));
  });
});

describe('the log', () => {
  it('finds deliveries by what became of them, and shows what was asked and answered', async () => {
    receiver.answer = (_request, response) =>
      response
        .writeHead(receiver.received.length === 1 ? 418 : 200, { 'x-trace': 'abc\u00e9' })
        .end('short and stout');
    const { id } = await subscribe();
    await addCustomers(2);
    await received(2);
    const [teapot] = await eventually(async () => {
      const found = await log(id, '&status_code=418');
      expect(found).toHaveLength(1);
      return found;
    });
    await allDelivered(id, 1);
    expect(await log(id, `&event_id=${teapot?.event_id}`)).toEqual([teapot]);
    expect(await log(id, '&event_type=customer.created&trigger=event')).toHaveLength(2);
    expect(await log(id, '&event_type=customer.updated')).toEqual([]);
    expect(await log(id, `&conversation_id=${id}`)).toEqual([]);
    expect(await log(id, `&since=${new Date(Date.now() + 60_000).toISOString()}`)).toEqual([]);
    expect(
      await log(id, `&until=${new Date(Date.now() + 60_000).toISOString()}&outcome=http_4xx`),
    ).toHaveLength(1);
    const detail = await gateway.call('GET', `${ROUTE}/${id}/deliveries/${teapot?.id}`);
    const [request] = receiver.received;
    expect(detail.body).toMatchObject({
      body: request?.body,
      tries: 1,
      attempt_count: 1,
      next_attempt_at: expect.any(String),
      last_duration_ms: expect.any(Number),
      attempts: [
        {
          number: 1,
          duration_ms: expect.any(Number),
          outcome: 'http_4xx',
          status_code: 418,
          request: {
            method: 'POST',
            url: receiver.url,
            headers: {
              'webhook-id': teapot?.event_id,
              'webhook-timestamp': request?.headers['webhook-timestamp'],
            },
          },
          response_headers: { 'x-trace': expect.stringContaining('abc') },
          response_excerpt: 'short and stout',
        },
      ],
    });
    for (const unknown of ['outcome=tired', 'status_code=99999999999', 'status_code=teapot'])
      expect((await gateway.call('GET', `${ROUTE}/${id}/deliveries?${unknown}`)).status).toBe(422);
  });

  it('is counted: what became of it, how fast, and what waits', async () => {
    receiver.answer = (_request, response) =>
      response.writeHead(receiver.received.length === 1 ? 500 : 200).end();
    const { id } = await subscribe();
    await addCustomers(4);
    await allDelivered(id, 3);
    const { body } = await gateway.call('GET', `${ROUTE}/${id}/stats`);
    expect(body).toMatchObject({
      deliveries: { delivered: 3, pending: 1, failed: 0, canceled: 0 },
      attempts: 4,
      success_rate: 1,
      failures: { http_5xx: 1 },
      duration_ms: { p50: expect.any(Number), p99: expect.any(Number) },
      backlog: { pending: 1, next_attempt_at: expect.any(String) },
    });
    const { hours } = body as { hours: { delivered: number }[] };
    expect(hours.reduce((sum, { delivered }) => sum + delivered, 0)).toBe(3);
  });

  it('is in the metrics, without a word of whose it is', async () => {
    await subscribe();
    await addCustomers(1);
    await received(1);
    await eventually(async () => {
      const { body } = await gateway.call<string>('GET', '/metrics');
      expect(body).toMatch(/tributary_webhook_attempt_duration_seconds_count\{outcome="delivered"\} [1-9]/);
      expect(body).toMatch(/^tributary_delivery_oldest_due_seconds \d/m);
      expect(body).toMatch(/^tributary_webhook_endpoints_failing \d/m);
      expect(body).not.toContain(gateway.businessId);
    });
  });
});
