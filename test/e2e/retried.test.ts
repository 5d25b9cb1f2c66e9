import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CallbackProgram, startCallback } from '../support/callback.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let program: CallbackProgram;
let channelId: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  program = await startCallback();
  const config = { callback_url: program.url, secret: program.secret };
  channelId = (await gateway.call<Created>('POST', '/api/v1/channels', { type: 'api', config })).body.id;
});
afterAll(async () => {
  await gateway.stop();
  await program.close();
});

interface Created {
  id: string;
}

async function tell(item: Record<string, unknown>): Promise<{ conversation_id: string }> {
  const headers = { authorization: `Bearer ${program.secret}`, 'content-type': 'application/json' };
  const response = await fetch(`${gateway.url}/webhooks/api/${channelId}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(item),
  });
  const { data } = (await response.json()) as { data: { conversation_id: string }[] };
  return data[0] as { conversation_id: string };
}

async function becomes(id: string, status: string): Promise<void> {
  await eventually(async () => {
    const { body } = await gateway.call<{ status: string }>('GET', `/api/v1/messages/${id}`);
    expect(body.status).toBe(status);
  });
}

it('is sent by a retry although the provider, which knows it by the same id again, had said that it failed', async () => {
  const { conversation_id } = await tell({
    external_id: 'in-1',
    sender: { external_id: 'ada' },
    content: 'Hi',
  });
  const path = `/api/v1/conversations/${conversation_id}/messages`;
  const { id } = (await gateway.call<Created>('POST', path, { content: 'Hello' })).body;
  await becomes(id, 'sent');
  await tell({ type: 'receipt', message_id: id, status: 'failed', error: { message: 'not now' } });
  await becomes(id, 'failed');
  await gateway.call('POST', `/api/v1/messages/${id}/retry`);
  await eventually(() => expect(program.taken.filter(({ type }) => type === 'message')).toHaveLength(2));
  await becomes(id, 'sent');
  // The same again, of the new try.
  const at = new Date().toISOString();
  await tell({ type: 'receipt', message_id: id, status: 'failed', at });
  await becomes(id, 'failed');
  await gateway.call('POST', `/api/v1/messages/${id}/retry`);
  await becomes(id, 'sent');
  await tell({ type: 'receipt', message_id: id, status: 'delivered' });
  await becomes(id, 'delivered');
});
