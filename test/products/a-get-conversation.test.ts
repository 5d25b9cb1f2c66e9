import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { closeAll, connect } from '../realtime/sockets.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { otherBusiness } from '../support/inbox.ts';
import { expectAsPrinted } from '../support/printed.ts';

// Product A's page on reading a conversation: its request and answer as printed, ids and credentials aside.

let gateway: TestGateway;
let conversationId: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  const alex = await connect(gateway.url, { business_id: gateway.businessId });
  const asked = await alex.ask('client_message', {
    content: 'Hello, I need help with my order.',
    customer_data: { name: 'Alex Johnson', email: 'alex@example.com' },
  });
  conversationId = asked['conversation_id'] as string;
  const path = `/api/v1/conversations/${conversationId}`;
  await gateway.call('POST', `${path}/messages`, {
    content: 'Hi Alex! Happy to help. Can you share your order number?',
  });
  await gateway.call('PUT', `${path}/assign/${gateway.agentId}`);
});
afterAll(() => gateway.stop());
afterEach(closeAll);

const get = (id: string, key: string | null = gateway.apiKey) =>
  gateway.call('GET', `/api/v1/conversations/${id}`, undefined, { key });

it('answers as printed', async () => {
  const { status, body } = await get(conversationId);
  expect(status).toBe(200);
  expectAsPrinted(body, {
    id: 'c3d4e5f6-a7b8-9012-cdef-123456789012',
    business_id: 'b2c3d4e5-f6a7-8901-bcde-f12345678901',
    customer_id: 'd4e5f6a7-b8c9-0123-defa-234567890123',
    assignee_id: 'a1b2c3d4-e5f6-7890-abcd-ef1234567890',
    status: 'open',
    channel_type: 'widget',
    channel_id: 'e5f6a7b8-c9d0-1234-efab-345678901234',
    created_at: '2024-03-01T09:00:00Z',
    updated_at: '2024-03-01T09:20:00Z',
    first_response_at: '2024-03-01T09:05:00Z',
    customer: {
      // Printed as numbers here and as UUIDs everywhere else: ours are UUIDs everywhere.
      id: '42',
      business_id: '7',
      name: 'Alex Johnson',
      email: 'alex@example.com',
      phone: null,
      external_id: null,
      created_at: '2024-02-20T08:00:00Z',
    },
    messages: [
      {
        id: 'f6a7b8c9-d0e1-2345-fabc-456789012345',
        conversation_id: 'c3d4e5f6-a7b8-9012-cdef-123456789012',
        sender_type: 'customer',
        sender_id: null,
        content: 'Hello, I need help with my order.',
        attachments: [],
        created_at: '2024-03-01T09:00:00Z',
      },
      {
        id: 'g7b8c9d0-e1f2-3456-abcd-567890123456',
        conversation_id: 'c3d4e5f6-a7b8-9012-cdef-123456789012',
        sender_type: 'agent',
        sender_id: 'a1b2c3d4-e5f6-7890-abcd-ef1234567890',
        content: 'Hi Alex! Happy to help. Can you share your order number?',
        attachments: [],
        created_at: '2024-03-01T09:05:00Z',
      },
    ],
  });
  expect(body).toMatchObject({
    id: conversationId,
    business_id: gateway.businessId,
    assignee_id: gateway.agentId,
    status: 'open',
    channel_type: 'webchat',
    channel_id: gateway.channelId,
    customer: { name: 'Alex Johnson', email: 'alex@example.com', business_id: gateway.businessId },
    messages: [
      { conversation_id: conversationId, sender_type: 'customer', sender_id: null, attachments: [] },
      { conversation_id: conversationId, sender_type: 'agent', sender_id: gateway.agentId },
    ],
  });
});

it('answers 401 without a key that is known', async () => {
  expect((await get(conversationId, null)).status).toBe(401);
  expect((await get(conversationId, 'YOUR_TOKEN')).status).toBe(401);
});

it('answers 404 for the printed ids, which nobody has, and for another business', async () => {
  expect((await get('c3d4e5f6-a7b8-9012-cdef-123456789012')).status).toBe(404);
  expect((await get('g7b8c9d0-e1f2-3456-abcd-567890123456')).status).toBe(404);
  expect((await get(conversationId, await otherBusiness(gateway))).status).toBe(404);
});
