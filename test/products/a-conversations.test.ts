import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { closeAll, connect } from '../realtime/sockets.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

// What product A's page on conversations promises, with the requests that it prints.

let gateway: TestGateway;
let conversation_id: string;

beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());
afterEach(closeAll);
beforeEach(async () => {
  conversation_id = await write();
});

interface Conversation {
  id: string;
  status: string;
  channel_type: string;
  assignee_id: string | null;
  resolved_at: string | null;
  closed_at: string | null;
  needs_human_handoff: boolean;
  customer: { name: string } | null;
  messages: { sender_type: string; content: string }[];
}

/** A customer writes through the web chat. */
async function write(content = 'Hello, I need help with my order.'): Promise<string> {
  const visitor = await connect(gateway.url, { business_id: gateway.businessId });
  const customer_data = { name: 'Alex Johnson', email: 'alex@example.com' };
  const asked = await visitor.ask('client_message', { content, customer_data });
  return asked['conversation_id'] as string;
}

const call = (method: string, path: string, body?: object) =>
  gateway.call<Conversation>(method, `/api/v1/conversations${path}`, body);
const get = async () => (await call('GET', `/${conversation_id}`)).body;

async function list(query: string): Promise<string[]> {
  const { body } = await gateway.call<{ data: Conversation[] }>('GET', `/api/v1/conversations/?${query}`);
  return body.data.map(({ id }) => id);
}

it('is opened by a customer who writes, and goes on with the next message', async () => {
  expect(await get()).toMatchObject({
    status: 'open',
    channel_type: 'webchat',
    assignee_id: null,
    resolved_at: null,
    customer: { name: 'Alex Johnson' },
    messages: [{ sender_type: 'customer', content: 'Hello, I need help with my order.' }],
  });
  const visitor = await connect(gateway.url, { business_id: gateway.businessId });
  const first = await visitor.ask('client_message', { content: 'one' });
  const second = await visitor.ask('client_message', { content: 'two' });
  expect(second['conversation_id']).toBe(first['conversation_id']);
});

it('is opened by an agent, with a customer, a channel and an opening message', async () => {
  const { customer } = (await get()) as unknown as { customer: { id: string } };
  const { status, body } = await call('POST', '/', {
    business_id: gateway.businessId,
    customer_id: customer.id,
    channel_id: gateway.channelId,
    initial_message: 'Hi! How can I help you today?',
  });
  expect([status, body.status, body.messages[0]?.sender_type]).toEqual([201, 'open', 'agent']);
});

it('is resolved and closed by the printed routes, each with its time, and again without harm', async () => {
  const resolved = await call('PUT', `/${conversation_id}/resolve`);
  expect(resolved.body).toMatchObject({
    status: 'resolved',
    resolved_at: expect.any(String),
    closed_at: null,
  });
  expect((await call('PUT', `/${conversation_id}/resolve`)).body).toEqual(resolved.body);
  const closed = await call('PUT', `/${conversation_id}/close`);
  expect(closed.body).toMatchObject({ status: 'closed', closed_at: expect.any(String) });
  expect((await call('PUT', `/${conversation_id}/close`)).body).toEqual(closed.body);
});

it.each(['resolve', 'close'])('is reopened after %s by setting its status back to open', async (verb) => {
  for (const method of ['PATCH', 'PUT']) {
    await call('PUT', `/${conversation_id}/${verb}`);
    const { status, body } = await call(method, `/${conversation_id}`, { status: 'open' });
    expect([status, body.status, body.resolved_at, body.closed_at]).toEqual([200, 'open', null, null]);
  }
});

it('is found by its status and assignee, together too, and by having none', async () => {
  const waiting = conversation_id;
  await call('PATCH', `/${waiting}`, { status: 'pending' });
  const assigned = await write();
  await call('PUT', `/${assigned}/assign/${gateway.agentId}`);
  expect(await list('status=pending')).toContain(waiting);
  expect(await list('status=pending')).not.toContain(assigned);
  expect(await list(`assignee_id=${gateway.agentId}`)).toContain(assigned);
  expect(await list(`status=open&assignee_id=${gateway.agentId}`)).toEqual([assigned]);
  expect(await list('status=pending&assignee_id=none')).toContain(waiting);
  expect(await list('status=closed&assignee_id=none')).not.toContain(waiting);
});

it('stands among the pending handoffs while flagged, until somebody is assigned', async () => {
  const pending = async () => {
    const { body } = await gateway.call<{ data: { id: string; handoff_reason: string }[] }>(
      'GET',
      '/api/v1/team/pending-handoffs',
    );
    return body.data.find(({ id }) => id === conversation_id);
  };
  const { body } = await call('POST', `/${conversation_id}/handoff`, { reason: 'complex_issue' });
  expect(body.needs_human_handoff).toBe(true);
  expect(await pending()).toMatchObject({ handoff_reason: 'complex_issue' });
  const path = `/api/v1/team/assign/${conversation_id}?agent_id=${gateway.agentId}`;
  expect((await gateway.call('POST', path)).status).toBe(200);
  expect(await get()).toMatchObject({ needs_human_handoff: false, assignee_id: gateway.agentId });
  expect(await pending()).toBeUndefined();
});
