import type { ServerResponse } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { retryDelivery, skipDelivery } from '../../src/webhooks/deliveries.ts';
import { listSecrets } from '../../src/webhooks/endpoint-secrets.ts';
import { rotateEndpointSecret, updateEndpoint } from '../../src/webhooks/endpoints.ts';
import { endpointLane } from '../../src/webhooks/fanout.ts';
import { until } from '../support/until.ts';
import { type Bench, openBench } from './support/lanes.ts';
import { type Receiver, startReceiver } from './support/receiver.ts';

// Longer than any answer takes on a busy machine.
const PATIENCE_MS = 10_000;

let bench: Bench;
let receiver: Receiver;

beforeAll(async () => {
  bench = await openBench({ timeoutMs: PATIENCE_MS });
});
afterAll(() => bench.close());
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(async () => {
  bench.policy.timeoutMs = PATIENCE_MS;
  await receiver.close();
});

/** Whoever does not answer is cut off soon. */
function beImpatient(): void {
  bench.policy.timeoutMs = 1_000;
}

/** One event to one endpoint, worked once: the delivery, its only attempt, and when the lane is due again. */
async function deliverOnce(url = receiver.url) {
  const { endpoint, secret } = await bench.endpoint(url);
  const [event] = await bench.publish(1);
  const next = await bench.work(endpoint.id);
  const [delivery] = await bench.deliveries(endpoint.id);
  const [attempt] = await bench.attempts(delivery?.['id']);
  await bench.pool`update webhook_endpoints set is_active = false where id = ${endpoint.id} and is_active`;
  return { endpoint, secret, event, next, delivery, attempt };
}

function secondsBetween(from: Date, to: Date): number {
  return (to.getTime() - from.getTime()) / 1000;
}

describe('a delivery', () => {
  it('arrives signed, as it was stored, and is done with a 2xx', async () => {
    receiver.answer = (_request, response) => response.writeHead(204).end();
    const { secret, event, delivery, attempt, next } = await deliverOnce();
    const [request] = receiver.received;
    expect(request?.path).toBe('/hook');
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': event?.id,
      'webhook-attempt': '1',
      'webhook-trigger': 'event',
      'user-agent': expect.stringContaining('Tributary'),
    });
    const payload = new StandardWebhook(secret).verify(request?.body ?? '', request?.headers as never);
    expect(payload).toEqual({
      id: event?.id,
      type: 'message.received',
      timestamp: event?.occurred_at.toISOString(),
      version: 1,
      business_id: bench.businessId,
      data: {},
    });
    new SvixWebhook(secret).verify(request?.body ?? '', request?.headers as never);
    expect(delivery).toMatchObject({
      status: 'delivered',
      tries: 1,
      last_outcome: 'delivered',
      last_status_code: 204,
    });
    expect(delivery?.['body']).toBe(request?.body);
    expect(attempt).toMatchObject({
      number: 1,
      outcome: 'delivered',
      status_code: 204,
      finished_at: expect.any(Date),
    });
    expect(next).toBeNull();
  });

  it('brings every character as it was, each event its own', async () => {
    const { endpoint } = await bench.endpoint(receiver.url);
    const text = 'a\u001eb "c" \\d {e,f} \t\r\n\u007f é 😀';
    await bench.publish(2, { data: { text } });
    await bench.work(endpoint.id);
    const payloads = receiver.received.map(({ body }) => JSON.parse(body) as { id: string; data: object });
    expect(payloads.map(({ data }) => data)).toEqual([{ text }, { text }]);
    expect(new Set(payloads.map(({ id }) => id)).size).toBe(2);
  });

  it('is tried again under the same id with a fresh timestamp and signature, then given up', async () => {
    receiver.answer = (_request, response) => response.writeHead(500).end('broken');
    const { endpoint, secret } = await bench.endpoint(receiver.url);
    await bench.publish(1);
    for (let tries = 1; tries <= 10; tries += 1) {
      const next = await bench.work(endpoint.id);
      expect(next?.getTime()).toBeGreaterThan(Date.now());
      if (tries === 2) await sleep(1_100);
      await bench.hasten(endpoint.id);
    }
    const [delivery] = await bench.deliveries(endpoint.id);
    expect(delivery).toMatchObject({
      status: 'failed',
      tries: 10,
      last_outcome: 'http_5xx',
      last_status_code: 500,
    });
    expect(receiver.received).toHaveLength(10);
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(
      new Set(receiver.received.map(({ headers }) => headers['webhook-timestamp'])).size,
    ).toBeGreaterThan(1);
    for (const { headers, body } of receiver.received)
      new StandardWebhook(secret).verify(body, headers as never);
    const attempts = await bench.attempts(delivery?.['id']);
    expect(attempts.map((attempt) => attempt['number'])).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(attempts[0]).toMatchObject({ outcome: 'http_5xx', response_excerpt: 'broken' });
  });

  it('waits 5 s before its second try, give or take a fifth', async () => {
    receiver.answer = (_request, response) => response.writeHead(503).end();
    const { delivery, attempt, next } = await deliverOnce();
    expect(delivery?.['next_attempt_at']).toEqual(next);
    expect(secondsBetween(attempt?.['finished_at'], next as Date)).toBeGreaterThan(3.9);
    expect(secondsBetween(attempt?.['finished_at'], next as Date)).toBeLessThan(6.1);
  });

  it.each([
    ['in seconds', () => '3600', 3_590, 3_601],
    ['as a date', () => new Date(Date.now() + 7_200_000).toUTCString(), 7_190, 7_201],
    ['beyond a day', () => '1000000000', 86_390, 86_401],
    ['as garbage', () => '1e9', 3.9, 6.1],
    ['as a negative number', () => '-100', 3.9, 6.1],
    ['earlier than planned', () => '1', 3.9, 6.1],
  ])('obeys Retry-After %s', async (_how, header, least, most) => {
    receiver.answer = (_request, response) => response.writeHead(429, { 'retry-after': header() }).end();
    const { delivery, attempt } = await deliverOnce();
    expect(delivery).toMatchObject({ status: 'pending', last_outcome: 'http_4xx', last_status_code: 429 });
    const waits = secondsBetween(attempt?.['finished_at'], delivery?.['next_attempt_at']);
    expect(waits).toBeGreaterThan(least);
    expect(waits).toBeLessThan(most);
  });

  it('does not follow a redirect', async () => {
    receiver.answer = (request, response) =>
      request.path === '/hook'
        ? response.writeHead(301, { location: `http://127.0.0.1:${receiver.port}/elsewhere` }).end()
        : response.end();
    const { delivery } = await deliverOnce();
    expect(delivery).toMatchObject({ status: 'pending', last_outcome: 'http_3xx', last_status_code: 301 });
    expect(receiver.received.map(({ path }) => path)).toEqual(['/hook']);
  });

  it('that is answered 410 switches the endpoint off and cancels what waits', async () => {
    receiver.answer = (_request, response) => response.writeHead(410).end();
    const { endpoint } = await bench.endpoint(receiver.url, { rate_limit: 1 });
    await bench.publish(3);
    const lease = await bench.lease(endpoint.id);
    await bench.work(endpoint.id, lease);
    expect(await bench.work(endpoint.id, lease)).toBeNull();
    const statuses = (await bench.deliveries(endpoint.id)).map((delivery) => delivery['status']);
    expect(statuses).toEqual(['failed', 'canceled', 'canceled']);
    const [row] = await bench.pool`select * from webhook_endpoints where id = ${endpoint.id}`;
    expect(row).toMatchObject({ is_active: false, disabled_reason: 'gone', disabled_at: expect.any(Date) });
    const [event] =
      await bench.pool`select * from outbox where type = 'endpoint.disabled' and data->'endpoint'->>'id' = ${endpoint.id}`;
    expect(event?.['data'].endpoint).toMatchObject({ url: endpoint.url, is_active: false });
    expect(JSON.stringify(event)).not.toContain('whsec_');
  });

  it('makes an attempt row before the request leaves', async () => {
    const { endpoint } = await bench.endpoint(receiver.url);
    await bench.publish(1);
    let open: unknown[] = [];
    receiver.answer = async (_request, response) => {
      const [delivery] = await bench.deliveries(endpoint.id);
      open = await bench.attempts(delivery?.['id']);
      response.end();
    };
    await bench.work(endpoint.id);
    expect(open).toEqual([expect.objectContaining({ outcome: null, finished_at: null, number: 1 })]);
  });
});

describe('a bad receiver', () => {
  it('that never answers is cut off', async () => {
    beImpatient();
    receiver.answer = () => {};
    const { delivery, attempt } = await deliverOnce();
    expect(delivery).toMatchObject({ status: 'pending', last_outcome: 'timeout', last_status_code: null });
    expect(attempt?.['duration_ms']).toBeLessThan(PATIENCE_MS);
  });

  it('that drips its headers is cut off', async () => {
    beImpatient();
    await withRawServer(
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\n');
        const timer = setInterval(() => socket.write('x-drip: 1\r\n'), 50);
        socket.on('close', () => clearInterval(timer));
      },
      async (url) => {
        const { delivery } = await deliverOnce(url);
        expect(delivery).toMatchObject({ last_outcome: 'timeout' });
      },
    );
  });

  it('that never ends its 200 is taken at its word, and read only so far', async () => {
    const closed = Promise.withResolvers<void>();
    receiver.answer = (_request, response) => {
      response.on('close', closed.resolve);
      const pour = () => {
        while (!response.destroyed && response.write('0123456789'.repeat(1_000))) {}
      };
      response.on('drain', pour);
      pour();
    };
    const { delivery, attempt } = await deliverOnce();
    expect(delivery).toMatchObject({ status: 'delivered', last_status_code: 200 });
    expect(attempt?.['response_excerpt']).toHaveLength(20_000);
    await closed.promise;
  });

  it('that sends a gzip bomb has it kept packed and short', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    receiver.answer = (_request, response) =>
      response.writeHead(500, { 'content-encoding': 'gzip', 'content-length': bomb.length }).end(bomb);
    const { delivery, attempt } = await deliverOnce();
    expect(delivery).toMatchObject({ last_outcome: 'http_5xx' });
    expect(attempt?.['response_excerpt'].length).toBeLessThanOrEqual(20_000);
  });

  it('that answers bytes which are no text is kept as text', async () => {
    receiver.answer = (_request, response) =>
      response.writeHead(500).end(Buffer.from([0x61, 0x00, 0xff, 0xfe, 0x62, 0xc3]));
    const { attempt } = await deliverOnce();
    expect(attempt?.['response_excerpt']).toBe('ab');
  });

  it.each([
    ['invalid header bytes', 'HTTP/1.1 200 OK\r\nx-bad: \x00\x01\r\n\r\n', 'unknown'],
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.0\r\n', 'unknown'],
    [
      'headers without end',
      `HTTP/1.1 200 OK\r\n${'x-long: aaaaaaaaaaaaaaaa\r\n'.repeat(10_000)}`,
      'too_large',
    ],
    ['a status out of range', 'HTTP/1.1 999999 What\r\n\r\n', 'unknown'],
  ])('that answers %s ends as a classed attempt', async (_what, answer, outcome) => {
    await withRawServer(
      (socket) => socket.end(Buffer.from(answer, 'latin1')),
      async (url) => {
        const { delivery, attempt } = await deliverOnce(url);
        expect(delivery).toMatchObject({ status: 'pending', last_outcome: outcome });
        expect(attempt?.['message']).toEqual(expect.any(String));
      },
    );
  });

  it('that closes early or lies about its length ends as a classed attempt', async () => {
    await withRawServer(
      (socket) => socket.destroy(),
      async (url) => expect((await deliverOnce(url)).delivery).toMatchObject({ last_outcome: 'connect' }),
    );
    await withRawServer(
      (socket) => socket.end('HTTP/1.1 500 No\r\ncontent-length: 100\r\n\r\nshort'),
      async (url) => {
        const { delivery, attempt } = await deliverOnce(url);
        expect(delivery).toMatchObject({ last_outcome: 'http_5xx' });
        expect(attempt).toMatchObject({ response_excerpt: 'short' });
      },
    );
  });

  it.each([
    ['more than it announced', 'HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\nlonger than two', 'http_5xx'],
    [
      'chunks that are none',
      'HTTP/1.1 500 No\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nnot hex',
      'http_5xx',
    ],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 9\r\n\r\nok', 'unknown'],
    [
      'header bytes beyond ASCII',
      'HTTP/1.1 503 No\r\nx-odd: \xff\xfe\xc3\r\nretry-after: \xe9\r\n\r\n',
      'http_5xx',
    ],
    [
      'headers named as what every object has',
      'HTTP/1.1 503 No\r\n__proto__: a\r\nconstructor: b\r\nconstructor: c\r\n\r\n',
      'http_5xx',
    ],
    [
      'that it goes on in another protocol',
      'HTTP/1.1 101 Go on\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
      'connect',
    ],
    ['a status below all', 'HTTP/1.1 099 What\r\ncontent-length: 0\r\n\r\n', 'unknown'],
    ['a promise and nothing else', 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(50), 'connect'],
    ['half a status line', 'HTTP/1.1 2', 'connect'],
  ])(
    'that sends %s ends as a classed attempt, and the next delivery goes on',
    async (_what, answer, outcome) => {
      await withRawServer(
        (socket) => socket.end(Buffer.from(answer, 'latin1')),
        async (url) => {
          const { delivery, attempt } = await deliverOnce(url);
          expect([delivery?.['last_outcome'], attempt?.['outcome']]).toEqual([outcome, outcome]);
        },
      );
      expect((await deliverOnce()).delivery).toMatchObject({ status: 'delivered' });
    },
  );

  it('that drips its body for ever is cut off, and its status counts', async () => {
    beImpatient();
    receiver.answer = (_request, response) => {
      response.writeHead(500);
      const timer = setInterval(() => response.write('.'), 50);
      response.on('close', () => clearInterval(timer));
    };
    const { delivery, attempt } = await deliverOnce();
    expect(delivery).toMatchObject({ last_outcome: 'http_5xx' });
    expect(attempt?.['response_excerpt']).toMatch(/^\.+$/);
  });

  it('that is not there, not allowed, not known or speaks no TLS is classed as such', async () => {
    const { port } = receiver;
    const closed = await startReceiver();
    await closed.close();
    expect((await deliverOnce(closed.url)).delivery).toMatchObject({ last_outcome: 'connect' });
    expect((await deliverOnce(`https://127.0.0.1:${port}/`)).delivery).toMatchObject({ last_outcome: 'tls' });
    expect((await deliverOnce('http://nowhere.invalid/')).delivery).toMatchObject({ last_outcome: 'dns' });

    const { endpoint } = await bench.endpoint(receiver.url);
    await bench.pool`update webhook_endpoints set url = 'http://10.0.0.1/' where id = ${endpoint.id}`;
    await bench.publish(1);
    await bench.work(endpoint.id);
    expect((await bench.deliveries(endpoint.id))[0]).toMatchObject({
      last_outcome: 'blocked',
      status: 'pending',
    });
    await bench.pool`update webhook_endpoints set is_active = false where id = ${endpoint.id}`;
  });
});

describe('an endpoint lane', () => {
  it('delivers many, ten at a time, and begins what arrives while requests are under way', async () => {
    const { endpoint } = await bench.endpoint(receiver.url);
    let open = 0;
    let most = 0;
    receiver.answer = async (_request, response) => {
      open += 1;
      most = Math.max(most, open);
      await sleep(5);
      open -= 1;
      response.end();
    };
    await bench.publish(250);
    const lease = await bench.lease(endpoint.id);
    const working = bench.work(endpoint.id, lease);
    await until(() => receiver.received.length > 20);
    await bench.publish(50);
    lease.ring();
    expect(await working).toBeNull();
    expect(receiver.received).toHaveLength(300);
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(300);
    expect(most).toBe(10);
    const statuses = new Set((await bench.deliveries(endpoint.id)).map((delivery) => delivery['status']));
    expect([...statuses]).toEqual(['delivered']);
    await bench.pool`update webhook_endpoints set is_active = false where id = ${endpoint.id}`;
  });

  it('begins a new delivery at once while an old request hangs', async () => {
    const { endpoint } = await bench.endpoint(receiver.url);
    const second = Promise.withResolvers<void>();
    receiver.answer = async (_request, response) => {
      if (receiver.received.length > 1) second.resolve();
      await second.promise;
      response.end();
    };
    await bench.publish(1);
    const lease = await bench.lease(endpoint.id);
    const working = bench.work(endpoint.id, lease);
    await until(() => receiver.received.length === 1);
    await bench.publish(1);
    lease.ring();
    await working;
    const ends = (await bench.deliveries(endpoint.id)).map((delivery) => [
      delivery['status'],
      delivery['tries'],
    ]);
    expect(ends).toEqual(Array(2).fill(['delivered', 1]));
    await bench.pool`update webhook_endpoints set is_active = false where id = ${endpoint.id}`;
  });

  it('takes what was just committed straight from its transaction, once', async () => {
    const { endpoint } = await bench.endpoint(receiver.url);
    const lane = endpointLane(endpoint.id);
    expect(await bench.publishedLanes(1)).toContain(lane);
    const first = Promise.withResolvers<void>();
    receiver.answer = async (_request, response) => {
      if (receiver.received.length === 1) await first.promise;
      response.end();
    };
    const lease = await bench.lease(endpoint.id);
    const working = bench.work(endpoint.id, lease);
    await until(() => receiver.received.length === 1);
    expect(await bench.publishedLanes(2)).not.toContain(lane);
    await until(() => receiver.received.length === 3);
    lease.ring();
    first.resolve();
    await working;
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(3);
    expect(receiver.received).toHaveLength(3);
    const statuses = (await bench.deliveries(endpoint.id)).map((delivery) => delivery['status']);
    expect(statuses).toEqual(['delivered', 'delivered', 'delivered']);
    expect(await bench.publishedLanes(1)).toContain(lane);
    await bench.pool`update webhook_endpoints set is_active = false where id = ${endpoint.id}`;
  });

  it('keeps to the rate limit of its endpoint', async () => {
    const { endpoint } = await bench.endpoint(receiver.url, { rate_limit: 20 });
    await bench.publish(12);
    await bench.work(endpoint.id);
    const [began] = await bench.pool<[{ within: number }]>`
      select extract(epoch from max(started_at) - min(started_at))::float8 as within from attempts
      where subject_id in (select id from deliveries where endpoint_id = ${endpoint.id})`;
    expect(began.within).toBeGreaterThanOrEqual(0.4);
    await bench.pool`update webhook_endpoints set is_active = false where id = ${endpoint.id}`;
  });

  it('looks again at what waits for its turn: it may be erased or skipped meanwhile', async () => {
    const { endpoint } = await bench.endpoint(receiver.url, { rate_limit: 4 });
    const events = await bench.publish(10);
    const working = bench.work(endpoint.id);
    await until(() => receiver.received.length === 1);
    const [skipped = '', erased = ''] = events.slice(8).map(({ id }) => id);
    const [delivery] =
      await bench.pool`select id from deliveries where event_id = ${skipped} and endpoint_id = ${endpoint.id}`;
    await bench.pool.begin((tx) => skipDelivery(tx, endpoint, delivery?.['id']));
    await bench.pool`update deliveries set body = '{"erased":true}' where event_id = ${erased}`;
    await working;
    const bodies = new Map(receiver.received.map(({ headers, body }) => [headers['webhook-id'], body]));
    expect(bodies.size).toBe(9);
    expect(bodies.has(skipped)).toBe(false);
    expect(bodies.get(erased)).toBe('{"erased":true}');
    await bench.pool`update webhook_endpoints set is_active = false where id = ${endpoint.id}`;
  });

  it('goes on at the address, and as fast, as was chosen meanwhile', async () => {
    const { endpoint } = await bench.endpoint(receiver.url, { rate_limit: 1 });
    const next = await startReceiver();
    await bench.publish(90);
    const working = bench.work(endpoint.id);
    await until(() => receiver.received.length === 1);
    await bench.pool.begin((tx) =>
      updateEndpoint(
        tx,
        { businessId: bench.businessId, id: endpoint.id, fields: { url: next.url, rate_limit: 1_000 } },
        { secrets: bench.secrets, egress: bench.egress },
      ),
    );
    await working;
    expect(receiver.received.length + next.received.length).toBe(90);
    expect(next.received.length).toBeGreaterThan(45);
    await next.close();
    await bench.pool`update webhook_endpoints set is_active = false where id = ${endpoint.id}`;
  });

  it('leaves standing what somebody decides while a try is under way, unless that succeeds', async () => {
    const { endpoint } = await bench.endpoint(receiver.url);
    const answers: ServerResponse[] = [];
    receiver.answer = (_request, response) => void answers.push(response);
    await bench.publish(2);
    const working = bench.work(endpoint.id);
    await until(() => answers.length === 2);
    const [skipped, retried] = (await bench.deliveries(endpoint.id)).map((row) => row['id']);
    await bench.pool.begin((tx) => skipDelivery(tx, endpoint, skipped));
    await bench.pool.begin((tx) => retryDelivery(tx, endpoint, retried));
    receiver.answer = (_request, response) => response.end();
    for (const answer of answers) answer.writeHead(500).end();
    await working;
    const rows = await bench.deliveries(endpoint.id);
    expect(rows.map((row) => [row['status'], row['attempt'], row['last_outcome']])).toEqual([
      ['failed', 1, 'http_5xx'],
      ['delivered', 2, 'delivered'],
    ]);
    expect(receiver.received.at(-1)?.headers['webhook-trigger']).toBe('retry');
    await bench.pool`update webhook_endpoints set is_active = false where id = ${endpoint.id}`;
  });

  it('goes again for whoever asks a second time, while the last try that they asked for is under way', async () => {
    const { endpoint } = await bench.endpoint(receiver.url);
    const answers: ServerResponse[] = [];
    receiver.answer = (_request, response) => void answers.push(response);
    await bench.publish(1);
    await bench.pool`update deliveries set trigger = 'retry', tries = 1_000 where endpoint_id = ${endpoint.id}`;
    const working = bench.work(endpoint.id);
    await until(() => answers.length === 1);
    const [delivery] = await bench.deliveries(endpoint.id);
    await bench.pool.begin((tx) => retryDelivery(tx, endpoint, delivery?.['id']));
    receiver.answer = (_request, response) => response.end();
    answers[0]?.writeHead(500).end();
    await working;
    expect(await bench.deliveries(endpoint.id)).toMatchObject([
      { status: 'delivered', attempt: 2, tries: 1 },
    ]);
    await bench.pool`update webhook_endpoints set is_active = false where id = ${endpoint.id}`;
  });

  it('signs with old and new secret after a rotation, also when it comes in mid-flight', async () => {
    const { endpoint, secret: old } = await bench.endpoint(receiver.url, { rate_limit: 20 });
    await bench.publish(30);
    const working = bench.work(endpoint.id);
    await until(() => receiver.received.length > 3);
    const of = { businessId: bench.businessId, id: endpoint.id };
    const rotate = (kind: 'v1' | 'v1a') =>
      bench.pool.begin((tx) =>
        rotateEndpointSecret(tx, of, { secrets: bench.secrets, kind, overlapSeconds: 3_600 }),
      );
    await rotate('v1');
    const [newest] = await listSecrets(bench.pool, bench.secrets, endpoint);
    const fresh = newest?.secret ?? '';
    await rotate('v1a');
    await working;
    for (const { body, headers } of receiver.received)
      new StandardWebhook(old).verify(body, headers as never);
    await bench.publish(1);
    await bench.work(endpoint.id);
    const last = receiver.received.at(-1);
    for (const secret of [old, fresh])
      new StandardWebhook(secret).verify(last?.body ?? '', last?.headers as never);
    const versions = String(last?.headers['webhook-signature'])
      .split(' ')
      .map((one) => one.split(',')[0]);
    expect(versions).toEqual(['v1', 'v1a', 'v1']);
    await bench.pool`update webhook_endpoints set is_active = false where id = ${endpoint.id}`;
  });

  it('repeats under the same id what a crash cut, and closes the cut attempt as unknown', async () => {
    const { endpoint } = await bench.endpoint(receiver.url);
    receiver.answer = () => {};
    await bench.publish(1);
    const dead = await bench.lease(endpoint.id);
    const working = bench.work(endpoint.id, dead);
    await until(() => receiver.received.length === 1);
    receiver.answer = (_request, response) => response.end();
    // Nobody can take a lane over sooner.
    await sleep(600);
    // Another process takes the lane over: whatever the dead one still writes must not count.
    await bench.work(endpoint.id);
    dead.abort();
    await working;
    expect(receiver.received.map(({ headers }) => headers['webhook-id'])).toEqual(
      Array(2).fill(receiver.received[0]?.headers['webhook-id']),
    );
    const [delivery] = await bench.deliveries(endpoint.id);
    expect(delivery).toMatchObject({ status: 'delivered', tries: 2 });
    const attempts = await bench.attempts(delivery?.['id']);
    expect(attempts.map((attempt) => attempt['outcome'])).toEqual(['unknown', 'delivered']);
    expect(attempts.map((attempt) => attempt['number'])).toEqual([1, 2]);
    await bench.pool`update webhook_endpoints set is_active = false where id = ${endpoint.id}`;
  });

  it('closes all that a crash cut, however many pages of it there are', async () => {
    const { endpoint } = await bench.endpoint(receiver.url);
    await bench.publish(250);
    await bench.pool`
      update deliveries set created_at = created_at - interval '1 second' where endpoint_id = ${endpoint.id}`;
    await bench.pool`
      insert into attempts (id, started_at, business_id, kind, subject_id, number)
      select uuidv7(), created_at, business_id, 'delivery', id, 1 from deliveries where endpoint_id = ${endpoint.id}`;
    await bench.work(endpoint.id);
    expect(receiver.received.map(({ headers }) => headers['webhook-attempt'])).toEqual(Array(250).fill('2'));
    const open =
      await bench.pool`select from attempts where outcome is null and business_id = ${bench.businessId}`;
    expect(open).toHaveLength(0);
    await bench.pool`update webhook_endpoints set is_active = false where id = ${endpoint.id}`;
  });

  it('finishes what is under way and begins nothing new while the process drains', async () => {
    const { endpoint } = await bench.endpoint(receiver.url);
    receiver.answer = async (_request, response) => {
      await sleep(100);
      response.end();
    };
    await bench.publish(30);
    const lease = await bench.lease(endpoint.id);
    const working = bench.work(endpoint.id, lease);
    await until(() => receiver.received.length === 10);
    lease.draining = true;
    lease.ring();
    await working;
    expect(receiver.received).toHaveLength(10);
    const rows = await bench.deliveries(endpoint.id);
    expect(rows.filter((row) => row['status'] === 'delivered')).toHaveLength(10);
    await bench.pool`update webhook_endpoints set is_active = false where id = ${endpoint.id}`;
  });

  it('aborted by the end of the process leaves its deliveries due, at no cost to the endpoint', async () => {
    const { endpoint } = await bench.endpoint(receiver.url);
    receiver.answer = () => {};
    await bench.publish(1);
    const lease = await bench.lease(endpoint.id);
    const working = bench.work(endpoint.id, lease);
    await until(() => receiver.received.length === 1);
    lease.draining = true;
    lease.abort();
    await working;
    const [delivery] = await bench.deliveries(endpoint.id);
    expect(delivery).toMatchObject({ status: 'pending', last_outcome: 'unknown' });
    expect(secondsBetween(new Date(), delivery?.['next_attempt_at'])).toBeLessThanOrEqual(0);
    const [row] = await bench.pool`select failing_since from webhook_endpoints where id = ${endpoint.id}`;
    expect(row?.['failing_since']).toBeNull();
    await bench.pool`update webhook_endpoints set is_active = false where id = ${endpoint.id}`;
  });

  it('stops at once when the endpoint is switched off', async () => {
    const { endpoint } = await bench.endpoint(receiver.url, { rate_limit: 10 });
    await bench.publish(20);
    const lease = await bench.lease(endpoint.id);
    const working = bench.work(endpoint.id, lease);
    await until(() => receiver.received.length > 0);
    await bench.pool.begin((tx) =>
      updateEndpoint(
        tx,
        { businessId: bench.businessId, id: endpoint.id, fields: { is_active: false } },
        { secrets: bench.secrets, egress: bench.egress },
      ),
    );
    await working;
    await bench.work(endpoint.id, lease);
    const rows = await bench.deliveries(endpoint.id);
    expect(rows.filter((row) => row['status'] === 'delivered')).toHaveLength(receiver.received.length);
    expect(rows.filter((row) => row['status'] === 'canceled')).toHaveLength(20 - receiver.received.length);
    expect(receiver.received.length).toBeLessThan(20);
  });
});

describe('the health of an endpoint', () => {
  async function failingEndpoint(fields: { since: string; tries: number }) {
    receiver.answer = (_request, response) => response.writeHead(500).end();
    const { endpoint } = await bench.endpoint(receiver.url);
    await bench.pool`
      update webhook_endpoints set failing_since = now() - ${fields.since}::interval where id = ${endpoint.id}`;
    await bench.publish(2);
    await bench.pool`update deliveries set tries = ${fields.tries} where endpoint_id = ${endpoint.id}`;
    await bench.work(endpoint.id);
    const [row] = await bench.pool`select * from webhook_endpoints where id = ${endpoint.id}`;
    const events = await bench.pool`select type from outbox where data->'endpoint'->>'id' = ${endpoint.id}`;
    return { endpoint, row, events: events.map((event) => event['type']) };
  }

  it('is noted from the first failure and forgiven with a success', async () => {
    receiver.answer = (_request, response) => response.writeHead(500).end();
    const { endpoint } = await bench.endpoint(receiver.url);
    await bench.publish(1);
    await bench.work(endpoint.id);
    const health = () => bench.pool`select failing_since from webhook_endpoints where id = ${endpoint.id}`;
    expect((await health())[0]?.['failing_since']).toEqual(expect.any(Date));
    receiver.answer = (_request, response) => response.end();
    await bench.hasten(endpoint.id);
    await bench.work(endpoint.id);
    expect((await health())[0]?.['failing_since']).toBeNull();
    await bench.pool`update webhook_endpoints set is_active = false where id = ${endpoint.id}`;
  });

  it('is announced once, at the fourth failure of a delivery', async () => {
    const { endpoint, row, events } = await failingEndpoint({ since: '35 minutes', tries: 3 });
    expect(events).toEqual(['endpoint.failing']);
    expect(row).toMatchObject({ is_active: true, failing_announced_at: expect.any(Date) });
    await bench.pool`update webhook_endpoints set is_active = false where id = ${endpoint.id}`;
  });

  it('ends with switching it off after five days of only failures', async () => {
    const { row, events } = await failingEndpoint({ since: '5 days', tries: 8 });
    expect(events).toEqual(['endpoint.disabled']);
    expect(row).toMatchObject({ is_active: false, disabled_reason: 'failing' });
  });

  it('does not suffer from one failure after a quiet week', async () => {
    const { endpoint, row, events } = await failingEndpoint({ since: '7 days', tries: 0 });
    expect(events).toEqual([]);
    expect(row).toMatchObject({ is_active: true });
    await bench.pool`update webhook_endpoints set is_active = false where id = ${endpoint.id}`;
  });
});

/** A server that answers with raw bytes as soon as it is asked. */
async function withRawServer(answer: (socket: Socket) => void, use: (url: string) => Promise<void>) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    await use(`http://127.0.0.1:${port}/`);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}
