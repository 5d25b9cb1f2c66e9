import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { io } from 'socket.io-client';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(async () => {
  await gateway.stop();
});

interface Received {
  headers: Record<string, string>;
  body: string;
}

async function startReceiver() {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    received.push({ headers: request.headers as Record<string, string>, body });
    response.end('ok');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    received,
    url: `http://127.0.0.1:${port}/hook`,
    stop: () => new Promise((resolve) => server.close(resolve)),
  };
}

it('carries a visitor’s message to the agent, the webhook and the sockets, and the answer back', async () => {
  const receiver = await startReceiver();
  const endpoint = await gateway.call<{ secret: string }>('POST', '/api/v1/webhook-endpoints', {
    url: receiver.url,
    events: ['*'],
  });
  expect(endpoint.status).toBe(201);

  const agent = io(gateway.url, { auth: { business_id: gateway.businessId, token: gateway.apiKey } });
  const agentFrames: unknown[] = [];
  agent.on('new_message', (message) => agentFrames.push(message));
  await once(agent as never, 'ready');

  const visitor = io(gateway.url, { auth: { business_id: gateway.businessId } });
  const visitorFrames: { content: string }[] = [];
  visitor.on('new_message', (message) => visitorFrames.push(message));
  await once(visitor as never, 'session');
  const ack = await visitor.emitWithAck('client_message', {
    content: 'Hello, I need help',
    customer_data: { name: 'Ada', email: 'ada@example.com' },
  });
  expect(ack).toMatchObject({ seq: 1 });

  await eventually(() =>
    expect(agentFrames).toMatchObject([{ content: 'Hello, I need help', sender_type: 'customer' }]),
  );
  const reply = await gateway.call<{ id: string; status: string }>(
    'POST',
    `/api/v1/conversations/${ack.conversation_id}/messages`,
    { content: 'How can I help?' },
  );
  expect(reply.status).toBe(202);
  expect(reply.body.status).toBe('queued');
  await eventually(() => expect(visitorFrames.map((it) => it.content)).toContain('How can I help?'));

  await eventually(() =>
    expect(receiver.received.map((it) => JSON.parse(it.body).type)).toContain('message.sent'),
  );
  const types = receiver.received.map((it) => JSON.parse(it.body).type);
  expect(types).toEqual(
    expect.arrayContaining(['customer.created', 'conversation.created', 'message.received']),
  );
  for (const { body, headers } of receiver.received) new Webhook(endpoint.body.secret).verify(body, headers);

  agent.disconnect();
  visitor.disconnect();
  await receiver.stop();
});
