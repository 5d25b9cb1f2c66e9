import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { createApiKey } from '../../src/core/api-keys.ts';
import { createBusiness } from '../../src/core/businesses.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { closeAll, connect, quiet, refusal, type TestSocket } from './sockets.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());
afterEach(closeAll);

const visitor = () => connect(gateway.url, { business_id: gateway.businessId });
const agent = (auth: Record<string, unknown> = {}) =>
  connect(gateway.url, { business_id: gateway.businessId, token: gateway.apiKey, ...auth });
const reply = (id: string, message: string) =>
  gateway.call<{ id: string; seq: number }>('POST', `/api/v1/conversations/${id}/reply`, {
    message,
    type: 'reply',
  });
const cursors = (socket: TestSocket) => socket.of('event').map((it) => it['cursor'] as string);

/** What has happened has its place among the events. */
function placed(): Promise<void> {
  return until(async () => (await gateway.pool`select 1 from outbox`).length === 0);
}

async function conversation(): Promise<string> {
  const vic = await visitor();
  const { conversation_id } = await vic.ask('client_message', { content: 'hello' });
  vic.close();
  return conversation_id as string;
}

it('hears every new message of the business without joining, notes too', async () => {
  const ann = await agent();
  const id = await conversation();
  await gateway.call('POST', `/api/v1/conversations/${id}/reply`, { message: 'a note', type: 'note' });
  await ann.next('new_message', (it) => it['content'] === 'hello');
  expect(await ann.next('new_message', (it) => it['type'] === 'note')).toMatchObject({ content: 'a note' });
});

it('hears a conversation once, joined or not', async () => {
  const ann = await agent();
  const id = await conversation();
  expect(await ann.ask('join_conversation', { conversation_id: id })).toEqual({ ok: true });
  await reply(id, 'once');
  await ann.next('new_message', (it) => it['content'] === 'once');
  await quiet();
  expect(ann.of('new_message').filter((it) => it['content'] === 'once')).toHaveLength(1);
  expect(new Set(cursors(ann)).size).toBe(cursors(ann).length);
});

it('joins only conversations of its own business', async () => {
  const ann = await agent();
  for (const conversation_id of [gateway.businessId, 'nonsense', 42]) {
    expect(await ann.ask('join_conversation', { conversation_id })).toMatchObject({
      error: { code: expect.any(String) },
    });
  }
});

it('is told of what nothing answers to', async () => {
  const ann = await agent();
  for (const event of ['client_message', 'nonsense']) {
    expect(await ann.ask(event, { content: 'x' })).toMatchObject({ error: { code: 'not_found' } });
  }
  ann.socket.emit('nonsense');
  expect(await ann.next('error')).toMatchObject({ event: 'nonsense', code: 'not_found' });
});

it('hears nothing of another business', async () => {
  const other = await gateway.pool.begin((tx) => createBusiness(tx, { name: 'Other' }));
  const { key } = other as unknown as { key: string };
  const { id: otherId } = (other as unknown as { business: { id: string } }).business;
  const eve = await connect(gateway.url, { business_id: otherId, token: key });
  const id = await conversation();
  await reply(id, 'ours');
  await quiet();
  expect(await eve.ask('join_conversation', { conversation_id: id })).toMatchObject({
    error: { code: 'not_found' },
  });
  expect(await eve.ask('typing', { conversation_id: id, is_typing: true })).toMatchObject({
    error: { code: 'not_found' },
  });
  expect(eve.heard.filter((it) => it.event !== 'ready')).toEqual([]);
  expect(await refusal(gateway.url, { business_id: otherId, token: gateway.apiKey })).toMatchObject({
    code: 'invalid_api_key',
  });
});

it('cannot hear a business without a key', async () => {
  const nobody = await visitor();
  await conversation();
  await gateway.call('PATCH', '/api/v1/team/status', { status: 'away' });
  await quiet();
  expect(new Set(nobody.heard.map((it) => it.event))).toEqual(new Set(['session', 'ready']));
});

it('is refused without a business, with a wrong token, and without a web chat', async () => {
  expect(await refusal(gateway.url, {})).toMatchObject({ code: 'invalid_request' });
  expect(await refusal(gateway.url, { business_id: 'nonsense' })).toMatchObject({ code: 'invalid_request' });
  const { businessId: business_id } = gateway;
  expect(await refusal(gateway.url, { business_id, token: 'wrong' })).toMatchObject({
    code: 'invalid_api_key',
  });
  expect(await refusal(gateway.url, { business_id, token: '' })).toMatchObject({ code: 'invalid_api_key' });
  expect(await refusal(gateway.url, { business_id: gateway.channelId })).toMatchObject({ code: 'not_found' });
  expect(await refusal(gateway.url, { business_id, channel_id: business_id })).toMatchObject({
    code: 'not_found',
  });
  expect(await refusal(gateway.url, { business_id, visitor_token: 'x.y' })).toMatchObject({
    code: 'unauthorized',
  });
});

it('tells who is there and who was given a conversation', async () => {
  await gateway.call('PATCH', '/api/v1/team/status', { status: 'away' });
  const ann = await agent();
  await gateway.call('PATCH', '/api/v1/team/status', { status: 'live' });
  const live = await ann.next('agent_status_changed', (it) => it['status'] !== 'away');
  expect(live).toEqual({ agent_id: gateway.agentId, status: 'live' });
  const id = await conversation();
  await gateway.call('PUT', `/api/v1/conversations/${id}/assign/${gateway.agentId}`);
  expect(await ann.next('conversation_assigned')).toEqual({
    conversation_id: id,
    assignee_id: gateway.agentId,
    team_id: null,
    assigned_by: gateway.agentId,
  });
});

it('reads up to a message', async () => {
  const ann = await agent();
  const id = await conversation();
  expect(await ann.ask('read', { conversation_id: id, up_to_seq: 1 })).toEqual({ ok: true });
  const { body } = await gateway.call<{ unread_count: number }>('GET', `/api/v1/conversations/${id}`);
  expect(body.unread_count).toBe(0);
});

it('replays what was missed, in order, nothing twice, while more goes on', async () => {
  const id = await conversation();
  const watcher = await agent();
  const first = await agent();
  await reply(id, 'seen');
  await first.next('event', (it) => it['type'] === 'message.sent');
  await quiet();
  const last = cursors(first).at(-1) as string;
  first.close();
  for (let n = 0; n < 4; n += 1) await reply(id, `missed ${n}`);
  let go = true;
  const stream = (async () => {
    for (let n = 0; go && n < 40; n += 1) await reply(id, `live ${n}`);
  })();
  const back = await agent();
  const answer = await back.ask('sync', { after: last });
  expect(answer).toMatchObject({ cursor: expect.any(String), has_more: false });
  await quiet(200);
  go = false;
  await stream;
  await quiet(600);
  const since = (socket: TestSocket) => {
    const all = cursors(socket);
    return all.slice(all.indexOf(last) + 1);
  };
  await until(() => cursors(back).at(-1) === cursors(watcher).at(-1));
  expect(since(back)).toEqual(since(watcher));
  const messages = (socket: TestSocket) => socket.of('new_message').map((it) => it['content'] as string);
  expect(messages(back)).toEqual(messages(watcher).slice(messages(watcher).indexOf('seen') + 1));
});

it('brings a client that says where it was up to date before ready', async () => {
  const id = await conversation();
  await placed();
  const first = await agent();
  const start = (await first.next('ready'))['cursor'];
  first.close();
  await reply(id, 'while away');
  await placed();
  const back = await agent({ after: start });
  expect(back.of('new_message').map((it) => it['content'])).toEqual(['while away']);
  expect(back.heard.at(-1)?.event).toBe('ready');
  await reply(id, 'now');
  await back.next('new_message', (it) => it['content'] === 'now');
});

it('refuses a cursor that it never gave out', async () => {
  const ann = await agent();
  expect(await ann.ask('sync', { after: 'made.up' })).toMatchObject({ error: { code: 'invalid_request' } });
  expect(
    await refusal(gateway.url, { business_id: gateway.businessId, token: gateway.apiKey, after: 'made.up' }),
  ).toMatchObject({
    code: 'invalid_request',
  });
});

it('closes the sockets of a revoked key at once', async () => {
  const { key, row } = await createApiKey(gateway.pool, gateway.businessId, {
    name: 'temporary',
    role: 'agent',
  });
  const ann = await connect(gateway.url, { business_id: gateway.businessId, token: key });
  const startedAt = Date.now();
  expect((await gateway.call('DELETE', `/api/v1/api-keys/${row.id}`)).status).toBe(204);
  await until(() => ann.socket.disconnected);
  expect(Date.now() - startedAt).toBeLessThan(3_000);
  expect(ann.of('error')).toMatchObject([{ event: 'session', code: 'unauthorized' }]);
});
