import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { storeUpload } from '../../src/core/attachments/uploads.ts';
import { LONG_URL_MS } from '../../src/core/attachments.ts';
import { startApi, type TestApi, type TestBusiness } from '../support/api.ts';

const [MINUTE, DAY] = [60_000, 86_400_000];

let api: TestApi;
let business: TestBusiness;
let id: string;

async function* bytes() {
  yield Buffer.from('hello');
}

beforeAll(async () => {
  api = await startApi();
  business = await api.business();
  id = await keep('agents');
}, 60_000);
afterAll(() => api.stop());
afterEach(() => {
  vi.useRealTimers();
});

async function keep(uploadedBy: string): Promise<string> {
  const { pool, deps } = api;
  const upload = {
    businessId: business.id,
    conversationId: null,
    uploadedBy,
    name: 'a.txt',
    contentType: 'text/plain',
  };
  return (await storeUpload(pool, deps.attachments.files, { ...upload, body: bytes() })).id;
}

async function statusOf(url: string, laterMs = 0): Promise<number> {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + laterMs });
  const { status } = await api.call('GET', new URL(url).pathname);
  vi.useRealTimers();
  return status;
}

describe('the address of a file', () => {
  it('works for an hour, and for a week where a provider or a subscriber may come late', async () => {
    const { attachments } = api.deps;
    const [short, long] = [attachments.url(id), attachments.url(id, LONG_URL_MS)];
    expect(await statusOf(short, 59 * MINUTE)).toBe(200);
    expect(await statusOf(short, 61 * MINUTE)).toBe(404);
    expect(await statusOf(long, 7 * DAY - MINUTE)).toBe(200);
    expect(await statusOf(long, 7 * DAY + MINUTE)).toBe(404);
  });

  it('is nothing that can be guessed, prolonged or turned to another file', async () => {
    const url = api.deps.attachments.url(id);
    const token = url.split('/').at(-1) ?? '';
    const others = [
      `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`,
      token.slice(1),
      id,
      `${id}.9999999999999.file`,
      '',
    ];
    for (const other of others) expect(await statusOf(url.replace(token, other)), other).toBe(404);
    // What another label of the same key seals opens nothing here.
    const sealed = api.deps.secrets.seal('cursor' as 'file', `${id}.${Date.now() + DAY}.file`);
    expect(await statusOf(url.replace(token, sealed))).toBe(404);
  });

  it('opens ranges and nothing else than it should', async () => {
    const path = new URL(api.deps.attachments.url(id)).pathname;
    const get = (headers: Record<string, string>) => api.call('GET', path, { headers });
    const whole = await get({});
    const etag = whole.headers.get('etag') ?? '';
    expect(whole.headers.get('accept-ranges')).toBe('bytes');
    const cases: [Record<string, string>, number, string][] = [
      [{ range: 'bytes=1-3' }, 206, 'ell'],
      [{ range: 'bytes=3-' }, 206, 'lo'],
      [{ range: 'bytes=-2' }, 206, 'lo'],
      [{ range: 'bytes=0-99' }, 206, 'hello'],
      [{ range: 'bytes=9-' }, 416, ''],
      [{ range: 'bytes=3-1' }, 416, ''],
      [{ range: 'bytes=0-1,3-4' }, 200, 'hello'],
      [{ range: 'lines=1-2' }, 200, 'hello'],
      [{ range: 'bytes=1-3', 'if-range': etag }, 206, 'ell'],
      [{ range: 'bytes=1-3', 'if-range': '"other"' }, 200, 'hello'],
      [{ 'if-none-match': `"other", ${etag}` }, 304, ''],
      [{ 'if-none-match': `W/${etag}` }, 304, ''],
      [{ 'if-none-match': '"other"' }, 200, 'hello'],
    ];
    for (const [headers, status, text] of cases) {
      const answer = await get(headers);
      expect([headers, answer.status, answer.text]).toEqual([headers, status, text]);
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    }
    expect((await api.call('HEAD', path)).headers.get('content-length')).toBe('5');
  });
});

describe('an upload', () => {
  it('is refused to a visitor who piles up what no message takes, and not to the team', async () => {
    const uploadedBy = 'visitor:0198f7a4-0000-7000-8000-000000000009';
    await api.pool`
      insert into attachments (id, business_id, name, content_type, state, uploaded_by)
      select gen_random_uuid(), ${business.id}, 'x', 'text/plain', 'uploaded', who
      from generate_series(1, 100), unnest(${[uploadedBy, 'agents']}::text[]) who`;
    await expect(keep(uploadedBy)).rejects.toMatchObject({ code: 'rate_limited' });
    expect(await keep('agents')).toBeTypeOf('string');
  });
});
