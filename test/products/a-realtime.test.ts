import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { closeAll, connect, refusal, type TestSocket } from '../realtime/sockets.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { expectAsPrinted } from '../support/printed.ts';

// Every event of product A's page on Socket.IO, with the fields that it lists. Ids are strings here, numbers there.

let gateway: TestGateway;
let visitor: TestSocket;
let agent: TestSocket;
let conversation_id: string;

beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());
beforeEach(async () => {
  visitor = await connect(gateway.url, { business_id: gateway.businessId });
  agent = await connect(gateway.url, { business_id: gateway.businessId, token: gateway.apiKey });
  const asked = await visitor.ask('client_message', {
    content: 'Hello',
    customer_data: { name: 'Alex Johnson', email: 'alex@example.com' },
  });
  conversation_id = asked['conversation_id'] as string;
});
afterEach(closeAll);

const TIME = '2024-03-01T09:00:00Z';
const path = (verb: string) => `/api/v1/conversations/${conversation_id}/${verb}`;
const reply = async (content: string) =>
  (await gateway.call<{ id: string }>('POST', path('messages'), { content })).body.id;
const isOurs = (payload: Record<string, unknown>) => payload['conversation_id'] === conversation_id;

describe('connecting', () => {
  it.each(['websocket', 'polling'] as const)('works over %s', async (transport) => {
    const options = { transports: [transport] };
    await connect(gateway.url, { business_id: gateway.businessId }, options);
  });

  it('is refused without a business_id', async () => {
    expect((await refusal(gateway.url, {})).message).toContain('business_id');
  });
});

describe('from the server', () => {
  it('new_message, whoever writes', async () => {
    const printed = {
      id: '1',
      content: 'Hello',
      sender_type: 'customer',
      conversation_id: '1',
      created_at: TIME,
    };
    const theirs = await agent.next('new_message', isOurs);
    expectAsPrinted(theirs, printed);
    expect(theirs).toMatchObject({ content: 'Hello', sender_type: 'customer' });
    const id = await reply('Hi!');
    const ours = await visitor.next('new_message', (it) => it['id'] === id);
    expectAsPrinted(ours, printed);
    expect(ours).toMatchObject({ content: 'Hi!', sender_type: 'agent', conversation_id });
  });

  it('delivered and read, as the visitor gets the message and reads it', async () => {
    const id = await reply('Hi!');
    const delivered = await agent.next('delivered', (it) => it['message_id'] === id);
    expectAsPrinted(delivered, { message_id: '1', delivered_at: TIME });
    const { seq } = (await visitor.next('new_message', (it) => it['id'] === id)) as { seq: number };
    await visitor.ask('read', { conversation_id, up_to_seq: seq });
    const read = await agent.next('read', (it) => it['message_id'] === id);
    expectAsPrinted(read, { message_id: '1', read_at: TIME });
  });

  it('agent_status_changed', async () => {
    await gateway.call('PATCH', '/api/v1/team/status', { status: 'away' });
    expect(await agent.next('agent_status_changed')).toEqual({ agent_id: gateway.agentId, status: 'away' });
    await gateway.call('PATCH', '/api/v1/team/status', { status: 'live' });
  });

  it('conversation_assigned', async () => {
    await gateway.call('POST', `/api/v1/team/assign/${conversation_id}?agent_id=${gateway.agentId}`);
    const assigned = await agent.next('conversation_assigned', isOurs);
    expect(assigned).toMatchObject({ conversation_id, assigned_by: gateway.agentId });
  });
});

describe('from the client', () => {
  it('join_conversation and typing, each way, with the server’s word for who types', async () => {
    agent.socket.emit('join_conversation', { conversation_id });
    visitor.socket.emit('typing', { conversation_id, user_id: 42, is_typing: true });
    const theirs = await agent.next('typing', isOurs);
    expectAsPrinted(theirs, { conversation_id: '1', user_id: '1', is_typing: true });
    expect(theirs['user_id']).not.toBe(42);
    agent.socket.emit('typing', { conversation_id, user_id: 42, is_typing: true });
    expect(await visitor.next('typing', isOurs)).toEqual({
      conversation_id,
      user_id: gateway.agentId,
      is_typing: true,
    });
  });

  it('client_message continues a conversation, or makes one where none is named, without asking for an ack', async () => {
    visitor.socket.emit('client_message', {
      content: 'More',
      conversation_id,
      customer_data: { name: 'Alex Johnson', email: 'alex@example.com' },
    });
    const more = await agent.next('new_message', (it) => it['content'] === 'More');
    expect(more).toMatchObject({ conversation_id, sender_type: 'customer' });
    const somebody = await connect(gateway.url, { business_id: gateway.businessId });
    somebody.socket.emit('client_message', {
      content: 'New here',
      customer_data: { name: 'Sam', email: 'sam@example.com' },
    });
    const first = await agent.next('new_message', (it) => it['content'] === 'New here');
    expect(first['conversation_id']).not.toBe(conversation_id);
    const { body } = await gateway.call('GET', `/api/v1/conversations/${first['conversation_id']}`);
    expect(body).toMatchObject({ status: 'open', customer: { name: 'Sam', email: 'sam@example.com' } });
  });
});
