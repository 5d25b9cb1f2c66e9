import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_API_KEY, startApi, type TestApi, type TestBusiness } from '../support/api.ts';

let api: TestApi;
let acme: TestBusiness;
const json = { 'content-type': 'application/json' };

beforeAll(async () => {
  api = await startApi({ config: { corsOrigins: ['https://app.example'] } });
  acme = await api.business();
});
afterAll(() => api.stop());

describe('every request', () => {
  it('has an id, ours or the caller’s, in the answer and in errors', async () => {
    const own = await api.call('GET', '/api/v1/business', {
      key: acme.key,
      headers: { 'x-request-id': 'abc-1' },
    });
    expect(own.headers.get('x-request-id')).toBe('abc-1');
    const { headers, body } = await api.call('GET', '/api/v1/nothing', {
      key: acme.key,
      headers: { 'x-request-id': 'bad id\t' },
    });
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(body).toEqual({
      error: {
        code: 'not_found',
        message: expect.any(String),
        details: [],
        request_id: headers.get('x-request-id'),
      },
    });
  });

  it('hears in plain words what it leaves out, of a channel’s config too', async () => {
    const missing = async (path: string, body: object) => {
      const answer = await api.call('POST', `/api/v1${path}`, {
        key: acme.key,
        body,
      });
      return answer.body.error.details;
    };
    expect(await missing('/canned-responses', { title: 'Hello', shortcut: 'hello' })).toEqual([
      { field: 'content', message: 'is required' },
    ]);
    expect(await missing('/channels', { type: 'telegram', config: {} })).toEqual([
      { field: 'config.bot_token', message: 'is required' },
    ]);
  });

  it('tolerates a trailing slash on every route', async () => {
    for (const path of [
      '/business/',
      '/api-keys/',
      '/team/members/',
      '/channels/',
      '/conversations/',
      '/customers/',
      '/events/',
    ]) {
      expect([path, (await api.call('GET', `/api/v1${path}`, { key: acme.key })).status]).toEqual([
        path,
        200,
      ]);
    }
  });

  it('with a method that its address does not take is answered the methods that it does', async () => {
    const ask = async (method: string, path: string, key?: string) => {
      const { status, headers, body } = await api.call(method, path, key === undefined ? {} : { key });
      const { code } = body?.error ?? {};
      return [method, path, status, headers.get('allow'), code];
    };
    const id = '0199b1f0-0000-7000-8000-000000000000';
    for (const [method, path, allow] of [
      ['DELETE', '/api/v1/business', 'GET, HEAD, PATCH'],
      ['POST', `/api/v1/conversations/${id}`, 'GET, HEAD, PATCH, PUT'],
      ['PUT', '/api/v1/conversations/', 'GET, HEAD, POST'],
      ['POST', '/health/live', 'GET, HEAD'],
      ['POST', '/openapi.json', 'GET, HEAD'],
    ] as const)
      expect(await ask(method, path, acme.key)).toEqual([method, path, 405, allow, 'method_not_allowed']);
    const support = `/api/support/conversations/${id}`;
    expect(await ask('PATCH', support, acme.key)).toEqual([
      'PATCH',
      support,
      405,
      'GET, HEAD, PUT',
      'METHOD_NOT_ALLOWED',
    ]);
    expect((await ask('DELETE', '/api/v1/business')).slice(2)).toEqual([401, null, 'unauthorized']);
    expect((await ask('GET', `/api/v1/conversations/${id}`, acme.key)).slice(2)).toEqual([
      404,
      null,
      'not_found',
    ]);
    expect((await ask('DELETE', '/api/v1/nothing', acme.key)).slice(2)).toEqual([404, null, 'not_found']);
  });

  it('carries headers that keep browsers from guessing', async () => {
    const { headers } = await api.call('GET', '/api/v1/business', { key: acme.key });
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  it('lets the configured origins in, and no other', async () => {
    const preflight = (origin: string) =>
      api.call('OPTIONS', '/api/v1/business', {
        headers: { origin, 'access-control-request-method': 'GET' },
      });
    expect((await preflight('https://app.example')).headers.get('access-control-allow-origin')).toBe(
      'https://app.example',
    );
    expect((await preflight('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
    const answer = await api.call('GET', '/api/v1/business', { headers: { origin: 'https://app.example' } });
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example');
  });
});

describe('hostile input', () => {
  const post = (raw: string | Uint8Array, headers = json) =>
    api.call('POST', '/api/v1/api-keys', { key: acme.key, raw, headers });

  it('answers unparsable JSON with 400', async () => {
    for (const raw of ['{', '', 'null,', '\uFEFF{}x']) {
      const { status, body } = await post(raw);
      expect([raw, status, body.error.code]).toEqual([raw, 400, 'invalid_request']);
    }
  });

  it('takes an empty body for none where none is needed', async () => {
    const post = (path: string, body: object) =>
      api.call('POST', `/api/v1${path}`, { key: acme.key, ...body });
    const hook = { url: 'https://your-server.com/webhook', events: ['*'] };
    const channel = await post('/channels', { body: { type: 'webchat' } });
    const opened = { business_id: acme.id, channel_id: channel.body.id };
    const { id } = (await post('/conversations', { body: opened })).body;
    const endpoint = (await post('/webhook-endpoints', { body: hook })).body.id;
    const actions = ['handoff', 'read', 'unread'].map((action) => `/conversations/${id}/${action}`);
    for (const path of [...actions, `/webhook-endpoints/${endpoint}/rotate-secret`]) {
      const empty = await post(path, { raw: '', headers: json });
      expect([path, empty.status, (await post(path, {})).status]).toEqual([path, 200, 200]);
    }
    const tagged = await post(`/conversations/${id}/tags`, { raw: '', headers: json });
    expect([tagged.status, tagged.body.error.code]).toEqual([400, 'invalid_request']);
  });

  it('names the fields that a schema refuses', async () => {
    const { status, body } = await post(JSON.stringify({ role: 'king', expires_at: 'soon' }));
    expect([status, body.error.code]).toEqual([422, 'validation_error']);
    expect(body.error.details.map((detail: { field: string }) => detail.field).sort()).toEqual([
      'expires_at',
      'name',
      'role',
    ]);
    for (const raw of ['null', '[]', '7', '"x"']) expect((await post(raw)).status).toBe(422);
    const query = await api.call('GET', '/api/v1/conversations?status=open,lost', { key: acme.key });
    expect(query.body.error.details.map((detail: { field: string }) => detail.field)).toEqual(['status']);
  });

  it('names a field that a route does not know, and takes back what it showed', async () => {
    const send = (method: string, path: string, body: unknown) =>
      api.call(method, `/api${path}`, { key: acme.key, body });
    const unknown = (...fields: string[]) => fields.map((field) => ({ field, message: 'is not known here' }));
    const made = await send('POST', '/v1/customers', { name: 'Ada', emial: 'ada@example.com', fone: '1' });
    expect([made.status, made.body.error.details]).toEqual([422, unknown('emial', 'fone')]);
    const { body: customer } = await send('POST', '/v1/customers', { name: 'Ada' });
    const misspelt = await send('PATCH', `/v1/customers/${customer.id}/`, { nmae: 'Eve' });
    expect([misspelt.status, misspelt.body.error.details]).toEqual([422, unknown('nmae')]);
    const { status, body } = await send('PUT', `/v1/customers/${customer.id}`, { ...customer, name: 'Eve' });
    expect([status, body.name]).toEqual([200, 'Eve']);
    const other = await send('POST', '/support/canned-responses', {
      title: 'Hi',
      content: 'Hi',
      folder: 'All',
    });
    expect(other.status).toBe(201);
  });

  it('refuses what is no number by saying so, in every query', async () => {
    const id = '0199b1f0-0000-7000-8000-000000000000';
    for (const [path, field] of [
      ['/v1/customers', 'limit'],
      ['/v1/customers', 'page'],
      ['/v1/analytics/overview', 'days'],
      [`/v1/conversations/${id}`, 'messages'],
      [`/v1/conversations/${id}/messages`, 'after_seq'],
      [`/v1/webhook-endpoints/${id}/deliveries`, 'status_code'],
      ['/support/conversations', 'page'],
    ] as const)
      for (const wrong of ['abc', '1.5', '1e400']) {
        const { status, body } = await api.call('GET', `/api${path}?${field}=${wrong}`, { key: acme.key });
        const [detail] = path.startsWith('/v1') ? body.error.details : body.error.details.fields;
        expect([path, status, detail]).toEqual([path, 422, { field, message: 'must be a whole number' }]);
      }
    const { body } = await api.call('GET', '/api/v1/analytics/overview?days=400', { key: acme.key });
    expect(body.error.details).toEqual([{ field: 'days', message: 'must be 366 or less' }]);
  });

  it('refuses a key that would have expired before it was made', async () => {
    const ask = async (expires_at: Date) => {
      const { status, body } = await post(JSON.stringify({ name: 'Late', expires_at }));
      return [status, body.error?.details];
    };
    const refused = [422, [{ field: 'expires_at', message: 'must be a time to come' }]];
    expect(await ask(new Date(Date.now() - 86_400_000))).toEqual(refused);
    expect(await ask(new Date())).toEqual(refused);
    expect(await ask(new Date(Date.now() + 86_400_000))).toEqual([201, undefined]);
  });

  it('refuses times that the database cannot hold, by the name of their field', async () => {
    for (const time of ['0000-01-01T00:00:00Z', '9999-12-31T23:59:59-12:00', '2026-02-30T00:00:00Z']) {
      const path = `/api/v1/conversations?created_after=${time}`;
      const { status, body } = await api.call('GET', path, { key: acme.key });
      expect([status, body.error.details[0].field]).toEqual([422, 'created_after']);
    }
  });

  it('refuses another content type with a sentence', async () => {
    const { status, body } = await post('name=x', { 'content-type': 'application/x-www-form-urlencoded' });
    expect([status, body.error.code]).toEqual([400, 'invalid_request']);
    expect(body.error.message).toContain('application/json');
  });

  it('survives nesting of any depth', async () => {
    for (const depth of [100, 5_000, 400_000]) {
      expect((await post(`{"name":${'['.repeat(depth)}${']'.repeat(depth)}}`)).status).toBe(400);
    }
    expect((await post('['.repeat(900_000))).status).toBe(400);
  });

  it('refuses NUL and half surrogates by the name of their field', async () => {
    for (const text of ['a\\u0000b', '\\ud800']) {
      const { status, body } = await post(`{"name":"${text}"}`);
      expect([status, body.error.details[0].field]).toEqual([422, 'name']);
    }
    expect((await post('{"name":"x","a":{"\\u0000":1}}')).status).toBe(422);
    expect((await api.call('GET', '/api/v1/customers?q=%00', { key: acme.key })).status).toBe(422);
    expect((await api.call('GET', '/api/v1/customers/%00', { key: acme.key })).status).toBe(404);
  });

  it('refuses two files in one upload, of which it would keep one', async () => {
    const raw = new FormData();
    for (const name of ['a.txt', 'b.txt']) raw.append('file', new File([name], name));
    const { status, body } = await api.call('POST', '/api/v1/canned-responses/upload', {
      key: acme.key,
      raw,
    });
    const message = 'is one file: send each in a request of its own';
    expect([status, body.error.details]).toEqual([422, [{ field: 'file', message }]]);
  });

  it('refuses an upload of very many parts unread', async () => {
    const part = '--b\r\ncontent-disposition: form-data; name="x"\r\n\r\n\r\n';
    const upload = (parts: number) =>
      api.call('POST', '/api/v1/canned-responses/upload', {
        key: acme.key,
        raw: `${part.repeat(parts)}--b--\r\n`,
        headers: { 'content-type': 'multipart/form-data; boundary=b' },
      });
    const { status, body } = await upload(1_001);
    expect([status, body.error.code]).toEqual([413, 'payload_too_large']);
    expect((await upload(900)).status).toBe(422);
  });

  it('refuses a body over 1 MB', async () => {
    const { status, body } = await post(JSON.stringify({ name: 'x'.repeat(1_100_000) }));
    expect([status, body.error.code]).toEqual([413, 'payload_too_large']);
  });

  it('finds nothing at ids of any other shape', async () => {
    for (const id of [
      '1',
      'g7b8c9d0-e1f2-3456-abcd-567890123456',
      "'",
      '%F0%9F',
      '..%2f',
      'x'.repeat(3000),
    ]) {
      expect([id, (await api.call('GET', `/api/v1/channels/${id}`, { key: acme.key })).status]).toEqual([
        id,
        404,
      ]);
    }
  });
});

describe('lists', () => {
  it('are stable pages that end', async () => {
    const business = await api.business('Pages');
    for (let n = 0; n < 6; n += 1) await api.keyFor(business.id, 'agent');
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await api.call('GET', `/api/v1/api-keys?limit=3${cursor}`, { key: business.key });
      seen.push(...body.data.map((key: { id: string }) => key.id));
      expect(body.meta.has_more).toBe(body.meta.next_cursor !== null);
      cursor = body.meta.next_cursor === null ? '' : `&cursor=${body.meta.next_cursor}`;
      await api.keyFor(business.id, 'bot');
    } while (cursor !== '');
    expect(seen).toHaveLength(7);
    expect(seen).toEqual([...seen].sort().reverse());
    const second = await api.call('GET', '/api/v1/api-keys?limit=4&page=2', { key: business.key });
    expect(second.body.data).toHaveLength(4);
  });

  it('take no cursor of another list, nor of another order', async () => {
    const get = (path: string) => api.call('GET', `/api/v1${path}`, { key: acme.key });
    const body = { business_id: acme.id, channel_id: undefined as string | undefined, initial_message: 'Hi' };
    const channel = await api.call('POST', '/api/v1/channels', { key: acme.key, body: { type: 'webchat' } });
    body.channel_id = channel.body.id;
    const ids: string[] = [];
    for (let n = 0; n < 2; n += 1)
      ids.push((await api.call('POST', '/api/v1/conversations', { key: acme.key, body })).body.id);
    const messages = `/conversations/${ids[0]}/messages`;
    await api.call('POST', `/api/v1${messages}`, { key: acme.key, body: { content: 'More' } });
    const cursorOf = async (list: string) => (await get(`${list}?limit=1`)).body.meta.next_cursor;
    const [ofMessages, ofConversations] = [await cursorOf(messages), await cursorOf('/conversations')];
    const [event] = (await get('/events?limit=1')).body.data;
    expect((await get(`${messages}?cursor=${ofMessages}`)).status).toBe(200);
    for (const path of [
      `/customers?cursor=${ofMessages}`,
      `/conversations?sort=created_at&cursor=${ofConversations}`,
      `/conversations?cursor=${event?.cursor ?? ofMessages}`,
      `/events?after=${ofMessages}`,
    ])
      expect([path, (await get(path)).status]).toEqual([path, 400]);
  });

  it('read a limit over 100 as 100, and refuse what is none', async () => {
    const get = (query: string) => api.call('GET', `/api/v1/api-keys?${query}`, { key: acme.key });
    expect((await get('limit=5000')).status).toBe(200);
    expect((await get('limit=0')).status).toBe(422);
    expect((await get('limit=x')).status).toBe(422);
    const forged = await get('cursor=abc.def');
    expect([forged.status, forged.body.error.details[0].field]).toEqual([400, 'cursor']);
  });
});

describe('rate limits', () => {
  it('count per key and say when to come back', async () => {
    const busy = await api.business('Busy');
    const { headers } = await api.call('GET', '/api/v1/business', { key: busy.key });
    expect(headers.get('x-ratelimit-limit')).toBe('1000');
    expect(headers.get('x-ratelimit-remaining')).toBe('999');
    expect(Number(headers.get('x-ratelimit-reset'))).toBeGreaterThan(Date.now() / 1000 - 1);
    const [key] = await api.pool`select id from api_keys where business_id = ${busy.id}`;
    const limit = { points: 1_000, durationSeconds: 60 };
    for (let n = 0; n < 999; n += 1) await api.deps.rateLimits.consume('api', key?.['id'], limit);
    const refused = await api.call('GET', '/api/v1/business', { key: busy.key });
    expect([refused.status, refused.body.error.code]).toEqual([429, 'rate_limited']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await api.call('GET', '/api/v1/business', { key: acme.key })).status).toBe(200);
  });
});

describe('what operates the server', () => {
  it('is ready while the database answers and nothing drains', async () => {
    expect((await api.call('GET', '/health/live')).status).toBe(200);
    expect((await api.call('GET', '/health/ready')).status).toBe(200);
    const draining = await startApi({ deps: { isReady: () => false } });
    expect((await draining.call('GET', '/health/ready')).status).toBe(503);
    expect((await draining.call('GET', '/health/live')).status).toBe(200);
    await draining.stop();
  });

  it('shows metrics without any tenant to the operator alone', async () => {
    expect((await api.call('GET', '/metrics')).status).toBe(401);
    expect((await api.call('GET', '/metrics', { key: acme.key })).status).toBe(403);
    const { status, text } = await api.call('GET', '/metrics', { key: ADMIN_API_KEY });
    expect(status).toBe(200);
    expect(text).toContain('tributary_http_request_duration_seconds_count');
    expect(text).toContain('tributary_outbox_rows');
    expect(text).not.toContain(acme.id);
  });

  it('takes a request for local only when no undeclared proxy brought it', async () => {
    const from = async (app: TestApi['app'], remoteAddress: string, forwardedFor?: string) => {
      const headers: Record<string, string> =
        forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor };
      return (await app.request('/metrics', { headers }, { incoming: { socket: { remoteAddress } } })).status;
    };
    expect(await from(api.app, '127.0.0.1')).toBe(200);
    expect(await from(api.app, '::ffff:127.0.0.1')).toBe(200);
    expect(await from(api.app, '127.0.0.1', '203.0.113.9')).toBe(401);
    expect(await from(api.app, '203.0.113.9', '127.0.0.1')).toBe(401);
    const proxied = await startApi({ config: { trustedProxies: ['10.0.0.0/8'] } });
    expect(await from(proxied.app, '10.0.0.1', '127.0.0.1')).toBe(200);
    expect(await from(proxied.app, '10.0.0.1', '127.0.0.1, 203.0.113.9')).toBe(401);
    await proxied.stop();
  });

  it('answers 503 while the database is away', async () => {
    const broken = await startApi();
    const { key } = await broken.business();
    await broken.pool.end();
    expect((await broken.call('GET', '/health/ready')).status).toBe(503);
    const { status, body, headers } = await broken.call('GET', '/api/v1/business', { key });
    expect([status, body.error.code, headers.get('retry-after')]).toEqual([503, 'unavailable', '1']);
    await broken.stop();
  });
});
