import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());

interface Created {
  id: string;
}

// More than there are connections to the database.
const AT_ONCE = 40;

it('answers a burst of messages when the channel has to be read anew', async () => {
  const { businessId, channelId } = gateway;
  const conversations = await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      const customer = await gateway.call<Created>('POST', '/api/v1/customers', { name: 'Ada' });
      const about = { business_id: businessId, channel_id: channelId, customer_id: customer.body.id };
      return (await gateway.call<Created>('POST', '/api/v1/conversations', about)).body.id;
    }),
  );
  await gateway.call('PATCH', `/api/v1/channels/${channelId}`, { name: 'Anew' });
  const answers = await Promise.all(
    conversations.map((id) =>
      gateway.call('POST', `/api/v1/conversations/${id}/messages`, { content: 'Hi' }),
    ),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
});
