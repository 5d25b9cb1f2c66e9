import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { createApiKey } from '../../src/core/api-keys.ts';
import { createEventFeed } from '../../src/core/events/event-feed.ts';
import { newId } from '../../src/core/id.ts';
import { createRateLimits } from '../../src/core/limits.ts';
import { createBucket } from '../../src/realtime/limits.ts';
import { createRealtime, type Realtime } from '../../src/realtime/server.ts';
import { startCore } from '../support/core.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';
import { closeAll, connect, refusal } from './sockets.ts';

let database: TestDatabase;
let core: Awaited<ReturnType<typeof startCore>>;
let realtime: Realtime;
let server: Server;
let url: string;
const businessId = newId();
const channelId = newId();
let key: string;

beforeAll(async () => {
  database = await createTestDatabase();
  const { pool } = database;
  await pool`insert into businesses (id, name) values (${businessId}, 'Limits')`;
  await pool`insert into channels (id, business_id, type, name, config) values
    (${channelId}, ${businessId}, 'webchat', 'Chat', '{"allowed_origins":[]}')`;
  ({ key } = await createApiKey(pool, businessId, { name: 'agent', role: 'agent' }));
  core = await startCore(pool);
  const attachments = { mintUrls: <T>(view: T) => view, idOfUrl: () => undefined };
  realtime = createRealtime({
    config: { redis: undefined, trustedProxies: ['127.0.0.1'] },
    ...core,
    attachments,
    feed: createEventFeed(),
    rateLimits: createRateLimits(undefined, core.log),
    limits: {
      socketsPerIp: 2,
      sessionsPerIpAndMinute: 4,
      messagesPerMinute: 3,
      burst: 20,
      perSecond: 5,
      maxRefusals: 50,
      maxPacketBytes: 10_000,
    },
  });
  server = createServer();
  await realtime.attach(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(closeAll);
afterAll(async () => {
  await realtime.close();
  server.close();
  await core.stop();
  await database.drop();
});

const from = (ip: string) => ({ headers: { 'x-forwarded-for': ip } });
const auth = { business_id: businessId };
// Another on every try: what the first has used up is gone.
let addresses = 0;
const newAddress = () => `203.0.113.${++addresses}`;

it('takes only so many sockets from one address, as the trusted proxy tells it', async () => {
  const ip = from(newAddress());
  const first = await connect(url, auth, ip);
  await connect(url, auth, ip);
  expect(await refusal(url, auth, ip)).toMatchObject({ code: 'rate_limited' });
  await connect(url, auth, from(newAddress()));
  first.close();
  await until(async () => (await connect(url, auth, ip).catch(() => undefined)) !== undefined);
});

it('makes only so many new visitors for one address in a minute', async () => {
  const ip = from(newAddress());
  for (let n = 0; n < 4; n += 1) (await connect(url, auth, ip)).close();
  await until(async () => (await refusal(url, auth, ip)).message.includes('new visitors'));
});

it('takes only so many messages of one visitor in a minute, over all its sockets', async () => {
  const one = await connect(url, auth);
  const { visitor_token } = await one.next('session');
  const two = await connect(url, { ...auth, visitor_token });
  for (const vic of [one, two, one])
    expect(await vic.ask('client_message', { content: 'x' })).toHaveProperty('seq');
  expect(await two.ask('client_message', { content: 'x' })).toMatchObject({
    error: { code: 'rate_limited' },
  });
});

it('closes a socket that will not stop, and one that sends too much at once', async () => {
  const flooder = await connect(url, { ...auth, token: key });
  for (let n = 0; n < 200; n += 1) flooder.socket.emit('anything', n);
  await until(() => flooder.socket.disconnected);
  const heavy = await connect(url, auth);
  heavy.socket.emit('client_message', { content: 'x'.repeat(20_000) });
  await until(() => heavy.socket.disconnected);
});

it('fills a bucket again with time', () => {
  const bucket = createBucket(2, 1);
  expect([bucket.take(0), bucket.take(0), bucket.take(0)]).toEqual([true, true, false]);
  expect([bucket.take(1_000), bucket.take(1_000)]).toEqual([true, false]);
  expect([bucket.take(60_000), bucket.take(60_000), bucket.take(60_000)]).toEqual([true, true, false]);
});
