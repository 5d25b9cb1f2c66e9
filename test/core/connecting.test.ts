import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startConnecting } from '../../src/core/channels/connecting.ts';
import type { LoadedChannel } from '../../src/core/channels/loaded-channel.ts';
import { newId } from '../../src/core/id.ts';
import type { Log } from '../../src/core/log.ts';
import { createTestDatabase } from '../support/database.ts';
import { PUBLIC_URL } from '../support/door.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type FakeTelegram, fakeUser, startTelegram } from '../support/telegram.ts';

interface Channel {
  id: string;
  setup: { done: string[]; todo: string[] };
  broken_at: string | null;
  broken_reason: string | null;
}

let gateway: TestGateway;
let telegram: FakeTelegram;
beforeAll(async () => {
  gateway = await startTestGateway({ publicUrl: PUBLIC_URL });
});
afterAll(() => gateway.stop());
afterEach(() => telegram.close());

const read = async (id: string) => (await gateway.call<Channel>('GET', `/api/v1/channels/${id}`)).body;

async function connect(token: string): Promise<Channel> {
  telegram = await startTelegram({ token });
  telegram.fail('*', { html: 502 }, 1_000);
  const config = telegram.config;
  const created = await gateway.call<Channel>('POST', '/api/v1/channels', { type: 'telegram', config });
  expect(created.status).toBe(201);
  expect(created.body.setup).toEqual({ done: [], todo: [expect.stringContaining('It is tried again')] });
  return created.body;
}

const errorsOf = (id: string) =>
  gateway.pool`select id from events where type = 'channel.error' and data ->> 'channel_id' = ${id}`;

describe('a channel whose provider could not be reached', () => {
  it('is connected in the background once it can, and was never broken', async () => {
    const { id } = await connect('1001:a-token-of-a-test');
    expect(await read(id)).toMatchObject({ broken_at: null });
    telegram.heal();
    await eventually(async () => expect((await read(id)).setup.done).toHaveLength(2));
    expect(telegram.calls.filter(({ method }) => method === 'setWebhook')).not.toHaveLength(0);
    expect(await read(id)).toMatchObject({ broken_at: null });
    expect(await errorsOf(id)).toHaveLength(0);
  });

  it('sends meanwhile, each message on its own schedule', async () => {
    const { id } = await connect('1002:a-token-of-a-test');
    const to = String(fakeUser().id);
    telegram.know(Number(to));
    const body = { channel_id: id, to, content: 'hello' };
    const queued = await gateway.call<{ id: string }>('POST', '/api/v1/messages', body);
    expect(queued.status).toBe(202);
    await eventually(async () => {
      const tried = await gateway.pool`select outcome from attempts where subject_id = ${queued.body.id}`;
      expect(tried).toEqual([{ outcome: 'deferred' }]);
    });
    telegram.heal();
    await eventually(async () => {
      const sent = await gateway.call('GET', `/api/v1/messages/${queued.body.id}`);
      expect(sent.body).toMatchObject({ status: 'sent' });
    });
  });

  it('is broken once its credentials turn out to be refused, and asks no more', async () => {
    const { id } = await connect('1003:a-token-of-a-test');
    telegram.heal();
    telegram.fail('getMe', { code: 401, description: 'Unauthorized' }, 1_000);
    await eventually(async () => {
      expect((await read(id)).broken_reason).toContain('401');
      expect(await errorsOf(id)).toHaveLength(1);
    });
    const [row] = await gateway.pool`select connect_at, connected_url from channels where id = ${id}`;
    // Of no other address than ours, for which it would be asked again.
    expect(row).toEqual({ connect_at: null, connected_url: `${PUBLIC_URL}/webhooks/telegram/${id}` });
  });
});

it('tells the provider a new PUBLIC_URL by itself, says nothing of one that it knows, and takes none away at a stop', async () => {
  const database_ = await createTestDatabase();
  const started = (host: string) => startTestGateway({ publicUrl: `https://${host}`, database_ });
  telegram = await startTelegram({ token: '1005:a-token-of-a-test' });
  const doors = () =>
    telegram.calls.filter(({ method }) => method === 'setWebhook').map(({ params }) => params['url']);
  const first = await started('old.example');
  const { body } = await first.call<Channel>('POST', '/api/v1/channels', {
    type: 'telegram',
    config: telegram.config,
  });
  await first.stop();
  for (const host of ['old.example', 'new.example']) {
    const next = await started(host);
    await eventually(async () => {
      const [row] = await next.pool`select connected_url, connect_at from channels where id = ${body.id}`;
      const url = `https://${host}/webhooks/telegram/${body.id}`;
      expect(row).toEqual({ connected_url: url, connect_at: null });
    });
    await next.stop();
  }
  const door = (host: string) => `https://${host}/webhooks/telegram/${body.id}`;
  expect(doors()).toEqual([door('old.example'), door('new.example')]);
  expect(telegram.calls.filter(({ method }) => method === 'deleteWebhook')).toEqual([]);
  expect(telegram.inbox.webhook.url).toBe(door('new.example'));
  await database_.drop();
});

it('does not go to and fro between processes with different PUBLIC_URLs, of which one warns', async () => {
  const database_ = await createTestDatabase();
  const { pool } = database_;
  const [businessId, id] = [newId(), newId()];
  await pool`insert into businesses (id, name) values (${businessId}, 'Acme')`;
  await pool`
    insert into channels (id, business_id, type, name, config) values (${id}, ${businessId}, 'telegram', 'Bot', '{}')`;
  const hosts = ['one.example', 'two.example'];
  const warned: string[] = [];
  const connecting = hosts.map((host) =>
    startConnecting({
      pool,
      channels: {
        doorUrl: () => host,
        find: async () => ({ row: { id } }) as LoadedChannel,
        async connect(loaded) {
          await pool`update channels set connected_url = ${host}, connect_at = null where id = ${id}`;
          return loaded;
        },
      },
      publicUrl: () => host,
      log: { info() {}, warn: () => warned.push(host) } as unknown as Log,
      pollMs: 10,
      compareMs: 10,
    }),
  );
  await eventually(() => expect(warned.length).toBeGreaterThan(5));
  const [row] = await pool<{ connected_url: string }[]>`select connected_url from channels`;
  expect(new Set(warned)).toEqual(new Set(hosts.filter((host) => host !== row?.connected_url)));
  await Promise.all(connecting.map((one) => one.stop()));
  await database_.drop();
});

describe('connecting that a crash cut short', () => {
  it('is made up for by a worker', async () => {
    const { id } = await connect('1004:a-token-of-a-test');
    telegram.heal();
    // As the transaction that stored the channel leaves it.
    await gateway.pool`update channels set setup = '{"done":[],"todo":[]}', connect_at = now() where id = ${id}`;
    await eventually(async () => expect((await read(id)).setup.done).toHaveLength(2));
  });
});
