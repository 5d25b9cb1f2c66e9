import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/id.ts';
import { startApi, type TestApi, type TestBusiness } from '../support/api.ts';
import { type FakeTelegram, startTelegram } from '../support/telegram.ts';

const TOKEN = '123456:TEST-token_abc';
let api: TestApi;
let acme: TestBusiness;
let telegram: FakeTelegram;
let channelId: string;
let secret: string;
let lastUpdate = 1000;

beforeAll(async () => {
  api = await startApi();
  acme = await api.business();
  telegram = await startTelegram({ token: TOKEN });
  const { body } = await api.call('POST', '/api/v1/channels', {
    key: acme.key,
    body: { type: 'telegram', config: { bot_token: TOKEN, api_root: telegram.url } },
  });
  channelId = body.id;
  secret = body.generated.secret_token;
});
afterAll(async () => {
  await api.stop();
  await telegram.close();
});

function update(text: unknown = 'hello'): object {
  lastUpdate += 1;
  const person = { id: 77, is_bot: false, first_name: 'Ada' };
  const message = {
    message_id: lastUpdate,
    date: 1_700_000_000,
    chat: { id: 77, type: 'private', first_name: 'Ada' },
    from: person,
    text,
  };
  return { update_id: lastUpdate, message };
}

function post(
  raw: string | Uint8Array,
  {
    id = channelId,
    type = 'telegram',
    token = secret,
  }: { id?: string; type?: string; token?: string | null } = {},
) {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (token !== null) headers['x-telegram-bot-api-secret-token'] = token;
  return api.call('POST', `/webhooks/${type}/${id}`, { raw, headers });
}

const stored = async () => {
  const [row] = await api.pool`
    select (select count(*) from messages) as messages, (select count(*) from inbound_requests) as requests,
      (select count(*) from conversations) as conversations, (select count(*) from outbox) as outbox`;
  return row;
};

describe('a door', () => {
  it('answers 200 after the commit, and to a duplicate, which it stores once', async () => {
    const body = JSON.stringify(update());
    expect((await post(body)).status).toBe(200);
    const [message] = await api.pool`select content from messages`;
    expect(message?.['content']).toBe('hello');
    const before = await stored();
    expect((await post(body)).status).toBe(200);
    const after = await stored();
    expect([after?.['messages'], after?.['outbox']]).toEqual([before?.['messages'], before?.['outbox']]);
  });

  it('refuses a missing or wrong secret, an unknown, foreign or inactive channel, and stores nothing', async () => {
    const before = await stored();
    const raw = JSON.stringify(update());
    expect((await post(raw, { token: null })).status).toBe(401);
    expect((await post(raw, { token: 'wrong' })).status).toBe(401);
    expect((await post(raw, { token: `${secret}x` })).status).toBe(401);
    expect((await post(raw, { id: newId() })).status).toBe(404);
    expect((await post(raw, { id: 'nothing' })).status).toBe(404);
    expect((await post(raw, { type: 'whatsapp' })).status).toBe(404);
    expect((await post(raw, { type: 'pigeon' })).status).toBe(404);
    await api.call('PATCH', `/api/v1/channels/${channelId}`, { key: acme.key, body: { is_active: false } });
    expect((await post(raw)).status).toBe(404);
    await api.call('PATCH', `/api/v1/channels/${channelId}`, { key: acme.key, body: { is_active: true } });
    expect((await api.call('GET', `/webhooks/telegram/${channelId}`)).status).toBe(403);
    expect(await stored()).toEqual(before);
    expect((await post(raw)).status).toBe(200);
  });

  it('refuses a body over 1 MB and stores nothing', async () => {
    const before = await stored();
    const { status, body } = await post(JSON.stringify(update('x'.repeat(1_100_000))));
    expect([status, body.error.code]).toEqual([413, 'payload_too_large']);
    expect(await stored()).toEqual(before);
  });

  it('refuses a form of very many parts before anybody is known to have sent it', async () => {
    const before = await stored();
    const config = { address: 'support@example.com', smtp: { host: '127.0.0.1', port: 25, secure: false } };
    const { body: email } = await api.call('POST', '/api/v1/channels', {
      key: acme.key,
      body: { type: 'email', config },
    });
    const part = '--b\r\ncontent-disposition: form-data; name="x"\r\n\r\n\r\n';
    const forms: [type: string, form: string][] = [
      ['application/x-www-form-urlencoded', 'a&'.repeat(400_000)],
      ['multipart/form-data; boundary=b', `${part.repeat(400_000)}--b--\r\n`],
    ];
    for (const [type, raw] of forms) {
      const headers = { 'content-type': type };
      const { status } = await api.call('POST', `/webhooks/email/${email.id}`, { raw, headers });
      expect([type, status]).toEqual([type, 413]);
    }
    expect(await stored()).toEqual(before);
  });

  it('survives nesting, NUL bytes, half surrogates and bodies that are no JSON', async () => {
    const deep = `{"update_id":1,"message":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    const bodies = [
      deep,
      'nonsense',
      '',
      '[]',
      'null',
      JSON.stringify(update('a\u0000b')),
      JSON.stringify(update('\ud800')),
    ];
    for (const raw of bodies) {
      const { status } = await post(raw);
      expect([raw.slice(0, 20), status]).toEqual([raw.slice(0, 20), 200]);
    }
    expect((await post(JSON.stringify(update('still here')))).status).toBe(200);
    const [{ content } = { content: '' }] =
      await api.pool`select content from messages order by id desc limit 1`;
    expect(content).toBe('still here');
  });

  it('is no route that a rate limit or a key counts for', async () => {
    const { headers } = await post(JSON.stringify(update()));
    expect(headers.get('x-ratelimit-limit')).toBeNull();
  });
});

describe('what was received', () => {
  it('is listed by status, shown raw to admins only and audited', async () => {
    await post('still no JSON');
    const list = await api.call('GET', '/api/v1/inbound-events?status=failed', { key: acme.key });
    const failed = list.body.data[0];
    expect(failed).toMatchObject({
      channel_id: channelId,
      status: 'failed',
      reason: expect.stringContaining('unreadable'),
    });
    const whole = await api.call('GET', `/api/v1/inbound-events/${failed.id}`, { key: acme.key });
    expect(whole.body.body).toBe('still no JSON');
    expect(whole.text).not.toContain(secret);
    const agent = await api.keyFor(acme.id, 'agent');
    expect((await api.call('GET', `/api/v1/inbound-events/${failed.id}`, { key: agent })).status).toBe(403);
    const lines =
      await api.pool`select 1 from audit_log where action = 'inbound_request.viewed' and subject_id = ${failed.id}`;
    expect(lines).toHaveLength(1);
  });

  it('is kept as ignored where it is of a kind that nobody reads', async () => {
    const before = await stored();
    const kinds = { poll_answer: { poll_id: '1' }, chat_join_request: {}, of_tomorrow: { any: [1] } };
    for (const [kind, body] of Object.entries(kinds)) {
      lastUpdate += 1;
      expect((await post(JSON.stringify({ update_id: lastUpdate, [kind]: body }))).status).toBe(200);
    }
    const { body } = await api.call('GET', '/api/v1/inbound-events?status=ignored&limit=3', {
      key: acme.key,
    });
    expect(body.data).toMatchObject(Array(3).fill({ status: 'ignored', reason: 'nothing for us in it' }));
    const [newest] = body.data;
    const whole = await api.call('GET', `/api/v1/inbound-events/${newest.id}`, { key: acme.key });
    expect(whole.body.body).toContain('of_tomorrow');
    expect((await stored())?.['messages']).toBe(before?.['messages']);
  });

  it('can be replayed', async () => {
    await post(JSON.stringify(update('once more')));
    const { body } = await api.call('GET', '/api/v1/inbound-events?status=processed&limit=1', {
      key: acme.key,
    });
    const replayed = await api.call('POST', `/api/v1/inbound-events/${body.data[0].id}/replay`, {
      key: acme.key,
    });
    expect(replayed.status).toBe(200);
    expect(replayed.body.data).toMatchObject([{ duplicate: true }]);
  });

  it('belongs to its business', async () => {
    const { body } = await api.call('GET', '/api/v1/inbound-events', { key: acme.key });
    const other = await api.business('Other');
    const path = `/api/v1/inbound-events/${body.data[0].id}`;
    expect((await api.call('GET', path, { key: other.key })).status).toBe(404);
    expect((await api.call('POST', `${path}/replay`, { key: other.key })).status).toBe(404);
    expect((await api.call('GET', '/api/v1/inbound-events', { key: other.key })).body.data).toEqual([]);
  });
});
