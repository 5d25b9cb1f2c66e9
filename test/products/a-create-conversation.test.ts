import { afterAll, beforeAll, expect, it } from 'vitest';
import { newId } from '../../src/core/id.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { otherBusiness } from '../support/inbox.ts';
import { expectAsPrinted } from '../support/printed.ts';

// Product A's page on creating a conversation: its request and answer as printed, ids and credentials aside.

let gateway: TestGateway;
let customerId: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  const customer = { name: 'Alex Johnson', email: 'alex@example.com' };
  customerId = (await gateway.call<{ id: string }>('POST', '/api/v1/customers', customer)).body.id;
});
afterAll(() => gateway.stop());

const PRINTED = {
  id: 'c3d4e5f6-a7b8-9012-cdef-123456789012',
  business_id: 'b2c3d4e5-f6a7-8901-bcde-f12345678901',
  customer_id: 'd4e5f6a7-b8c9-0123-defa-234567890123',
  assignee_id: null,
  status: 'open',
  channel_type: 'widget',
  channel_id: 'e5f6a7b8-c9d0-1234-efab-345678901234',
  created_at: '2024-03-01T09:00:00Z',
  updated_at: '2024-03-01T09:00:00Z',
  first_response_at: null,
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
      sender_type: 'agent',
      sender_id: 'a1b2c3d4-e5f6-7890-abcd-ef1234567890',
      content: 'Hi! How can I help you today?',
      attachments: [],
      created_at: '2024-03-01T09:00:00Z',
    },
  ],
};

type Created = typeof PRINTED;
const create = (body: object, key = gateway.apiKey) =>
  gateway.call<Created>('POST', '/api/v1/conversations/', body, { key });

it('answers the printed request as printed', async () => {
  const { status, body } = await create({
    business_id: gateway.businessId,
    customer_id: customerId,
    initial_message: 'Hi! How can I help you today?',
  });
  expect(status).toBe(201);
  expectAsPrinted(body, PRINTED);
  expect(body).toMatchObject({
    business_id: gateway.businessId,
    customer_id: customerId,
    assignee_id: null,
    status: 'open',
    channel_type: 'webchat',
    channel_id: gateway.channelId,
    customer: { id: customerId, business_id: gateway.businessId, name: 'Alex Johnson', phone: null },
    messages: [
      {
        conversation_id: body.id,
        sender_type: 'agent',
        sender_id: gateway.agentId,
        content: 'Hi! How can I help you today?',
        attachments: [],
      },
    ],
  });
  expect(body.first_response_at).not.toBeNull();
});

it('needs neither a customer nor a message', async () => {
  const { status, body } = await create({ business_id: gateway.businessId });
  expect(status).toBe(201);
  expect(body).toMatchObject({ customer_id: null, customer: null, messages: [], first_response_at: null });
});

it('answers 400 for a channel that is not there or not the business’s', async () => {
  const key = await otherBusiness(gateway);
  const other = await gateway.call<{ id: string }>('POST', '/api/v1/channels', { type: 'webchat' }, { key });
  for (const channel_id of [newId(), 'none', other.body.id]) {
    const { status } = await create({ business_id: gateway.businessId, channel_id });
    expect([channel_id, status]).toEqual([channel_id, 400]);
  }
});

it('answers 401 without a key that is known, and 422 naming a missing field', async () => {
  expect((await create({ business_id: gateway.businessId }, 'YOUR_TOKEN')).status).toBe(401);
  const { status, body } = await create({ customer_id: customerId });
  expect(status).toBe(422);
  expect(body).toMatchObject({ error: { details: [{ field: 'business_id' }] } });
});
