import type { ServerResponse } from 'node:http';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/id.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type Receiver, startReceiver } from './support/receiver.ts';

interface Endpoint {
  id: string;
  url: string;
  events: string[];
  is_active: boolean;
  rate_limit: number | null;
  secret: string;
}

interface Delivery {
  id: string;
  event_id: string;
  event_type: string;
  status: string;
  tries: number;
  body: string;
  attempts: {
    number: number;
    outcome: string;
    status_code: number | null;
    response_excerpt: string | null;
  }[];
}

interface Page<T> {
  data: T[];
  meta: { next_cursor: string | null; has_more: boolean };
}

interface Failed {
  error: { code: string; details: { field: string }[] };
}

const ROUTE = '/api/v1/webhook-endpoints';
let gateway: TestGateway;
let receiver: Receiver;

beforeAll(async () => {
  gateway = await startTestGateway();
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
  const answer = await gateway.call<Endpoint>('POST', ROUTE, { url: receiver.url, events: ['*'], ...fields });
  expect(answer.status).toBe(201);
  return answer.body;
}

async function addCustomer(): Promise<void> {
  const answer = await gateway.call('POST', '/api/v1/customers', { name: 'Ada' });
  expect(answer.status).toBe(201);
}

async function refusal(body: object): Promise<{ status: number; fields: string[] }> {
  const answer = await gateway.call<Failed>('POST', ROUTE, body);
  return {
    status: answer.status,
    fields: answer.body.error.details.map(({ field }) => field.split('.')[0] ?? ''),
  };
}

describe('endpoints', () => {
  it('are created with a secret shown once, listed, changed and deleted', async () => {
    const created = await subscribe({
      url: 'https://your-server.com/webhook',
      events: ['message.received'],
      rate_limit: 5,
    });
    expect(created).toMatchObject({
      url: 'https://your-server.com/webhook',
      events: ['message.received'],
      is_active: true,
      rate_limit: 5,
      secret: expect.stringMatching(/^whsec_/),
    });
    const { secret, ...shown } = created;
    const path = `${ROUTE}/${created.id}`;
    expect((await gateway.call('GET', path)).body).toEqual(shown);
    const list = await gateway.call<Page<Endpoint>>('GET', ROUTE);
    expect(list.body.data).toEqual([shown]);
    const stored = await gateway.pool`select secret from endpoint_secrets where endpoint_id = ${created.id}`;
    expect(Buffer.from(stored[0]?.['secret']).toString('latin1')).not.toContain(secret.slice(6, 20));

    const patched = await gateway.call<Endpoint>('PATCH', path, {
      events: ['*', 'message.sent'],
      is_active: false,
    });
    expect(patched).toMatchObject({ status: 200, body: { events: ['*'], is_active: false, rate_limit: 5 } });

    expect((await gateway.call('DELETE', path)).status).toBe(204);
    expect((await gateway.call('GET', path)).status).toBe(404);
    expect((await gateway.call<Page<Endpoint>>('GET', ROUTE)).body.data).toEqual([]);
  });

  it('are refused by the name of the field', async () => {
    const url = 'https://example.com/';
    expect(await refusal({ url: 'http://10.0.0.1/', events: ['*'] })).toEqual({
      status: 422,
      fields: ['url'],
    });
    expect(await refusal({ url: 'http://[::ffff:a00:1]/', events: ['*'] })).toEqual({
      status: 422,
      fields: ['url'],
    });
    expect(await refusal({ url: 'ftp://example.com/', events: ['*'] })).toEqual({
      status: 422,
      fields: ['url'],
    });
    expect(await refusal({ url, events: [] })).toEqual({ status: 422, fields: ['events'] });
    expect(await refusal({ url, events: ['message.eaten'] })).toEqual({ status: 422, fields: ['events'] });
    expect(await refusal({ url, events: ['*'], rate_limit: 0 })).toEqual({
      status: 422,
      fields: ['rate_limit'],
    });
    expect(await refusal({ events: ['*'] })).toEqual({ status: 422, fields: ['url'] });
  });

  it('are 500 at most, so that one business cannot take all the lanes', async () => {
    const url = 'https://example.com/';
    await gateway.pool`
      insert into webhook_endpoints (id, business_id, url, events)
      select uuidv7(), ${gateway.businessId}, ${url}, '{message.read}' from generate_series(1, 499)`;
    const { id } = await subscribe({ url });
    const refused = await gateway.call<Failed>('POST', ROUTE, { url, events: ['*'] });
    expect(refused).toMatchObject({ status: 409, body: { error: { code: 'conflict' } } });
    await gateway.call('DELETE', `${ROUTE}/${id}`);
    await subscribe({ url });
  });

  it('of another business, and unknown ones, are not found', async () => {
    const other = newId();
    await gateway.pool`insert into businesses (id, name) values (${other}, 'Other')`;
    const [row] = await gateway.pool`
      insert into webhook_endpoints (id, business_id, url, events) values (${newId()}, ${other}, 'https://x.test/', '{*}')
      returning id`;
    for (const id of [row?.['id'], newId(), 'conv-123']) {
      for (const [method, rest, body] of [
        ['GET', '', undefined],
        ['PATCH', '', { is_active: false }],
        ['DELETE', '', undefined],
        ['GET', '/secret', undefined],
        ['POST', '/rotate-secret', {}],
        ['POST', '/test', undefined],
        ['GET', '/deliveries', undefined],
        ['GET', `/deliveries/${newId()}`, undefined],
        ['POST', `/deliveries/${newId()}/retry`, undefined],
        ['POST', '/recover', { since: '2026-01-01T00:00:00Z' }],
      ] as const) {
        const answer = await gateway.call(method, `${ROUTE}/${id}${rest}`, body);
        expect([method, rest, answer.status]).toEqual([method, rest, 404]);
      }
    }
  });

  it('show their secrets, and sign with old and new after a rotation', async () => {
    const { id, secret } = await subscribe();
    type Secrets = {
      secret: string;
      secrets: { kind: string; secret: string | null; public_key: string | null }[];
    };
    const before = await gateway.call<Secrets>('GET', `${ROUTE}/${id}/secret`);
    expect(before.body).toMatchObject({ secret, secrets: [{ kind: 'v1', secret, expires_at: null }] });
    const rotated = await gateway.call<Secrets>('POST', `${ROUTE}/${id}/rotate-secret`);
    expect(rotated.body.secret).not.toBe(secret);
    expect(rotated.body.secrets).toHaveLength(2);
    const asymmetric = await gateway.call<Secrets>('POST', `${ROUTE}/${id}/rotate-secret`, { kind: 'v1a' });
    expect(asymmetric.body.secret).toBe(rotated.body.secret);
    expect(JSON.stringify(asymmetric.body)).not.toContain('whsk_');
    expect(asymmetric.body.secrets.map((one) => one.public_key).join('')).toContain('whpk_');
    await gateway.call('POST', `${ROUTE}/${id}/test`);
    await eventually(() => expect(receiver.received).toHaveLength(1));
    const [request] = receiver.received;
    for (const one of [secret, rotated.body.secret]) {
      new StandardWebhook(one).verify(request?.body ?? '', request?.headers as never);
    }
    for (let rotations = 0; rotations < 12; rotations += 1) {
      await gateway.call('POST', `${ROUTE}/${id}/rotate-secret`, { overlap_seconds: 600 });
    }
    const after = await gateway.call<Secrets>('GET', `${ROUTE}/${id}/secret`);
    expect(after.body.secrets).toHaveLength(10);
  });
});

describe('events', () => {
  it('reach the endpoints that hear them, in the dialect of each, within moments', async () => {
    const all = await subscribe({ url: `${receiver.url}/all` });
    await subscribe({ url: `${receiver.url}/customers`, events: ['customer.created'] });
    await subscribe({ url: `${receiver.url}/messages`, events: ['message.received'] });
    const support = await subscribe({ url: `${receiver.url}/support`, events: ['customer.created'] });
    await gateway.pool`update webhook_endpoints set dialect = 'support' where id = ${support.id}`;
    await addCustomer();
    await eventually(() => expect(receiver.received).toHaveLength(3));
    expect(receiver.received.map(({ path }) => path).sort()).toEqual([
      '/hook/all',
      '/hook/customers',
      '/hook/support',
    ]);
    const native = receiver.received.find(({ path }) => path === '/hook/all');
    const payload = new StandardWebhook(all.secret).verify(native?.body ?? '', native?.headers as never);
    expect(payload).toMatchObject({
      id: native?.headers['webhook-id'],
      type: 'customer.created',
      version: 1,
      business_id: gateway.businessId,
      data: { customer: { name: 'Ada' } },
    });
    const other = JSON.parse(receiver.received.find(({ path }) => path === '/hook/support')?.body ?? '');
    expect(other).toMatchObject({
      event: 'customer.created',
      conversation: null,
      message: null,
      visitor: { email: null },
    });
  });

  it('tell the others of one that is switched off', async () => {
    const gone = await startReceiver();
    gone.answer = (_request, response) => response.writeHead(410).end();
    const { id } = await subscribe({ url: gone.url, events: ['customer.created'] });
    await subscribe({ events: ['endpoint.disabled'] });
    await addCustomer();
    const [request] = await eventually(() => {
      expect(receiver.received).toHaveLength(1);
      return receiver.received;
    });
    expect(JSON.parse(request?.body ?? '')).toMatchObject({
      type: 'endpoint.disabled',
      data: { endpoint: { id, url: gone.url, is_active: false, disabled_reason: 'gone' } },
    });
    await gone.close();
  });

  it('are not delayed by another endpoint that never answers', async () => {
    const blackHole = await startReceiver();
    blackHole.answer = () => {};
    await subscribe({ url: blackHole.url });
    await subscribe();
    for (let sent = 0; sent < 25; sent += 1) await addCustomer();
    await eventually(() => expect(receiver.received).toHaveLength(25));
    await eventually(() => expect(blackHole.received).toHaveLength(10));
    // It still has them all.
    const ended = await gateway.pool`
      select 1 from attempts where url = ${blackHole.url} and outcome is not null`;
    expect(ended).toHaveLength(0);
    await blackHole.close();
  });
});

describe('deliveries', () => {
  it('are listed by status and page, and tell what came back', async () => {
    const { id } = await subscribe();
    receiver.answer = (_request, response) =>
      response.writeHead(receiver.received.length > 4 ? 400 : 200).end('thanks');
    for (let sent = 0; sent < 5; sent += 1) {
      await addCustomer();
      await eventually(() => expect(receiver.received).toHaveLength(sent + 1));
    }
    const list = (query: string) => gateway.call<Page<Delivery>>('GET', `${ROUTE}/${id}/deliveries${query}`);
    await eventually(async () => expect((await list('?status=delivered')).body.data).toHaveLength(4));
    expect((await list('?status=pending')).body.data).toHaveLength(1);
    const first = await list('?limit=3');
    const second = await list(`?limit=3&cursor=${first.body.meta.next_cursor}`);
    const ids = [...first.body.data, ...second.body.data].map((delivery) => delivery.id);
    expect(new Set(ids).size).toBe(5);
    expect(second.body.meta).toEqual({ next_cursor: null, has_more: false });
    const [newest] = first.body.data;
    const detail = await gateway.call<Delivery>('GET', `${ROUTE}/${id}/deliveries/${newest?.id}`);
    expect(detail.body).toMatchObject({
      event_type: 'customer.created',
      status: 'pending',
      tries: 1,
      body: receiver.received.at(-1)?.body,
      attempts: [{ number: 1, outcome: 'http_4xx', status_code: 400, response_excerpt: 'thanks' }],
    });
    expect((await list('?status=lost')).status).toBe(422);
  });

  it('are retried by hand and recovered together, each under its own id', async () => {
    const { id } = await subscribe();
    for (let sent = 0; sent < 3; sent += 1) await addCustomer();
    await eventually(() => expect(receiver.received).toHaveLength(3));
    const delivered = async () => {
      const { body } = await gateway.call<Page<Delivery>>(
        'GET',
        `${ROUTE}/${id}/deliveries?status=delivered`,
      );
      expect(body.data).toHaveLength(3);
      return body.data;
    };
    const [one] = await eventually(delivered);
    const retried = await gateway.call('POST', `${ROUTE}/${id}/deliveries/${one?.id}/retry`);
    expect(retried).toMatchObject({ status: 200, body: { status: 'pending', id: one?.id } });
    await eventually(() => expect(receiver.received).toHaveLength(4));
    expect(receiver.received[3]?.headers['webhook-id']).toBe(one?.event_id);
    await eventually(delivered);

    await gateway.pool`update deliveries set status = 'failed' where endpoint_id = ${id} and id <> ${one?.id ?? ''}`;
    const recovered = await gateway.call('POST', `${ROUTE}/${id}/recover`, { since: '2026-01-01T00:00:00Z' });
    expect(recovered).toMatchObject({ status: 200, body: { recovered: 2 } });
    await eventually(() => expect(receiver.received).toHaveLength(6));
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(3);

    await gateway.call('PATCH', `${ROUTE}/${id}`, { is_active: false });
    expect((await gateway.call('POST', `${ROUTE}/${id}/test`)).status).toBe(409);
  });

  it('are begun no more once their endpoint is deleted, whatever comes of those under way', async () => {
    const answers: ServerResponse[] = [];
    receiver.answer = (_request, response) => void answers.push(response);
    const { id } = await subscribe();
    for (let sent = 0; sent < 12; sent += 1) await addCustomer();
    await eventually(() => expect(answers).toHaveLength(10));
    expect((await gateway.call('DELETE', `${ROUTE}/${id}`)).status).toBe(204);
    for (const [n, answer] of answers.entries()) answer.writeHead(n === 0 ? 200 : 500).end();
    await eventually(async () => {
      const rows = await gateway.pool`
        select status, count(*) as n from deliveries where endpoint_id = ${id} group by status order by status`;
      expect([...rows]).toEqual([
        { status: 'canceled', n: 11 },
        { status: 'delivered', n: 1 },
      ]);
    });
    expect(receiver.received).toHaveLength(10);
  });

  it('that wait are canceled when their endpoint is deleted', async () => {
    receiver.answer = (_request, response) => response.writeHead(500).end();
    const { id } = await subscribe();
    await addCustomer();
    await eventually(() => expect(receiver.received).toHaveLength(1));
    await gateway.call('DELETE', `${ROUTE}/${id}`);
    await eventually(async () => {
      const rows =
        await gateway.pool`select status, next_attempt_at from deliveries where endpoint_id = ${id}`;
      expect([...rows]).toEqual([{ status: 'canceled', next_attempt_at: null }]);
    });
  });
});
