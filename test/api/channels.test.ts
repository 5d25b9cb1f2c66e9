import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startApi, type TestApi, type TestBusiness } from '../support/api.ts';
import { type FakeTelegram, startTelegram } from '../support/telegram.ts';

const TOKEN = '123456:TEST-token_abc';
let api: TestApi;
let acme: TestBusiness;
let telegram: FakeTelegram;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());
beforeEach(async () => {
  acme = await api.business();
  telegram = await startTelegram({ token: TOKEN });
});
afterEach(async () => {
  await api.pool`update channels set deleted_at = now(), is_active = false, is_default = false`;
  await telegram.close();
});

const create = (config: object, more: object = {}) =>
  api.call('POST', '/api/v1/channels', { key: acme.key, body: { type: 'telegram', config, ...more } });
const bot = (more: object = {}) => create({ bot_token: TOKEN, api_root: telegram.url, ...more });
const change = (id: string, body: object) =>
  api.call('PATCH', `/api/v1/channels/${id}`, { key: acme.key, body });
const get = (id: string) => api.call('GET', `/api/v1/channels/${id}`, { key: acme.key });

describe('connecting a channel', () => {
  it('takes widget for webchat, fills its settings and makes the first channel the default', async () => {
    const { status, body } = await api.call('POST', '/api/v1/channels', {
      key: acme.key,
      body: { type: 'widget' },
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      business_id: acme.id,
      type: 'webchat',
      is_active: true,
      is_default: true,
      webhook_url: null,
    });
    expect(body.config).toMatchObject({ allowed_origins: [], primary_color: '#2563eb' });
    const second = await api.call('POST', '/api/v1/channels', {
      key: acme.key,
      body: { type: 'webchat', is_default: true },
    });
    expect(second.body.is_default).toBe(true);
    expect((await get(body.id)).body.is_default).toBe(false);
    const listed = await api.call('GET', '/api/v1/channels?type=widget', { key: acme.key });
    expect(listed.body.data.map((channel: { id: string }) => channel.id)).toEqual([body.id, second.body.id]);
  });

  it('registers with the provider and says what it did', async () => {
    const { status, body } = await bot();
    expect(status).toBe(201);
    expect(body.setup.done[0]).toContain('@test_bot');
    expect(body.webhook_url).toBe(`http://tributary.test/webhooks/telegram/${body.id}`);
    expect(body.broken_at).toBeNull();
    const health = await api.call('GET', `/api/v1/channels/${body.id}/health`, { key: acme.key });
    expect(health.body).toMatchObject({ ok: true });
  });

  it('names the field that an adapter refuses', async () => {
    const refused = await create({ bot_token: 'no token' });
    expect([refused.status, refused.body.error.details[0].field]).toEqual([422, 'config.bot_token']);
    expect((await create({})).body.error.details[0].field).toBe('config.bot_token');
    const unknown = await api.call('POST', '/api/v1/channels', { key: acme.key, body: { type: 'pigeon' } });
    expect([unknown.status, unknown.body.error.details[0].field]).toEqual([422, 'type']);
    const extra = await api.call('POST', '/api/v1/channels', {
      key: acme.key,
      body: { type: 'webchat', config: { colour: 1 } },
    });
    expect(extra.body.error.details[0].field).toBe('config.colour');
  });

  it('names the token that the provider refuses, and keeps no channel', async () => {
    const refused = await bot({ bot_token: '123456:another-token' });
    expect([refused.status, refused.body.error.details[0].field]).toEqual([422, 'config.bot_token']);
    expect(refused.text).not.toContain('another-token');
    expect((await api.call('GET', '/api/v1/channels', { key: acme.key })).body.data).toEqual([]);
    expect((await bot()).status).toBe(201);
  });

  it('keeps a channel whose provider cannot be reached, says so, and does not call it broken', async () => {
    const { url } = telegram;
    await telegram.close();
    const { status, body } = await create({ bot_token: TOKEN, api_root: url });
    expect(status).toBe(201);
    expect(body.setup).toEqual({ done: [], todo: [expect.stringContaining('Connecting failed')] });
    expect([body.broken_at, body.broken_reason]).toEqual([null, null]);
    const changed = await change(body.id, { is_active: true });
    expect(changed.body).toMatchObject({ setup: body.setup, broken_at: null });
    const events =
      await api.pool`select data from outbox where type = 'channel.error' and business_id = ${acme.id}`;
    expect(events).toHaveLength(0);
  });

  it('calls a channel broken whose changed credentials are refused, with one channel.error', async () => {
    const { body } = await bot();
    for (const _ of [1, 2]) {
      const changed = await change(body.id, { config: { bot_token: '123456:another-token' } });
      expect(changed.status).toBe(200);
      expect(changed.body).toMatchObject({
        broken_at: expect.any(String),
        broken_reason: expect.stringContaining('401'),
        setup: { todo: [expect.stringContaining('Connecting failed')] },
      });
      await change(body.id, { is_active: true });
    }
    const events =
      await api.pool`select data from outbox where type = 'channel.error' and business_id = ${acme.id}`;
    expect(events).toHaveLength(1);
  });

  it('refuses hosts that requests may not go to', async () => {
    const refused = await create({ bot_token: TOKEN, api_root: 'http://10.0.0.1' });
    expect([refused.status, refused.body.error.details[0].field]).toEqual([422, 'config.api_root']);
  });

  it('connects an account once', async () => {
    await bot();
    const other = await api.business('Other');
    const refused = await api.call('POST', '/api/v1/channels', {
      key: other.key,
      body: { type: 'telegram', config: { bot_token: TOKEN, api_root: telegram.url } },
    });
    expect([refused.status, refused.body.error.code]).toEqual([409, 'conflict']);
    expect(refused.text).not.toContain(acme.id);
  });

  it('agrees on one default when the first ones come at once', async () => {
    await Promise.all(
      Array.from({ length: 8 }, () =>
        api.call('POST', '/api/v1/channels', { key: acme.key, body: { type: 'webchat' } }),
      ),
    );
    const { body } = await api.call('GET', '/api/v1/channels', { key: acme.key });
    expect(body.data.filter((channel: { is_default: boolean }) => channel.is_default)).toHaveLength(1);
    expect(body.data).toHaveLength(8);
  });
});

describe('a channel’s secrets', () => {
  it('are never shown, in answers or rows; generated ones once', async () => {
    const { body, text } = await bot();
    expect(text).not.toContain(TOKEN);
    expect(body.config.bot_token).toBe('••••_abc');
    expect(body.generated.secret_token.length).toBeGreaterThan(20);
    const read = await get(body.id);
    expect(read.text).not.toContain(TOKEN);
    expect(read.body.generated).toBeUndefined();
    expect(read.text).not.toContain(body.generated.secret_token);
    const [row] =
      await api.pool`select config::text, encode(secrets, 'escape') as secrets from channels where id = ${body.id}`;
    expect(JSON.stringify(row)).not.toContain('TEST-token');
  });

  it('stay when their masks are sent back', async () => {
    const { body } = await bot();
    const { status, body: changed } = await change(body.id, { name: 'Renamed', config: body.config });
    expect([status, changed.name, changed.config]).toEqual([200, 'Renamed', body.config]);
    const loaded = await api.deps.channels.load(body.id);
    expect(loaded?.channel.settings).toMatchObject({
      bot_token: TOKEN,
      secret_token: body.generated.secret_token,
    });
  });

  it('are asked for again when a host changes, and generated ones are made anew', async () => {
    const { body } = await bot();
    const elsewhere = await startTelegram({ token: TOKEN });
    const refused = await change(body.id, { config: { api_root: elsewhere.url } });
    expect([refused.status, refused.body.error.details]).toEqual([
      422,
      [{ field: 'config.bot_token', message: expect.any(String) }],
    ]);
    const masked = await change(body.id, { config: { ...body.config, api_root: elsewhere.url } });
    expect(masked.status).toBe(422);
    expect(elsewhere.calls).toEqual([]);
    const changed = await change(body.id, { config: { api_root: elsewhere.url, bot_token: TOKEN } });
    expect(changed.status).toBe(200);
    expect(changed.body.generated.secret_token).not.toBe(body.generated.secret_token);
    await elsewhere.close();
  });

  it('cannot be masks in a new channel', async () => {
    const refused = await bot({ bot_token: '••••_abc' });
    expect([refused.status, refused.body.error.details[0].field]).toEqual([422, 'config.bot_token']);
  });
});

describe('changing a channel', () => {
  it('is seen by doors at once, and a deleted one is gone', async () => {
    const { body } = await bot();
    expect((await api.deps.channels.load(body.id))?.row.is_active).toBe(true);
    await change(body.id, { is_active: false });
    expect((await api.deps.channels.load(body.id))?.row.is_active).toBe(false);
    expect((await api.call('DELETE', `/api/v1/channels/${body.id}`, { key: acme.key })).status).toBe(204);
    expect(await api.deps.channels.load(body.id)).toBeUndefined();
    expect((await get(body.id)).status).toBe(404);
    expect((await api.call('DELETE', `/api/v1/channels/${body.id}`, { key: acme.key })).status).toBe(404);
    expect((await bot()).status).toBe(201);
  });

  it('ends nothing but the channel when it is deleted: what was said stays, and who did it is known', async () => {
    const asked = (method: string, path: string, body?: unknown) =>
      api.call(method, `/api/v1${path}`, { key: acme.key, body });
    const { body: channel } = await asked('POST', '/channels', { type: 'webchat', name: 'Old site' });
    const { body: customer } = await asked('POST', '/customers', { name: 'Ada', email: 'ada@example.com' });
    const { body: opened } = await asked('POST', '/conversations', {
      business_id: acme.id,
      channel_id: channel.id,
      customer_id: customer.id,
      initial_message: 'Kept for good',
    });
    expect((await asked('DELETE', `/channels/${channel.id}`)).status).toBe(204);
    expect((await asked('GET', `/conversations/${opened.id}`)).body).toMatchObject({
      channel_id: channel.id,
      channel_type: 'webchat',
      customer: { id: customer.id },
      messages: [{ content: 'Kept for good' }],
    });
    const listed = await asked('GET', `/conversations?channel_id=${channel.id}`);
    expect(listed.body.data.map(({ id }: { id: string }) => id)).toEqual([opened.id]);
    expect((await asked('GET', `/customers/${customer.id}`)).status).toBe(200);
    const { body: log } = await asked('GET', '/audit-log?limit=1');
    expect(log.data).toMatchObject([
      { action: 'channel.deleted', subject_id: channel.id, agent: { id: acme.ownerId } },
    ]);
  });

  it('notes a broken account once and forgets it when it is healthy', async () => {
    const { body } = await bot();
    await api.deps.channels.markBroken(body.id, 'revoked');
    await api.deps.channels.markBroken(body.id, 'revoked again');
    expect((await get(body.id)).body.broken_reason).toBe('revoked');
    const events =
      await api.pool`select 1 from outbox where type = 'channel.error' and business_id = ${acme.id}`;
    expect(events).toHaveLength(1);
    await api.call('GET', `/api/v1/channels/${body.id}/health`, { key: acme.key });
    expect((await get(body.id)).body.broken_at).toBeNull();
  });

  it('keeps texts that are said by themselves, and refuses those that could not be', async () => {
    const stand = { assignment: { mode: 'manual' }, greeting: null, out_of_hours: null };
    const { body } = await create({ bot_token: TOKEN, api_root: telegram.url }, stand);
    expect(body).toMatchObject(stand);
    const working_hours = { timezone: 'UTC', schedule: { mon: [{ start: '09:00', end: '17:00' }] } };
    const texts = { greeting: 'Hi {{visitor.name | there}}', out_of_hours: 'We are closed.' };
    const refused: [object, string][] = [
      [{ greeting: '{{visitor.name' }, 'greeting'],
      [{ greeting: '' }, 'greeting'],
      [{ out_of_hours: '{{weather.now}}' }, 'out_of_hours'],
      [texts, 'out_of_hours'],
    ];
    for (const [fields, field] of refused) {
      const answer = await change(body.id, fields);
      expect([fields, answer.status, answer.body.error.details[0].field]).toEqual([fields, 422, field]);
    }
    const set = { ...texts, assignment: { mode: 'manual', working_hours } };
    expect((await change(body.id, set)).body).toMatchObject(set);
    expect((await change(body.id, { assignment: { mode: 'manual' } })).status).toBe(422);
    expect((await change(body.id, stand)).body).toMatchObject(stand);
  });

  it('leaves a line in the audit log', async () => {
    const { body } = await bot();
    await change(body.id, { reopen: 'within_hours:24' });
    const lines =
      await api.pool`select action, detail from audit_log where subject_id = ${body.id} order by id`;
    expect(lines.map(({ action }) => action)).toEqual(['channel.created', 'channel.updated']);
  });
});
