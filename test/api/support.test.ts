import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/id.ts';
import { type CallOptions, startApi, type TestApi, type TestBusiness } from '../support/api.ts';

let api: TestApi;
let acme: TestBusiness;
let channel: string;
/** A conversation of a customer of its own. */
let conversation: string;
let customer: string;

beforeAll(async () => {
  api = await startApi();
  acme = await api.business();
  channel = (await call('POST', '/api/v1/channels', { body: { type: 'webchat' } })).body.id;
});
afterAll(() => api.stop());
beforeEach(async () => {
  const body = { name: 'John Doe', email: 'john@example.com', custom_attributes: { plan: 'pro' } };
  customer = (await call('POST', '/api/v1/customers', { body })).body.id;
  conversation = await open(customer);
});

function call(method: string, path: string, options: CallOptions = {}) {
  return api.call(method, path, { key: acme.key, ...options });
}

const support = (method: string, path: string, body?: unknown, options: CallOptions = {}) =>
  call(method, `/api/support${path}`, { ...(body === undefined ? {} : { body }), ...options });

async function open(customer_id: string): Promise<string> {
  return (await call('POST', '/api/v1/conversations', { body: { business_id: acme.id, customer_id } })).body
    .id;
}

const shown = async () => (await support('GET', `/conversations/${conversation}`)).body.data;
const native = async () => (await call('GET', `/api/v1/conversations/${conversation}`)).body;

describe('reading', () => {
  it('shows the same conversation as the native dialect, under its own names', async () => {
    await support('POST', `/conversations/${conversation}/assign`, { assigneeId: acme.ownerId });
    const theirs = await native();
    expect(await shown()).toEqual({
      id: conversation,
      status: 'open',
      inboxId: channel,
      visitor: { id: customer, name: 'John Doe', email: 'john@example.com' },
      assignee: { id: acme.ownerId, name: expect.any(String) },
      messages: [],
      tags: [],
      createdAt: theirs.created_at,
      updatedAt: theirs.updated_at,
    });
  });

  it('has null for a visitor and an assignee that are not there', async () => {
    const { body } = await call('POST', '/api/v1/conversations', { body: { business_id: acme.id } });
    const { data } = (await support('GET', `/conversations/${body.id}`)).body;
    expect(data).toMatchObject({ visitor: null, assignee: null });
  });

  it('shows a visitor', async () => {
    const { body } = await support('GET', `/visitors/${customer}`);
    expect(body).toEqual({
      success: true,
      data: {
        id: customer,
        userId: null,
        name: 'John Doe',
        email: 'john@example.com',
        phone: null,
        attributes: { plan: 'pro' },
        firstSeenAt: expect.any(String),
        lastSeenAt: null,
        updatedAt: expect.any(String),
      },
    });
    const wroteAt = '2026-01-31T09:00:00.000Z';
    await api.pool`
      insert into messages
        (id, business_id, conversation_id, channel_id, seq, direction, sender_type, customer_id, type, content, created_at)
      values (${newId()}, ${acme.id}, ${conversation}, ${channel}, 1, 'inbound', 'customer', ${customer}, 'text', 'hi', ${wroteAt})`;
    expect((await support('GET', `/visitors/${customer}`)).body.data.lastSeenAt).toBe(wroteAt);
  });

  it('counts pages and what there is in all', async () => {
    const others = [await open(customer), await open(customer)];
    const page = async (n: number) =>
      (await support('GET', `/conversations?visitorId=${customer}&limit=2&page=${n}`)).body;
    const [first, second, third] = [await page(1), await page(2), await page(3)];
    expect([first.meta, second.meta, third.meta]).toEqual([
      { page: 1, limit: 2, total: 3, hasMore: true },
      { page: 2, limit: 2, total: 3, hasMore: false },
      { page: 3, limit: 2, total: 3, hasMore: false },
    ]);
    const ids = [...first.data, ...second.data].map((it: { id: string }) => it.id);
    expect(ids).toEqual([...others.reverse(), conversation]);
    expect(third.data).toEqual([]);
  });

  it('counts pages of rules and canned responses, too', async () => {
    const actions = [{ type: 'addTag', tag: 'x' }];
    for (const n of [1, 2, 3]) {
      await support('POST', '/automation-rules', { trigger: 'message.received', actions });
      await support('POST', '/canned-responses', { title: `Response ${n}`, content: 'Hello' });
    }
    for (const path of ['/automation-rules', '/canned-responses']) {
      const { data, meta } = (await support('GET', `${path}?page=1&limit=2`)).body;
      expect([path, data.length, meta]).toEqual([path, 2, { page: 1, limit: 2, total: 3, hasMore: true }]);
      const last = (await support('GET', `${path}?page=2&limit=2`)).body;
      expect([last.data.length, last.meta.hasMore]).toEqual([1, false]);
    }
  });

  it('reads a limit over 100 as 100, and finds nothing for ids of nobody', async () => {
    expect((await support('GET', '/conversations?limit=500')).body.meta.limit).toBe(100);
    for (const filter of ['inboxId', 'visitorId', 'assigneeId']) {
      const { body } = await support('GET', `/conversations?${filter}=${newId()}`);
      expect(body).toMatchObject({ success: true, data: [], meta: { total: 0, hasMore: false } });
    }
  });

  it('filters by several statuses, and by nobody as the assignee', async () => {
    await support('PUT', `/conversations/${conversation}`, { status: 'pending' });
    const total = async (query: string) =>
      (await support('GET', `/conversations?visitorId=${customer}&${query}`)).body.meta.total;
    expect(await total('status=open,pending')).toBe(1);
    expect(await total('status=open')).toBe(0);
    expect(await total('assigneeId=none')).toBe(1);
  });
});

describe('what happens to a conversation', () => {
  it.each(['pending', 'resolved', 'closed', 'open'])(
    'is the same for PUT %s as for the named route',
    async (to) => {
      if (to === 'open') await support('PUT', `/conversations/${conversation}`, { status: 'closed' });
      const { status, body } = await support('PUT', `/conversations/${conversation}`, { status: to });
      expect([status, body.success, body.data.status]).toEqual([200, true, to]);
      const again = await support('PUT', `/conversations/${conversation}`, { status: to });
      expect([again.status, again.body]).toEqual([200, body]);
      const theirs = await native();
      expect([theirs.resolved_at !== null, theirs.closed_at !== null]).toEqual([
        to === 'resolved',
        to === 'closed',
      ]);
    },
  );

  it('needs a time to snooze, by either way', async () => {
    const put = await support('PUT', `/conversations/${conversation}`, { status: 'snoozed' });
    expect([put.status, put.body.error.details.fields]).toEqual([
      422,
      [{ field: 'until', message: 'is needed with status snoozed' }],
    ]);
    const until = '2099-01-16T09:00:00Z';
    await support('PUT', `/conversations/${conversation}`, { status: 'snoozed', until });
    expect((await native()).snoozed_until).toBe('2099-01-16T09:00:00.000Z');
    const post = await support('POST', `/conversations/${conversation}/snooze`, { until: 'tomorrow' });
    expect([post.status, post.body.error.details.fields[0].field]).toEqual([422, 'until']);
  });

  it('assigns and unassigns', async () => {
    const assign = (assigneeId: string | null) =>
      support('POST', `/conversations/${conversation}/assign`, { assigneeId });
    expect((await assign(acme.ownerId)).body.data.assignee.id).toBe(acme.ownerId);
    expect((await assign(null)).body.data.assignee).toBeNull();
  });

  it('takes a tag away by its name, whatever is in it', async () => {
    await support('POST', `/conversations/${conversation}/tags`, { tags: ['a/b ü', 'c'] });
    const { body } = await support(
      'DELETE',
      `/conversations/${conversation}/tags/${encodeURIComponent('a/b ü')}`,
    );
    expect(body.data.tags).toEqual(['c']);
  });
});

describe('writing', () => {
  const write = (path: string, body: unknown, options?: CallOptions) =>
    support('POST', `/conversations/${conversation}/${path}`, body, options);

  it('answers 202 with the message', async () => {
    const { status, body } = await write('reply', { message: 'Hello' });
    expect(status).toBe(202);
    expect(body).toEqual({
      success: true,
      data: {
        id: expect.any(String),
        type: 'agent',
        content: 'Hello',
        attachments: [],
        author: { id: acme.ownerId, name: expect.any(String) },
        status: 'queued',
        createdAt: expect.any(String),
      },
    });
  });

  it('reads a bot as system', async () => {
    await write('reply', { message: 'Beep' }, { key: await api.keyFor(acme.id, 'bot') });
    expect((await shown()).messages).toMatchObject([{ type: 'system', content: 'Beep' }]);
  });

  it('takes attachments with a reply, and nothing but attachments too', async () => {
    const attachments = [
      { name: 'a.pdf', url: 'https://example.com/a.pdf', type: 'application/pdf', size: 3 },
    ];
    const { status, body } = await write('reply', { message: '', attachments });
    const shown = { name: 'a.pdf', state: 'pending', thumbnailUrl: null };
    expect([status, body.data.attachments[0]]).toMatchObject([202, shown]);
    expect(Object.keys(body.data.attachments[0]).join()).not.toContain('_');
  });

  it('keeps the text of a card for the native dialect', async () => {
    const content = { title: 'Order', actions: [{ label: 'Track', url: 'https://example.com/t' }] };
    await write('messages', { type: 'card', content });
    const [message] = (await native()).messages;
    expect(message).toMatchObject({ type: 'card', card: content, content: expect.stringContaining('Order') });
  });

  it('is once for one Idempotency-Key', async () => {
    const headers = { 'Idempotency-Key': newId() };
    const first = await write('reply', { message: 'Once' }, { headers });
    const second = await write('reply', { message: 'Once' }, { headers });
    expect([second.status, second.text]).toEqual([202, first.text]);
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect((await shown()).messages).toHaveLength(1);
    const other = await write('reply', { message: 'Twice' }, { headers });
    expect([other.status, other.body.error.code]).toEqual([409, 'CONFLICT']);
  });

  it.each([
    ['reply', { message: '' }, 'message'],
    ['reply', { message: 'x', type: 'shout' }, 'type'],
    ['messages', { type: 'card', content: 'no card' }, 'content'],
    ['messages', { type: 'attachment', content: 'no file' }, 'attachments'],
    ['messages', { type: 'text' }, 'content'],
    ['assign', { assigneeId: newId() }, 'assigneeId'],
    ['assign', { assigneeId: 'user-456' }, 'assigneeId'],
    ['tags', { tags: [] }, 'tags'],
  ])('refuses %s %j, naming %s', async (path, body, field) => {
    const answer = await write(path, body);
    expect([answer.status, answer.body.success, answer.body.error.code]).toEqual([
      422,
      false,
      'VALIDATION_ERROR',
    ]);
    expect(answer.body.error.details.fields[0].field).toBe(field);
    expect(answer.text).not.toContain('assignee_id');
  });
});

describe('webhooks', () => {
  it('are endpoints like any other, with a secret that is shown once', async () => {
    const body = { url: 'https://your-server.com/webhook', events: ['message.received'] };
    const created = await support('POST', '/webhooks', body);
    expect([created.status, created.body]).toEqual([
      201,
      {
        success: true,
        data: {
          ...body,
          id: expect.any(String),
          isActive: true,
          secret: expect.stringMatching(/^whsec_/),
          createdAt: expect.any(String),
        },
      },
    ]);
    const { id } = created.body.data;
    expect((await call('GET', `/api/v1/webhook-endpoints/${id}`)).body).toMatchObject(body);
    const [row] = await api.pool`select dialect from webhook_endpoints where id = ${id}`;
    expect(row).toEqual({ dialect: 'support' });
  });

  it('are for admins, and for known events and public addresses', async () => {
    const body = { url: 'https://your-server.com/webhook', events: ['message.received'] };
    const asAgent = await support('POST', '/webhooks', body, { key: await api.keyFor(acme.id, 'agent') });
    expect([asAgent.status, asAgent.body.error.code]).toEqual([403, 'FORBIDDEN']);
    const unknown = await support('POST', '/webhooks', { ...body, events: ['message.shouted'] });
    expect([unknown.status, unknown.body.error.details.fields[0].field]).toEqual([422, 'events']);
    const inside = await support('POST', '/webhooks', { ...body, url: 'http://10.0.0.1/' });
    expect([inside.status, inside.body.error.details.fields[0].field]).toEqual([422, 'url']);
  });
});

describe('the envelope of errors', () => {
  it('says what and why, with the id of the request', async () => {
    const { status, body, headers } = await support('GET', `/conversations/${newId()}`);
    expect([status, body]).toEqual([
      404,
      {
        success: false,
        error: {
          code: 'NOT_FOUND',
          message: expect.any(String),
          details: { requestId: headers.get('x-request-id') },
        },
      },
    ]);
  });

  it('is that of the dialect for whatever goes wrong below its path', async () => {
    const missing = await api.call('GET', '/api/support/conversations');
    expect([missing.status, missing.body.error.code]).toEqual([401, 'UNAUTHORIZED']);
    const wrong = await support('GET', '/conversations', undefined, { key: 'wrong' });
    expect([wrong.status, wrong.body.error.code]).toEqual([401, 'INVALID_API_KEY']);
    const nowhere = await support('GET', '/nowhere');
    expect([nowhere.status, nowhere.body.error.code]).toEqual([404, 'NOT_FOUND']);
    const headers = { 'content-type': 'application/json' };
    const broken = await support('POST', `/conversations/${conversation}/reply`, undefined, {
      raw: '{',
      headers,
    });
    expect([broken.status, broken.body.error.code]).toEqual([400, 'INVALID_REQUEST']);
    const field = await support('GET', '/conversations?status=lost');
    expect([field.status, field.body.error.details.fields[0].field]).toEqual([422, 'status']);
  });

  it('takes either header for the key', async () => {
    const headers = { 'X-API-Key': acme.key };
    expect((await api.call('GET', '/api/support/conversations', { headers })).status).toBe(200);
  });

  it('counts a key over both dialects, and says when to come back', async () => {
    const key = await api.keyFor(acme.id, 'agent');
    const left = async (path: string) =>
      Number((await api.call('GET', path, { key })).headers.get('x-ratelimit-remaining'));
    const before = await left('/api/v1/conversations');
    expect(await left('/api/support/conversations')).toBe(before - 1);
    for (let n = await left('/api/v1/business'); n > 0; n -= 1) await left('/api/v1/business');
    const { status, body, headers } = await api.call('GET', '/api/support/conversations', { key });
    expect([status, body.error.code]).toEqual([429, 'RATE_LIMITED']);
    expect(body.error.details.retryAfter).toBe(Number(headers.get('retry-after')));
  });
});
