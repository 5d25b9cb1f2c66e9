import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Door, openDoor, PUBLIC_URL } from '../support/door.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { INTERNAL, PUBLIC, workInside } from '../support/internal-work.ts';
import { fakeUser, update } from '../support/telegram.ts';

let gateway: TestGateway;
let door: Door;
const sockets: Socket[] = [];
/** Every packet that reached a visitor, as it came over the wire, and every answer to what it asked. */
const reached: string[] = [];

beforeAll(async () => {
  gateway = await startTestGateway({ publicUrl: PUBLIC_URL });
  door = await openDoor(gateway);
});
afterAll(async () => {
  for (const socket of sockets) socket.disconnect();
  await gateway.stop();
  await door.close();
});

interface Session {
  visitor_token: string;
}

async function visit(
  auth: Record<string, unknown>,
  transport: string,
): Promise<{ socket: Socket; session: Session }> {
  const socket = io(gateway.url, {
    auth: { business_id: gateway.businessId, channel_id: gateway.channelId, ...auth },
    transports: [transport],
    forceNew: true,
    reconnection: false,
  });
  sockets.push(socket);
  socket.io.on('open', () => socket.io.engine.on('data', (data: unknown) => reached.push(String(data))));
  const session = await new Promise<Session>((resolve, reject) => {
    socket.once('session', resolve);
    socket.once('connect_error', reject);
  });
  return { socket, session };
}

async function ask(socket: Socket, event: string, payload: unknown): Promise<Record<string, unknown>> {
  const answer = await socket.timeout(30_000).emitWithAck(event, payload);
  reached.push(JSON.stringify(answer));
  return answer;
}

async function agent(method: string, path: string, body?: unknown): Promise<{ id: string }> {
  const answer = await gateway.call<{ id: string }>(method, `/api/v1${path}`, body);
  expect([path, answer.status < 300]).toEqual([path, true]);
  return answer.body;
}

/** Whatever the widget's routes answer to a visitor, now and in later versions. */
async function askEveryPublicRoute(token: string): Promise<void> {
  const { paths } = (await (await fetch(`${gateway.url}/openapi.json`)).json()) as {
    paths: Record<string, object>;
  };
  const open = Object.entries(paths).filter(([path, item]) => path.includes('/webchat/') && 'get' in item);
  expect(open.length).toBeGreaterThan(0);
  for (const [path] of open) {
    const url = `${gateway.url}${path.replaceAll(/\{\w+\}/g, gateway.channelId)}`;
    const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    reached.push(await answer.text());
  }
}

const seen = (word: string) => reached.filter((packet) => packet.includes(word));

it('shows a visitor no note, activity or draft, in no frame, history, sync or answer', async () => {
  const { socket, session } = await visit({}, 'websocket');
  const polling = await visit({ visitor_token: session.visitor_token }, 'polling');
  const asked = await ask(socket, 'client_message', {
    content: 'Hello',
    customer_data: { name: 'Ada', email: 'ada@example.com' },
  });
  const conversation_id = String(asked['conversation_id']);
  await ask(socket, 'join_conversation', { conversation_id });
  await workInside(gateway, conversation_id);
  await eventually(() => expect(seen(`${PUBLIC} answer`).length).toBeGreaterThanOrEqual(2));

  const synced = await ask(socket, 'sync', { conversation_id, after_seq: 0 });
  const texts = (synced['messages'] as { content: string }[]).map(({ content }) => content);
  expect(texts[0]).toBe('Hello');
  expect(new Set(texts.slice(1))).toEqual(new Set([`${PUBLIC} answer`]));
  polling.socket.emit('sync', { conversation_id, after_seq: 0 });
  await ask(socket, 'read', { conversation_id, up_to_seq: 1_000 });
  await ask(socket, 'typing', { conversation_id, is_typing: true });
  await ask(socket, 'client_message', { content: 'Thanks', conversation_id });
  const again = await visit({ visitor_token: session.visitor_token }, 'websocket');
  await ask(again.socket, 'sync', { conversation_id, after_seq: 0 });
  await askEveryPublicRoute(session.visitor_token);
  await agent('PUT', `/conversations/${conversation_id}/close`);
  await new Promise((resolve) => setTimeout(resolve, 500));

  const rows = await gateway.pool<{ id: string; content: string }[]>`
    select id, content from messages
    where conversation_id = ${conversation_id} and (direction = 'internal' or status = 'scheduled')`;
  expect(rows.length).toBeGreaterThan(8);
  expect(seen(INTERNAL)).toEqual([]);
  for (const { id, content } of rows)
    expect([seen(id), content === '' ? [] : seen(content)]).toEqual([[], []]);
  expect(reached.join()).not.toMatch(/"type":"(activity|note)"|handoff|assignee|snoozed|custom_attributes/);
});

it('reads them to no visitor who asks for another’s conversation', async () => {
  const before = reached.length;
  const owner = await visit({}, 'websocket');
  const { conversation_id } = await ask(owner.socket, 'client_message', { content: `${PUBLIC} to me only` });
  const stranger = await visit({}, 'websocket');
  const own = reached.length;
  for (const event of ['join_conversation', 'sync', 'read', 'typing']) {
    const answer = await ask(stranger.socket, event, {
      conversation_id,
      after_seq: 0,
      up_to_seq: 1,
      is_typing: true,
    });
    expect(answer).toMatchObject({ error: expect.anything() });
  }
  expect(own).toBeGreaterThan(before);
  expect(reached.slice(own).join()).not.toContain(PUBLIC);
});

it('sends none of them to Telegram', async () => {
  const from = fakeUser();
  await door.post(update.text({ from }));
  const [row] = await gateway.pool<
    { id: string }[]
  >`select id from conversations where thread_key = ${String(from.id)}`;
  await workInside(gateway, row?.id ?? '');
  await eventually(() => expect(door.telegram.shown(from.id).length).toBeGreaterThanOrEqual(1));
  await new Promise((resolve) => setTimeout(resolve, 500));
  const shown = door.telegram.shown(from.id).map(({ text }) => text);
  expect(new Set(shown)).toEqual(new Set([`${PUBLIC} answer`]));
  const said = JSON.stringify(door.telegram.calls.map(({ method, params }) => ({ method, params })));
  expect(said).not.toContain(INTERNAL);
  expect(said).not.toMatch(/Assigned|Tagged|Resolved|Reopened/);
});
