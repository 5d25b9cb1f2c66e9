import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi, type TestBusiness } from '../support/api.ts';
import { startTelegram } from '../support/telegram.ts';

let api: TestApi;
let acme: TestBusiness;

beforeAll(async () => {
  api = await startApi();
  acme = await api.business();
});
afterAll(() => api.stop());

function create(idempotencyKey: string, name = 'a key', key = acme.key) {
  return api.call('POST', '/api/v1/api-keys', {
    key,
    body: { name },
    headers: { 'idempotency-key': idempotencyKey },
  });
}

const countNamed = async (name: string) =>
  (await api.pool`select 1 from api_keys where name = ${name}`).length;

describe('an Idempotency-Key', () => {
  it('makes 100 identical requests at once one effect with one answer', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => create('burst', 'burst')));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(201);
    expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(99);
    expect(await countNamed('burst')).toBe(1);
  });

  it('answers a repetition as the first time', async () => {
    const first = await create('again', 'again');
    const second = await create('again', 'again');
    expect(second.text).toBe(first.text);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect(second.headers.get('x-request-id')).not.toBeNull();
  });

  it('is a conflict with another body', async () => {
    await create('changed', 'one');
    const { status, body } = await create('changed', 'two');
    expect([status, body.error.code]).toEqual([409, 'conflict']);
    expect(await countNamed('two')).toBe(0);
  });

  it('belongs to one API key and one path', async () => {
    const other = await api.keyFor(acme.id, 'owner');
    await create('shared', 'shared');
    await create('shared', 'shared', other);
    expect(await countNamed('shared')).toBe(2);
    const elsewhere = await api.call('POST', '/api/v1/channels', {
      key: acme.key,
      body: { type: 'webchat' },
      headers: { 'idempotency-key': 'shared' },
    });
    expect(elsewhere.status).toBe(201);
  });

  it('keeps no refusal: the same key may succeed later', async () => {
    const refused = await create('late', '');
    expect(refused.status).toBe(422);
    expect((await create('late', 'late')).status).toBe(201);
  });

  it('ends after 24 hours', async () => {
    await create('old', 'old');
    await api.pool`update idempotency_keys set created_at = now() - interval '25 hours' where key = 'old'`;
    expect((await create('old', 'old, with another body')).status).toBe(201);
  });

  it('stores its answer encrypted', async () => {
    const { body } = await create('secret', 'secret');
    const [row] = await api.pool`select response from idempotency_keys where key = 'secret'`;
    expect(row?.['response']).toBeInstanceOf(Buffer);
    expect(String(row?.['response'])).not.toContain(body.key);
  });

  it('makes one upload of the same file sent several times, whatever the boundaries of its form', async () => {
    const body = { business_id: acme.id };
    await api.call('POST', '/api/v1/channels', { key: acme.key, body: { type: 'webchat' } });
    const { id } = (await api.call('POST', '/api/v1/conversations', { key: acme.key, body })).body;
    const upload = (text: string) => {
      const raw = new FormData();
      raw.set('file', new File([text], 'a.txt', { type: 'text/plain' }));
      const headers = { 'idempotency-key': 'file' };
      return api.call('POST', `/api/v1/conversations/${id}/upload`, { key: acme.key, raw, headers });
    };
    const answers = await Promise.all([upload('hello'), upload('hello'), upload('hello')]);
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0]).toMatchObject({ status: 201, body: { name: 'a.txt', size: 5 } });
    expect((await upload('another')).status).toBe(409);
    expect(await api.pool`select 1 from attachments`).toHaveLength(1);
  });

  it('reads a form of nothing but boundaries as fast as any other', async () => {
    const headers = { 'content-type': 'multipart/form-data; boundary=a', 'idempotency-key': 'a' };
    const raw = Buffer.alloc(20_000_000, 'a');
    const answer = await api.call('POST', '/api/v1/canned-responses/upload', { key: acme.key, raw, headers });
    expect([400, 422]).toContain(answer.status);
  });

  it('must be visible ASCII of up to 255 characters', async () => {
    for (const key of ['x'.repeat(256), 'a b']) expect((await create(key)).status).toBe(400);
  });

  it('waits for an answer that is still on its way after the commit', async () => {
    const telegram = await startTelegram();
    const connect = () =>
      api.call('POST', '/api/v1/channels', {
        key: acme.key,
        body: { type: 'telegram', config: { bot_token: '123456:TEST-token_abc', api_root: telegram.url } },
        headers: { 'idempotency-key': 'connect' },
      });
    const answers = await Promise.all([connect(), connect(), connect()]);
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(telegram.calls.filter(({ method }) => method === 'getMe')).toHaveLength(1);
    await telegram.close();
  });

  it('counts for no request that was refused after its commit', async () => {
    const telegram = await startTelegram();
    const connect = (token: string) =>
      api.call('POST', '/api/v1/channels', {
        key: acme.key,
        body: { type: 'telegram', config: { bot_token: token, api_root: telegram.url } },
        headers: { 'idempotency-key': 'refused' },
      });
    expect((await connect('654321:wrong')).status).toBe(422);
    expect((await connect('654321:wrong too')).status).toBe(422);
    const rows = await api.pool`select 1 from idempotency_keys where key = 'refused'`;
    expect(rows).toHaveLength(0);
    await telegram.close();
  });
});
