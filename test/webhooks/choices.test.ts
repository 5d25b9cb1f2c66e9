import { createPublicKey, verify } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type Received, type Receiver, startReceiver } from './support/receiver.ts';

/* What whoever subscribes may choose, through the public door. */

interface Endpoint {
  id: string;
  secret: string;
  public_key?: string;
  signatures: string[];
  headers: Record<string, string>;
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

async function refusedFields(fields: object): Promise<string[]> {
  const answer = await gateway.call<Failed>('POST', ROUTE, { url: receiver.url, events: ['*'], ...fields });
  expect(answer.status).toBe(422);
  return answer.body.error.details.map(({ field }) => field);
}

async function addCustomer(fields: object = {}): Promise<void> {
  expect((await gateway.call('POST', '/api/v1/customers', { name: 'Ada', ...fields })).status).toBe(201);
}

async function test(id: string): Promise<Received> {
  const before = receiver.received.length;
  expect((await gateway.call('POST', `${ROUTE}/${id}/test`)).status).toBe(202);
  return eventually(() => {
    const request = receiver.received[before];
    if (request === undefined) throw new Error('not received yet');
    return request;
  });
}

function isSignedWith({ headers, body }: Received, publicKey: string): boolean {
  const raw = Buffer.from(publicKey.replace('whpk_', ''), 'base64');
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]);
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  const text = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  return String(headers['webhook-signature'])
    .split(' ')
    .filter((one) => one.startsWith('v1a,'))
    .some((one) => verify(null, Buffer.from(text), key, Buffer.from(one.slice(4), 'base64')));
}

describe('signatures', () => {
  it('of ed25519 stand beside those of the secret, from the moment they are wanted until they are not', async () => {
    const { id, secret, public_key: publicKey } = await subscribe({ signatures: ['v1', 'v1a'] });
    const request = await test(id);
    new StandardWebhook(secret).verify(request.body, request.headers as never);
    expect(isSignedWith(request, publicKey ?? '')).toBe(true);

    await gateway.call('PATCH', `${ROUTE}/${id}`, { signatures: ['v1'] });
    await eventually(async () => expect((await test(id)).headers['webhook-signature']).not.toContain('v1a,'));
    await gateway.call('PATCH', `${ROUTE}/${id}`, { signatures: ['v1a', 'v1'] });
    type Secrets = { secrets: { public_key: string | null }[] };
    const { body } = await gateway.call<Secrets>('GET', `${ROUTE}/${id}/secret`);
    const fresh = body.secrets.find((one) => one.public_key !== null)?.public_key ?? '';
    expect(fresh).not.toBe(publicKey);
    await eventually(async () => expect(isSignedWith(await test(id), fresh)).toBe(true));
    expect(await refusedFields({ signatures: ['v1a'] })).toEqual(['signatures']);
  });

  it('stay valid for both kinds however often one of them is rotated', async () => {
    const { id, public_key: publicKey } = await subscribe({ signatures: ['v1', 'v1a'] });
    for (let rotation = 0; rotation < 12; rotation += 1)
      await gateway.call('POST', `${ROUTE}/${id}/rotate-secret`, {});
    expect(isSignedWith(await test(id), publicKey ?? '')).toBe(true);
  });

  it('can be of a secret that the receiver already holds', async () => {
    const held = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
    const { id, secret } = await subscribe({ secret: held });
    expect(secret).toBe(held);
    const request = await test(id);
    new StandardWebhook(held).verify(request.body, request.headers as never);
    const next = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
    await gateway.call('POST', `${ROUTE}/${id}/rotate-secret`, { secret: next });
    await eventually(async () => {
      const { body, headers } = await test(id);
      for (const one of [held, next]) new StandardWebhook(one).verify(body, headers as never);
    });
    const unpadded = `whsec_${Buffer.alloc(32).toString('base64').replace('=', '')}`;
    for (const bad of ['whsec_AAAA', 'secret', `whsec_${Buffer.alloc(65).toString('base64')}`, unpadded])
      expect(await refusedFields({ secret: bad })).toEqual(['secret']);
  });

  it('of an expired secret are no longer made', async () => {
    const { id, secret } = await subscribe();
    await gateway.call('POST', `${ROUTE}/${id}/rotate-secret`, { overlap_seconds: 0 });
    await eventually(async () => {
      const { body, headers } = await test(id);
      expect(() => new StandardWebhook(secret).verify(body, headers as never)).toThrow();
    });
  });
});

describe('headers of the subscriber', () => {
  it('are sent, never shown, kept encrypted and asked for again when the host changes', async () => {
    const { id, headers } = await subscribe({ headers: { Authorization: 'Bearer of-mine', 'X-Team': 'a' } });
    expect(headers).toEqual({ Authorization: '••••', 'X-Team': '••••' });
    expect((await test(id)).headers).toMatchObject({ authorization: 'Bearer of-mine', 'x-team': 'a' });
    const [row] = await gateway.pool`select headers from webhook_endpoints where id = ${id}`;
    expect(Buffer.from(row?.['headers']).toString('latin1')).not.toContain('of-mine');
    const path = `${ROUTE}/${id}`;
    const moved = await gateway.call<Failed>('PATCH', path, { url: 'https://elsewhere.example/' });
    expect(moved).toMatchObject({ status: 422, body: { error: { details: [{ field: 'headers' }] } } });
    expect((await gateway.call('PATCH', path, { url: `${receiver.url}/deeper` })).status).toBe(200);
    expect((await gateway.call('PATCH', path, { headers: null })).body).toMatchObject({ headers: {} });
    await eventually(async () => expect((await test(id)).headers).not.toHaveProperty('authorization'));
  });

  it('are masked where the receiver says them back, and so is a session that it opens', async () => {
    receiver.answer = ({ headers }, response) =>
      response
        .writeHead(200, { 'x-echo': headers.authorization, 'set-cookie': 'session=of-theirs' })
        .end(JSON.stringify(headers));
    const { id } = await subscribe({ headers: { Authorization: 'Bearer of-mine-alone', 'X-Team': 'a' } });
    await test(id);
    type Log = { data: { id: string; status: string }[] };
    const delivery = await eventually(async () => {
      const { body } = await gateway.call<Log>('GET', `${ROUTE}/${id}/deliveries?status=delivered`);
      expect(body.data).toHaveLength(1);
      return body.data[0];
    });
    const detail = await gateway.call<{ attempts: { response_excerpt: string }[] }>(
      'GET',
      `${ROUTE}/${id}/deliveries/${delivery?.id}`,
    );
    expect(JSON.stringify(detail.body)).not.toMatch(/of-mine|of-theirs/);
    expect(JSON.parse(detail.body.attempts[0]?.response_excerpt ?? '')).toMatchObject({
      authorization: '••••',
      'x-team': 'a',
    });
  });

  it.each([
    { 'Content-Length': '1' },
    { Host: 'example.com' },
    { 'webhook-id': 'x' },
    { 'Bad Name': 'x' },
    { 'X-Split': 'a\r\nX-Injected: b' },
    { 'X-Long': 'x'.repeat(4_097) },
    { 'Transfer-Encoding': 'chunked' },
  ])('are refused where they are ours or no headers: %j', async (headers) => {
    expect(await refusedFields({ headers })).toEqual([`headers.${Object.keys(headers)[0]}`]);
  });
});

describe('events', () => {
  it('are chosen by kind', async () => {
    await subscribe({ events: ['customer.*'] });
    await addCustomer();
    const [request] = await eventually(() => {
      expect(receiver.received).toHaveLength(1);
      return receiver.received;
    });
    expect(request?.headers).toMatchObject({ 'webhook-attempt': '1', 'webhook-trigger': 'event' });
    expect(await refusedFields({ events: ['nothing.*'] })).toEqual(['events']);
  });

  it('are chosen by what they hold', async () => {
    await subscribe({
      filter: { 'customer.custom_attributes.plan': ['gold', 'silver'], 'customer.email': null },
    });
    await addCustomer({ custom_attributes: { plan: 'bronze' } });
    await addCustomer({ custom_attributes: { plan: 'gold' }, email: 'ada@example.com' });
    await addCustomer({ name: 'Grace', custom_attributes: { plan: 'gold' } });
    const [request] = await eventually(() => {
      expect(receiver.received).toHaveLength(1);
      return receiver.received;
    });
    expect(JSON.parse(request?.body ?? '').data.customer.name).toBe('Grace');
    expect(await refusedFields({ filter: { '../etc': 'x' } })).toEqual([expect.stringContaining('filter')]);
  });
});

describe('a payload', () => {
  it('beyond 64 KB arrives shortened, and leads to the whole', async () => {
    await subscribe({ events: ['customer.created'] });
    const notes = 'é'.repeat(6_000);
    const custom_attributes = Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`notes_${n}`, notes]));
    await addCustomer({ custom_attributes });
    const [request] = await eventually(() => {
      expect(receiver.received).toHaveLength(1);
      return receiver.received;
    });
    expect(Buffer.byteLength(request?.body ?? '')).toBeLessThanOrEqual(65_536);
    const { id, omitted, whole_url, data } = JSON.parse(request?.body ?? '');
    expect(omitted).toEqual([{ path: 'data.customer.custom_attributes', bytes: expect.any(Number) }]);
    expect(data.customer).toMatchObject({ name: 'Ada', custom_attributes: {} });
    const whole = await gateway.call<{ data: { id: string; data: { customer: object } }[] }>(
      'GET',
      whole_url.replace(gateway.url, ''),
    );
    expect(whole.body.data).toHaveLength(1);
    expect(whole.body.data[0]).toMatchObject({ id, data: { customer: { custom_attributes } } });
  });

  it('tells what was when it happened, however late it is delivered', async () => {
    const { id } = await subscribe({ events: ['customer.created'] });
    receiver.answer = (_request, response) => response.writeHead(500).end();
    const { body: customer } = await gateway.call<{ id: string }>('POST', '/api/v1/customers', {
      name: 'Before',
    });
    await eventually(() => expect(receiver.received).toHaveLength(1));
    await gateway.call('PATCH', `/api/v1/customers/${customer.id}`, { name: 'After' });
    receiver.answer = (_request, response) => response.end();
    type Log = { data: { id: string }[] };
    const { body: log } = await gateway.call<Log>('GET', `${ROUTE}/${id}/deliveries`);
    await gateway.call('POST', `${ROUTE}/${id}/deliveries/${log.data[0]?.id}/retry`);
    await eventually(() => expect(receiver.received).toHaveLength(2));
    expect(receiver.received[1]?.body).toBe(receiver.received[0]?.body);
    expect(receiver.received[1]?.headers).toMatchObject({
      'webhook-trigger': 'retry',
      'webhook-attempt': '2',
    });
  });
});

describe('an endpoint', () => {
  it('never has more requests under way than it wants', async () => {
    const open: ServerResponse[] = [];
    let most = 0;
    receiver.answer = (_request, response) => {
      most = Math.max(most, open.push(response));
    };
    await subscribe({ concurrency: 2 });
    for (let n = 0; n < 12; n += 1) await addCustomer();
    for (let n = 0; n < 6; n += 1) {
      await eventually(() => expect(open.length).toBeGreaterThanOrEqual(2));
      for (const response of open.splice(0)) response.end();
    }
    await eventually(() => expect(receiver.received).toHaveLength(12));
    expect(most).toBe(2);
    expect(await refusedFields({ concurrency: 0 })).toEqual(['concurrency']);
  });
});
