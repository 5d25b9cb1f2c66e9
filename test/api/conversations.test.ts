import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { eventTypes, eventually, otherBusiness, telegramChannel } from '../support/inbox.ts';

interface Conversation {
  id: string;
  status: string;
  channel_type: string;
  channel_id: string;
  customer_id: string | null;
  customer: { id: string } | null;
  assignee_id: string | null;
  first_response_at: string | null;
  resolved_at: string | null;
  closed_at: string | null;
  snoozed_until: string | null;
  needs_human_handoff: boolean;
  tags: string[];
  custom_attributes: Record<string, unknown>;
  priority: string | null;
  last_message_at: string;
  messages: {
    id: string;
    seq: number;
    sender_type: string;
    sender_id: string;
    content: string;
    attachments: unknown[];
  }[];
}
interface Page {
  data: Conversation[];
  meta: { next_cursor: string | null; has_more: boolean };
}
interface Refusal {
  error: { code: string; conversation_id?: string; details: { field: string }[] };
}

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());

async function open(fields: Record<string, unknown> = {}): Promise<Conversation> {
  const answer = await gateway.call<Conversation>('POST', '/api/v1/conversations/', {
    business_id: gateway.businessId,
    ...fields,
  });
  expect(answer.status).toBe(201);
  return answer.body;
}

async function newCustomer(fields: Record<string, unknown> = {}): Promise<string> {
  const answer = await gateway.call<{ id: string }>('POST', '/api/v1/customers', {
    name: 'Alex Johnson',
    ...fields,
  });
  expect(answer.status).toBe(201);
  return answer.body.id;
}

const change = (conversation: { id: string }, method: string, action: string, body?: unknown) =>
  gateway.call<Conversation>(method, `/api/v1/conversations/${conversation.id}${action}`, body);

describe('opening a conversation', () => {
  it('answers the request that product A prints as printed', async () => {
    const customer_id = await newCustomer({ email: 'alex@example.com' });
    const created = await open({ customer_id, initial_message: 'Hi! How can I help you today?' });
    expect(created).toMatchObject({
      business_id: gateway.businessId,
      customer_id,
      assignee_id: null,
      status: 'open',
      channel_type: 'webchat',
      channel_id: gateway.channelId,
      customer: {
        id: customer_id,
        name: 'Alex Johnson',
        email: 'alex@example.com',
        phone: null,
        external_id: null,
      },
      messages: [
        {
          sender_type: 'agent',
          sender_id: gateway.agentId,
          content: 'Hi! How can I help you today?',
          attachments: [],
        },
      ],
    });
    expect(created.first_response_at).toMatch(/^\d{4}-.*\.\d{3}Z$/);
    const read = await change(created, 'GET', '');
    expect(read.body.messages.map((message) => message.content)).toEqual(['Hi! How can I help you today?']);
  });

  it('keeps a web chat message without a recipient as sent', async () => {
    const { id, messages } = await open({ initial_message: 'Anybody there?' });
    expect(messages).toMatchObject([{ status: 'sent', sent_at: expect.stringMatching(/Z$/) }]);
    await eventually(async () => (await eventTypes(gateway, id)).includes('message.sent'));
    expect(await eventTypes(gateway, id)).toEqual([
      'conversation.created',
      'message.created',
      'message.sent',
    ]);
  });

  it('names what is wrong with the request', async () => {
    const post = (body: unknown) => gateway.call<Refusal>('POST', '/api/v1/conversations', body);
    const missing = await post({});
    expect([missing.status, missing.body.error.details[0]?.field]).toEqual([422, 'business_id']);
    const foreign = await post({ business_id: crypto.randomUUID() });
    expect([foreign.status, foreign.body.error.details[0]?.field]).toEqual([422, 'business_id']);
    const channel = await post({ business_id: gateway.businessId, channel_id: 'nope' });
    expect([channel.status, channel.body.error.code]).toEqual([400, 'invalid_request']);
    const customer = await post({ business_id: gateway.businessId, customer_id: crypto.randomUUID() });
    expect([customer.status, customer.body.error.details[0]?.field]).toEqual([422, 'customer_id']);
  });

  it('opens a thread of its own on web chat and refuses a second one where the address is the thread', async () => {
    const customer_id = await newCustomer();
    const first = await open({ customer_id });
    const second = await open({ customer_id });
    expect(second.id).not.toBe(first.id);

    const channel_id = await telegramChannel(gateway);
    await gateway.pool`
      insert into identities (id, business_id, channel_id, customer_id, kind, address)
      values (${crypto.randomUUID()}, ${gateway.businessId}, ${channel_id}, ${customer_id}, 'telegram', '4711')`;
    const there = await open({ customer_id, channel_id });
    const again = await gateway.call<Refusal>('POST', '/api/v1/conversations', {
      business_id: gateway.businessId,
      customer_id,
      channel_id,
    });
    expect([again.status, again.body.error.code, again.body.error.conversation_id]).toEqual([
      409,
      'conflict',
      there.id,
    ]);
    await change(there, 'PUT', '/close');
    expect((await open({ customer_id, channel_id })).id).not.toBe(there.id);
  });

  it('creates nothing where there is no recipient', async () => {
    const channel_id = await telegramChannel(gateway);
    const customer_id = await newCustomer({ email: 'nobody@example.com' });
    for (const body of [{ channel_id, customer_id }, { channel_id }]) {
      const answer = await gateway.call<Refusal>('POST', '/api/v1/conversations', {
        business_id: gateway.businessId,
        initial_message: 'hello',
        ...body,
      });
      expect([answer.status, answer.body.error.code]).toEqual([422, 'no_recipient']);
    }
    const rows = await gateway.pool`select id from conversations where channel_id = ${channel_id}`;
    expect(rows.length).toBe(0);
  });

  it('opens one conversation when the same Idempotency-Key arrives five times at once', async () => {
    const body = { business_id: gateway.businessId, initial_message: 'once', subject: 'idempotent' };
    const headers = { 'idempotency-key': 'create-once' };
    const answers = await Promise.all(
      Array.from({ length: 5 }, () =>
        gateway.call<Conversation>('POST', '/api/v1/conversations/', body, { headers }),
      ),
    );
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
    expect(answers.filter((answer) => answer.headers.get('idempotency-replayed') === 'true').length).toBe(4);
  });
});

describe('transitions', () => {
  it('answers the same and changes nothing when it already happened', async () => {
    const conversation = await open();
    await eventually(async () =>
      (await eventTypes(gateway, conversation.id)).includes('conversation.created'),
    );
    const before = await gateway.call<{ meta: { next_cursor: string } }>('GET', '/api/v1/events?after=now');
    const first = await change(conversation, 'PUT', '/resolve');
    expect([first.status, first.body.status]).toEqual([200, 'resolved']);
    expect(first.body.resolved_at).not.toBeNull();
    const second = await change(conversation, 'PUT', '/resolve');
    expect([second.status, second.body]).toEqual([200, first.body]);
    await eventually(
      async () => (await eventTypes(gateway, conversation.id, before.body.meta.next_cursor)).length >= 2,
    );
    expect(await eventTypes(gateway, conversation.id, before.body.meta.next_cursor)).toEqual([
      'conversation.resolved',
      'conversation.status_changed',
    ]);
  });

  it('keeps resolved_at when closing and clears both times when reopening', async () => {
    const conversation = await open();
    await change(conversation, 'PUT', '/resolve');
    const closed = await change(conversation, 'PUT', '/close');
    expect(closed.body).toMatchObject({
      status: 'closed',
      resolved_at: expect.any(String),
      closed_at: expect.any(String),
    });
    const reopened = await change(conversation, 'PUT', '/reopen');
    expect(reopened.body).toMatchObject({ status: 'open', resolved_at: null, closed_at: null });
  });

  it('does by PATCH and PUT what the named route does, events included', async () => {
    for (const method of ['PATCH', 'PUT']) {
      const conversation = await open();
      const changed = await change(conversation, method, '', { status: 'resolved', priority: 'high' });
      expect(changed.body).toMatchObject({ status: 'resolved', priority: 'high' });
      await eventually(async () =>
        (await eventTypes(gateway, conversation.id)).includes('conversation.status_changed'),
      );
      expect(await eventTypes(gateway, conversation.id)).toEqual([
        'conversation.created',
        'conversation.updated',
        'conversation.resolved',
        'conversation.status_changed',
      ]);
    }
  });

  it('assigns by path and by body, and an unknown agent is 404 in a path and 422 in a body', async () => {
    const conversation = await open();
    await change(conversation, 'POST', '/handoff', { reason: 'complex_issue' });
    const assigned = await change(conversation, 'PUT', `/assign/${gateway.agentId}`);
    expect(assigned.body).toMatchObject({ assignee_id: gateway.agentId, needs_human_handoff: false });
    expect(
      (await change(conversation, 'POST', '/assign', { assignee_id: null })).body.assignee_id,
    ).toBeNull();
    expect((await change(conversation, 'PUT', `/assign/${crypto.randomUUID()}`)).status).toBe(404);
    expect((await change(conversation, 'PUT', '/assign/42')).status).toBe(404);
    expect((await change(conversation, 'POST', '/assign', { assignee_id: crypto.randomUUID() })).status).toBe(
      422,
    );
    await eventually(async () =>
      (await eventTypes(gateway, conversation.id)).includes('conversation.unassigned'),
    );
  });

  it('snoozes, and wakes once when the time has come', async () => {
    const conversation = await open();
    const until = new Date(Date.now() + 3_600_000).toISOString();
    const snoozed = await change(conversation, 'POST', '/snooze', { until });
    expect(snoozed.body).toMatchObject({ status: 'snoozed', snoozed_until: until });
    await gateway.pool`update conversations set snoozed_until = now() where id = ${conversation.id}`;
    await eventually(async () => (await change(conversation, 'GET', '')).body.status === 'open');
    await eventually(async () =>
      (await eventTypes(gateway, conversation.id)).includes('conversation.unsnoozed'),
    );
    const types = await eventTypes(gateway, conversation.id);
    expect(types.filter((type) => type === 'conversation.unsnoozed').length).toBe(1);
  });

  it('wakes at once from a snooze into the past, as in the sample of product B', async () => {
    const conversation = await open();
    const answer = await change(conversation, 'POST', '/snooze', { until: '2024-01-16T09:00:00Z' });
    expect(answer.body).toMatchObject({ status: 'open', snoozed_until: null });
    expect((await change(conversation, 'PATCH', '', { status: 'snoozed' })).status).toBe(422);
    expect((await change(conversation, 'PATCH', '', { snoozed_until: '2030-01-01T00:00:00Z' })).status).toBe(
      422,
    );
  });

  it('adds and removes tags without repeating them', async () => {
    const conversation = await open();
    expect((await change(conversation, 'POST', '/tags', { tags: ['billing', 'urgent'] })).body.tags).toEqual([
      'billing',
      'urgent',
    ]);
    expect((await change(conversation, 'POST', '/tags', { tags: ['urgent', 'vip'] })).body.tags).toEqual([
      'billing',
      'urgent',
      'vip',
    ]);
    expect((await change(conversation, 'DELETE', '/tags/urgent')).body.tags).toEqual(['billing', 'vip']);
    expect((await change(conversation, 'DELETE', '/tags/urgent')).status).toBe(200);
  });

  it('takes no more tags and attributes than its events can carry, however few come at once', async () => {
    const conversation = await open();
    const tags = (from: number) => ({ tags: Array.from({ length: 50 }, (_, n) => `tag ${from + n}`) });
    for (const from of [0, 50, 100, 150]) await change(conversation, 'POST', '/tags', tags(from));
    const refused = await gateway.call<Refusal>(
      'POST',
      `/api/v1/conversations/${conversation.id}/tags`,
      tags(200),
    );
    expect([refused.status, refused.body.error.details[0]?.field]).toEqual([422, 'tags']);
    expect((await change(conversation, 'DELETE', '/tags/tag 7')).body.tags).toHaveLength(199);
    const attributes = (name: string) => ({ custom_attributes: { [name]: 'x'.repeat(20_000) } });
    for (const name of ['a', 'b']) await change(conversation, 'PATCH', '', attributes(name));
    const full = await gateway.call<Refusal>(
      'PATCH',
      `/api/v1/conversations/${conversation.id}`,
      attributes('c'),
    );
    expect([full.status, full.body.error.details[0]?.field]).toEqual([422, 'custom_attributes']);
  });

  it('merges custom attributes and links a customer once', async () => {
    const conversation = await open();
    await change(conversation, 'PATCH', '', { custom_attributes: { plan: 'pro', seats: 3 } });
    const merged = await change(conversation, 'PATCH', '', {
      custom_attributes: { seats: null, city: 'Riga' },
    });
    expect(merged.body.custom_attributes).toEqual({ plan: 'pro', city: 'Riga' });
    const customer_id = await newCustomer();
    expect((await change(conversation, 'PATCH', '', { customer_id })).body.customer?.id).toBe(customer_id);
    expect((await change(conversation, 'PATCH', '', { customer_id })).status).toBe(200);
    expect((await change(conversation, 'PATCH', '', { customer_id: await newCustomer() })).status).toBe(409);
  });

  it('takes back what it answered, and changes nothing by that', async () => {
    const { body } = await change(await open(), 'GET', '');
    const put = await change(body, 'PUT', '', body);
    expect([put.status, put.body.last_message_at]).toEqual([200, body.last_message_at]);
  });

  it('writes every transition into the timeline, which only shows when asked for', async () => {
    const conversation = await open({ initial_message: 'hello' });
    await change(conversation, 'PUT', '/resolve');
    const messages = (query: string) =>
      gateway.call<{ data: { seq: number; type: string }[] }>(
        'GET',
        `/api/v1/conversations/${conversation.id}/messages${query}`,
      );
    expect((await messages('')).body.data.map((one) => one.type)).toEqual(['text']);
    expect((await messages('?include=activity')).body.data.map((one) => [one.seq, one.type])).toEqual([
      [1, 'text'],
      [2, 'activity'],
    ]);
  });
});

describe('listing conversations', () => {
  it('filters by what the contract names', async () => {
    const customer_id = await newCustomer({ name: 'Zoë Filter', email: 'zoe@filter.example' });
    const mine = await open({ customer_id, assignee_id: gateway.agentId, subject: 'A 100% match_' });
    await change(mine, 'POST', '/tags', { tags: ['filtered'] });
    const find = async (query: string) =>
      (await gateway.call<Page>('GET', `/api/v1/conversations/?${query}`)).body.data.map((one) => one.id);
    for (const query of [
      'tag=filtered',
      `customer_id=${customer_id}`,
      'q=zoë',
      'q=ZOE@filter',
      'q=100%25%20match_',
      `status=open&assignee_id=${gateway.agentId}`,
      `channel_type=widget&customer_id=${customer_id}`,
      `channel_id=${gateway.channelId}&tag=filtered`,
      `tag=filtered&created_after=2020-01-01T00:00:00Z&created_before=2100-01-01T00:00:00Z`,
      'tag=filtered&needs_human_handoff=false&updated_since=2020-01-01T00:00:00Z',
      'tag=filtered&created_after=2020-01-01T00:00:00+02:00&cursor=',
    ]) {
      expect(await find(query), query).toEqual([mine.id]);
    }
    for (const query of [
      'tag=filtered&assignee_id=none',
      'tag=filtered&status=closed',
      'q=100x',
      'tag=filtered&needs_human_handoff=true',
    ]) {
      expect(await find(query), query).toEqual([]);
    }
    expect((await gateway.call('GET', '/api/v1/conversations?status=nonsense')).status).toBe(422);
    expect((await gateway.call('GET', '/api/v1/conversations?cursor=nonsense')).status).toBe(400);
  });

  it('finds those of a person by an email, a phone, an id of yours or an address, however it is written', async () => {
    const customer_id = await newCustomer({
      emails: ['ines@known.example', 'ines@work.example'],
      phone: '+49 171 5550123',
      external_id: 'account-17',
    });
    const theirs = [await open({ customer_id }), await open({ customer_id })].map(({ id }) => id);
    await change({ id: theirs[0] ?? '' }, 'PUT', '/close');
    await open({
      customer_id: await newCustomer({ email: 'ines@known.example.org', phone: '+49171555012' }),
    });
    const find = async (query: Record<string, string>) =>
      (await gateway.call<Page>('GET', `/api/v1/conversations?${new URLSearchParams(query)}`)).body.data.map(
        ({ id }) => id,
      );
    await gateway.pool`
      insert into identities (id, business_id, channel_id, kind, address, customer_id)
      values (uuidv7(), ${gateway.businessId}, ${gateway.channelId}, 'visitor', 'visitor-17', ${customer_id})`;
    for (const query of [
      { email: 'Ines@Known.Example' },
      { email: 'ines@work.example' },
      { phone: '0049 (171) 555-0123' },
      { external_id: 'account-17' },
      { address: 'visitor-17' },
      { email: 'ines@known.example', external_id: 'account-17' },
    ])
      expect((await find(query)).toSorted(), JSON.stringify(query)).toEqual(theirs.toSorted());
    expect(await find({ email: 'ines@known.example', status: 'closed' })).toEqual([theirs[0]]);
    expect(await find({ email: 'ines@known.example', external_id: 'account-18' })).toEqual([]);
    expect(await find({ phone: '+491715550124' })).toEqual([]);
    const merged = await newCustomer({ email: 'ines@before.example' });
    await gateway.call('POST', `/api/v1/customers/${customer_id}/merge`, { from: merged });
    expect(await find({ email: 'ines@before.example' })).toHaveLength(2);
  });

  it('shows each conversation once, in every order, while new ones arrive', async () => {
    const expected = new Set<string>();
    for (let n = 0; n < 7; n += 1) expected.add((await open({ subject: 'paged' })).id);
    for (const sort of [
      '-last_message_at',
      'last_message_at',
      '-created_at',
      'created_at',
      '-updated_at',
      'updated_at',
    ]) {
      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const path: string = `/api/v1/conversations?q=paged&limit=3&sort=${sort}${cursor === null ? '' : `&cursor=${cursor}`}`;
        const { body } = await gateway.call<Page>('GET', path);
        seen.push(...body.data.map((one) => one.id));
        cursor = body.meta.next_cursor;
        await open({ subject: `noise ${sort}` });
      } while (cursor !== null);
      expect(seen.length, sort).toBe(7);
      expect(new Set(seen)).toEqual(expected);
    }
    const byPage = await gateway.call<Page>('GET', '/api/v1/conversations?q=paged&limit=3&page=3');
    expect(byPage.body.data.length).toBe(1);
    expect(byPage.body.meta.has_more).toBe(false);
  });

  it('finds by a name that very many have, too', async () => {
    await gateway.pool`
      insert into customers (id, business_id, name)
      select uuidv7(), ${gateway.businessId}, 'Of a crowd ' || n from generate_series(1, 1001) n`;
    const [one] = await gateway.pool<
      [{ id: string }]
    >`select id from customers where name = 'Of a crowd 500'`;
    const theirs = await open({ customer_id: one.id });
    const find = async (path: string) =>
      (await gateway.call<Page>('GET', `/api/v1${path}?q=of+a+crowd`)).body.data.map(({ id }) => id);
    expect(await find('/conversations')).toEqual([theirs.id]);
    expect(await find('/customers')).toHaveLength(50);
    await gateway.pool`delete from customers where name like 'Of a crowd %' and id <> ${one.id}`;
  });

  it('brings what was written to last to the top', async () => {
    const older = await open({ subject: 'activity' });
    await open({ subject: 'activity' });
    await change(older, 'POST', '/messages', { content: 'to the top' });
    const { body } = await gateway.call<Page>('GET', '/api/v1/conversations?q=activity');
    expect(body.data[0]?.id).toBe(older.id);
  });
});

describe('another business', () => {
  it('finds nothing of ours by any path', async () => {
    const conversation = await open({ initial_message: 'secret' });
    const key = await otherBusiness(gateway);
    const at = `/api/v1/conversations/${conversation.id}`;
    const tries: [string, string, unknown?][] = [
      ['GET', at],
      ['PATCH', at, { priority: 'low' }],
      ['PUT', at, { status: 'closed' }],
      ['PUT', `${at}/resolve`],
      ['PUT', `${at}/close`],
      ['PUT', `${at}/reopen`],
      ['PUT', `${at}/assign/${gateway.agentId}`],
      ['POST', `${at}/assign`, { assignee_id: null }],
      ['POST', `${at}/snooze`, { until: '2030-01-01T00:00:00Z' }],
      ['POST', `${at}/tags`, { tags: ['x'] }],
      ['DELETE', `${at}/tags/x`],
      ['POST', `${at}/handoff`, { reason: 'x' }],
      ['POST', `${at}/read`, {}],
      ['POST', `${at}/typing`, { is_typing: true }],
      ['GET', `${at}/messages`],
      ['POST', `${at}/messages`, { content: 'x' }],
      ['POST', `${at}/reply`, { message: 'x' }],
      ['GET', `/api/v1/messages/${conversation.messages[0]?.id}`],
      ['DELETE', `/api/v1/messages/${conversation.messages[0]?.id}`],
      ['POST', `/api/v1/messages/${conversation.messages[0]?.id}/retry`],
      ['POST', `/api/v1/messages/${conversation.messages[0]?.id}/skip`],
    ];
    for (const [method, path, body] of tries) {
      expect((await gateway.call(method, path, body, { key })).status, `${method} ${path}`).toBe(404);
      expect((await gateway.call(method, path, body, { key: null })).status, `${method} ${path}`).toBe(401);
    }
    expect((await gateway.call<Page>('GET', '/api/v1/conversations', undefined, { key })).body.data).toEqual(
      [],
    );
  });
});
