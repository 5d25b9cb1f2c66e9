import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { createBusiness } from '../../src/core/businesses.ts';
import { newId } from '../../src/core/id.ts';
import { keepAlive } from '../../src/realtime/heartbeat.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { closeAll, connect, quiet } from './sockets.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());

interface Frame {
  type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at what it expects
  data: any;
}

interface Listener {
  socket: WebSocket;
  frames: Frame[];
  /** The frames about one conversation: a socket may still hear the end of what was under way when it came. */
  about(conversationId: string): Frame[];
}

interface Options {
  url?: string;
  path?: string;
  protocols?: string[];
  headers?: Record<string, string>;
}

const open = new Set<WebSocket>();
afterEach(() => {
  for (const socket of open) socket.terminate();
  open.clear();
  closeAll();
});

const PATH = '/support/conversations/live';

/** Resolves once the socket is open; rejects with the status and body of the refusal. */
async function listen({
  url = gateway.url,
  path = PATH,
  protocols = [],
  headers = {},
}: Options = {}): Promise<Listener> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, protocols, { headers });
  open.add(socket);
  const frames: Frame[] = [];
  socket.on('message', (text) => frames.push(JSON.parse(String(text))));
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
    socket.once('unexpected-response', async (_request, response) => {
      let body = '';
      for await (const chunk of response) body += chunk;
      reject(Object.assign(new Error('refused'), { status: response.statusCode, body: JSON.parse(body) }));
    });
  });
  const about = (id: string) => frames.filter(({ data }) => (data.conversationId ?? data.id) === id);
  return { socket, frames, about };
}

const asOwner = (key = gateway.apiKey) => listen({ headers: { Authorization: `Bearer ${key}` } });

async function refusal(options: Options): Promise<[number, string]> {
  const error = await listen(options).then(
    () => undefined,
    (it) => it,
  );
  if (error === undefined) throw new Error('it was not refused');
  expect(error.body).toMatchObject({ success: false, error: { message: expect.any(String), details: {} } });
  return [error.status, error.body.error.code];
}

async function ticket(): Promise<string> {
  const { status, body } = await gateway.call<{ ticket: string; expires_at: string }>(
    'POST',
    '/api/v1/realtime/tickets',
  );
  expect(status).toBe(201);
  const seconds = (Date.parse(body.expires_at) - Date.now()) / 1000;
  expect(seconds).toBeGreaterThan(50);
  expect(seconds).toBeLessThanOrEqual(61);
  return body.ticket;
}

const visitor = () => connect(gateway.url, { business_id: gateway.businessId });

async function write(content = 'hello'): Promise<string> {
  const vic = await visitor();
  const data = { name: 'Vic', email: `${newId()}@x.example` };
  return (await vic.ask('client_message', { content, customer_data: data }))['conversation_id'] as string;
}

const put = (id: string, status: string) =>
  gateway.call('PUT', `/api/support/conversations/${id}`, { status });
const post = (id: string, verb: string, body: object) =>
  gateway.call('POST', `/api/support/conversations/${id}/${verb}`, body);

describe('who may listen', () => {
  it('shows a key in a header or in the subprotocol', async () => {
    await listen({ headers: { Authorization: `Bearer ${gateway.apiKey}` } });
    await listen({ headers: { 'X-API-Key': gateway.apiKey } });
    const { socket } = await listen({ protocols: ['bearer', gateway.apiKey] });
    expect(socket.protocol).toBe('bearer');
    await listen({ path: `${PATH}/`, headers: { 'X-API-Key': gateway.apiKey } });
  });

  it('or has a ticket, which opens one socket', async () => {
    const path = `${PATH}?ticket=${await ticket()}`;
    const { about } = await listen({ path });
    const id = await write();
    await until(() => about(id).length >= 2);
    expect(await refusal({ path })).toEqual([401, 'UNAUTHORIZED']);
  });

  it('is refused with anything else, in words of the dialect', async () => {
    expect(await refusal({})).toEqual([401, 'UNAUTHORIZED']);
    expect(await refusal({ protocols: ['bearer'] })).toEqual([401, 'UNAUTHORIZED']);
    expect(await refusal({ headers: { 'X-API-Key': 'wrong' } })).toEqual([401, 'INVALID_API_KEY']);
    expect(await refusal({ path: `${PATH}?ticket=wrong` })).toEqual([401, 'UNAUTHORIZED']);
    expect(await refusal({ path: `${PATH}?key=${gateway.apiKey}` })).toEqual([401, 'UNAUTHORIZED']);
  });

  it('is refused with a ticket older than a minute, or of a key that has ended', async () => {
    const old = await ticket();
    await gateway.pool`update realtime_tickets set expires_at = now() - interval '1 second'`;
    expect(await refusal({ path: `${PATH}?ticket=${old}` })).toEqual([401, 'UNAUTHORIZED']);
    const created = await gateway.call<{ id: string; key: string }>('POST', '/api/v1/api-keys', {
      name: 'x',
    });
    const { body } = await gateway.call<{ ticket: string }>('POST', '/api/v1/realtime/tickets', undefined, {
      key: created.body.key,
    });
    await gateway.call('DELETE', `/api/v1/api-keys/${created.body.id}`);
    expect(await refusal({ path: `${PATH}?ticket=${body.ticket}` })).toEqual([401, 'REVOKED_API_KEY']);
  });

  it('finds nothing at other addresses', async () => {
    for (const path of [
      '/',
      '/socket.iox/',
      '/api/support/conversations',
      '//',
      '/support/conversations/live/x',
    ])
      expect([path, await refusal({ path })]).toEqual([path, [404, 'NOT_FOUND']]);
  });

  it('is one of many who race with the same ticket, over two processes', async () => {
    const second = await startTestGateway({ database_: gateway.database });
    try {
      const path = `${PATH}?ticket=${await ticket()}`;
      const tries = Array.from({ length: 10 }, (_, n) =>
        listen({ url: n % 2 ? second.url : gateway.url, path }),
      );
      const opened = (await Promise.allSettled(tries)).filter(({ status }) => status === 'fulfilled');
      expect(opened).toHaveLength(1);
    } finally {
      for (const socket of open) socket.terminate();
      await second.stop();
    }
  });
});

describe('what is heard', () => {
  it('is a new conversation and its message, in the shapes of the dialect', async () => {
    const { about } = await asOwner();
    const id = await write('Hi, I need help');
    await until(() => about(id).length >= 2);
    const [created, received] = about(id);
    const { body } = await gateway.call<{ data: { messages: object[] } }>(
      'GET',
      `/api/support/conversations/${id}`,
    );
    const { messages, ...conversation } = body.data;
    expect(created).toEqual({ type: 'conversation.created', data: conversation });
    expect(received).toEqual({ type: 'message.received', data: { conversationId: id, ...messages[0] } });
  });

  it('is each change of a conversation, once', async () => {
    const { about } = await asOwner();
    const id = await write();
    await put(id, 'pending');
    await put(id, 'resolved');
    await put(id, 'resolved');
    await put(id, 'open');
    await post(id, 'snooze', { until: '2099-01-01T00:00:00Z' });
    await post(id, 'snooze', { until: '2099-01-02T00:00:00Z' });
    await put(id, 'closed');
    await post(id, 'assign', { assigneeId: gateway.agentId });
    await post(id, 'tags', { tags: ['billing'] });
    await until(() => about(id).some(({ data }) => data.tags?.includes('billing')));
    const updates = about(id).filter(({ type }) => type === 'conversation.updated');
    expect(updates.map(({ data }) => data.status)).toEqual([
      'pending',
      'resolved',
      'open',
      'snoozed',
      'snoozed',
      'closed',
      'closed',
      'closed',
    ]);
    const { data } = updates.at(-1) as Frame;
    expect(data.assignee).toEqual({ id: gateway.agentId, name: expect.stringMatching(/./) });
    expect(data).not.toHaveProperty('messages');
  });

  it('is what our side says, as a change, and not how far it got', async () => {
    const { about } = await asOwner();
    const id = await write();
    const said = () => about(id).slice(2);
    await post(id, 'reply', { message: 'Hello', type: 'reply' });
    await post(id, 'reply', { message: 'a note', type: 'note' });
    await until(() => said().length >= 2);
    await quiet();
    expect(said().map(({ type }) => type)).toEqual(['conversation.updated', 'conversation.updated']);
  });

  it('is a conversation that its customer reopens, then the message', async () => {
    const vic = await visitor();
    const { conversation_id: id } = (await vic.ask('client_message', { content: 'one' })) as {
      conversation_id: string;
    };
    await put(id, 'resolved');
    const { about } = await asOwner();
    await vic.ask('client_message', { content: 'two', conversation_id: id });
    const sorted = () => about(id).filter(({ data }) => data.status !== 'resolved' && data.content !== 'one');
    await until(() => sorted().some(({ type }) => type === 'message.received'));
    expect(sorted().slice(-2)).toMatchObject([
      { type: 'conversation.updated', data: { status: 'open' } },
      { type: 'message.received', data: { content: 'two', type: 'visitor' } },
    ]);
  });

  it('is nothing of another business', async () => {
    const other = await gateway.pool.begin((tx) => createBusiness(tx, { name: 'Other' }));
    const theirs = await asOwner(other.key);
    const ours = await asOwner();
    const id = await write();
    await until(() => ours.about(id).length >= 2);
    await quiet();
    expect(theirs.frames).toEqual([]);
  });

  it('comes to those who talk back all the same', async () => {
    const { socket, about } = await asOwner();
    for (const nonsense of ['', '{', 'subscribe', Buffer.alloc(10)]) socket.send(nonsense);
    const id = await write();
    await until(() => about(id).length >= 2);
    expect(socket.readyState).toBe(socket.OPEN);
  });
});

describe('the end', () => {
  const closing = async (socket: WebSocket) => {
    const [code, reason] = await once(socket, 'close');
    return [code, String(reason)];
  };

  it('comes at once when the key is revoked', async () => {
    const { body } = await gateway.call<{ id: string; key: string }>('POST', '/api/v1/api-keys', {
      name: 'x',
    });
    const { socket } = await asOwner(body.key);
    const closed = closing(socket);
    await gateway.call('DELETE', `/api/v1/api-keys/${body.id}`);
    expect(await closed).toEqual([1008, 'The key of this socket has ended.']);
  });

  it('comes with a frame that says when to return, when the process stops', async () => {
    const leaving = await startTestGateway();
    const { socket, frames } = await listen({ url: leaving.url, headers: { 'X-API-Key': leaving.apiKey } });
    const closed = closing(socket);
    await leaving.stop();
    expect(await closed).toEqual([1012, 'restarting']);
    expect(frames).toEqual([{ type: 'draining', data: { retryAfterMs: expect.any(Number) } }]);
  });

  it('comes for a client that answers no ping', async () => {
    const http = createServer();
    const server = new WebSocketServer({ server: http });
    const heartbeat = keepAlive(server, 40);
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;
    const alive = new WebSocket(url);
    const gone = new WebSocket(url, { autoPong: false });
    const closed = once(gone, 'close');
    await once(alive, 'open');
    expect((await closed)[0]).toBe(1006);
    await quiet(200);
    expect(alive.readyState).toBe(alive.OPEN);
    clearInterval(heartbeat);
    alive.terminate();
    server.close();
    http.close();
  });
});
