import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { closeAll, connect, quiet } from './sockets.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());
afterEach(closeAll);

const visitor = (auth: Record<string, unknown> = {}) =>
  connect(gateway.url, { business_id: gateway.businessId, ...auth });
const agent = (auth: Record<string, unknown> = {}) =>
  connect(gateway.url, { business_id: gateway.businessId, token: gateway.apiKey, ...auth });
const reply = (id: string, message: string, type = 'reply') =>
  gateway.call<{ id: string; seq: number }>('POST', `/api/v1/conversations/${id}/reply`, { message, type });

describe.each(['websocket', 'polling'] as const)('over %s', (transport) => {
  const options = { transports: [transport] };

  it('carries a message to the agents and the answer back', async () => {
    const auth = { business_id: gateway.businessId };
    const ann = await connect(gateway.url, { ...auth, token: gateway.apiKey }, options);
    const vic = await connect(gateway.url, auth, options);
    const stored = await vic.ask('client_message', {
      content: 'Hello',
      customer_data: { name: 'Vic', email: 'vic@x.example' },
    });
    expect(stored).toMatchObject({
      seq: 1,
      message_id: expect.any(String),
      conversation_id: expect.any(String),
    });
    const heard = await ann.next('new_message', (it) => it['id'] === stored['message_id']);
    expect(heard).toMatchObject({
      content: 'Hello',
      sender_type: 'customer',
      conversation_id: stored['conversation_id'],
      seq: 1,
    });
    expect(await ann.next('event', (it) => it['type'] === 'message.received')).toMatchObject({
      cursor: expect.any(String),
    });
    await reply(stored['conversation_id'] as string, 'Hi Vic');
    expect(await vic.next('new_message', (it) => it['content'] === 'Hi Vic')).toMatchObject({
      sender_type: 'agent',
      seq: 2,
    });
    expect(ann.of('new_message').filter((it) => it['content'] === 'Hi Vic').length).toBeLessThanOrEqual(1);
  });
});

it('gives every visitor a session that resumes', async () => {
  const first = await visitor();
  const session = await first.next('session');
  expect(session).toMatchObject({ visitor_id: expect.any(String), conversations: [] });
  const days = (Date.parse(session['expires_at'] as string) - Date.now()) / 86_400_000;
  expect(days).toBeGreaterThan(29.9);
  const { conversation_id } = await first.ask('client_message', { content: 'one' });
  first.close();
  const again = await visitor({ visitor_token: session['visitor_token'] });
  const resumed = await again.next('session');
  expect(resumed['visitor_id']).toBe(session['visitor_id']);
  expect(resumed['conversations']).toMatchObject([{ id: conversation_id, status: 'open', last_seq: 1 }]);
});

it('stores a message once, however often its client id comes', async () => {
  const vic = await visitor();
  const message = { content: 'once', client_message_id: 'c1' };
  const answers = await Promise.all([vic.ask('client_message', message), vic.ask('client_message', message)]);
  answers.push(await vic.ask('client_message', message));
  expect(new Set(answers.map((it) => JSON.stringify(it))).size).toBe(1);
  const rows =
    await gateway.pool`select id from messages where conversation_id = ${answers[0]?.['conversation_id'] as string}`;
  expect(rows).toHaveLength(1);
});

it('keeps the order of a burst and opens one conversation for it', async () => {
  const vic = await visitor();
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, n) => vic.ask('client_message', { content: `m${n}`, customer_data: {} })),
  );
  expect(answers.map((it) => it['seq'])).toEqual(Array.from({ length: 30 }, (_, n) => n + 1));
  expect(new Set(answers.map((it) => it['conversation_id'])).size).toBe(1);
});

it('continues the named conversation and opens another when told so', async () => {
  const vic = await visitor();
  const first = await vic.ask('client_message', { content: 'a' });
  const second = await vic.ask('client_message', { content: 'b', new: true });
  expect(second['conversation_id']).not.toBe(first['conversation_id']);
  const third = await vic.ask('client_message', { content: 'c' });
  expect(third['conversation_id']).toBe(second['conversation_id']);
  const fourth = await vic.ask('client_message', { content: 'd', conversation_id: first['conversation_id'] });
  expect(fourth).toMatchObject({ conversation_id: first['conversation_id'], seq: 2 });
});

it('lets all sockets of a visitor hear the conversation', async () => {
  const one = await visitor();
  const { visitor_token } = await one.next('session');
  const two = await visitor({ visitor_token });
  const stored = await one.ask('client_message', { content: 'from the first tab' });
  expect(await two.next('new_message')).toMatchObject({
    id: stored['message_id'],
    content: 'from the first tab',
  });
  await reply(stored['conversation_id'] as string, 'to both');
  await one.next('new_message', (it) => it['content'] === 'to both');
  await two.next('new_message', (it) => it['content'] === 'to both');
});

it('never lets a note, its author or activity out to a visitor', async () => {
  const vic = await visitor();
  const stored = await vic.ask('client_message', { content: 'question' });
  const id = stored['conversation_id'] as string;
  const note = await reply(id, 'SECRET-NOTE', 'note');
  expect(note.status).toBe(202);
  await gateway.call('PUT', `/api/v1/conversations/${id}/assign/${gateway.agentId}`);
  await gateway.call('PUT', `/api/v1/conversations/${id}/resolve`);
  await reply(id, 'public answer');
  await vic.next('new_message', (it) => it['content'] === 'public answer');
  const synced = await vic.ask('sync', { conversation_id: id, after_seq: 0 });
  expect((synced['messages'] as { content: string }[]).map((it) => it.content)).toEqual([
    'question',
    'public answer',
  ]);
  await quiet();
  const everything = JSON.stringify([vic.heard, synced]);
  expect(everything).not.toContain('SECRET-NOTE');
  expect(everything).not.toContain(note.body.id);
  expect(new Set(vic.heard.map((it) => it.event))).toEqual(
    new Set(['session', 'ready', 'new_message', 'delivered']),
  );
});

it('gives exactly what was missed after an interruption', async () => {
  const vic = await visitor();
  const { visitor_token } = await vic.next('session');
  const { conversation_id } = await vic.ask('client_message', { content: 'start' });
  vic.close();
  for (let n = 0; n < 5; n += 1) await reply(conversation_id as string, `missed ${n}`);
  const again = await visitor({ visitor_token });
  const sync = again.ask('sync', { conversation_id, after_seq: 1 });
  const during = reply(conversation_id as string, 'meanwhile');
  const answer = await sync;
  await during;
  const given = (answer['messages'] as { content: string }[]).map((it) => it.content);
  await until(() => given.includes('meanwhile') || again.of('new_message').length > 0);
  await quiet();
  const all = [...given, ...again.of('new_message').map((it) => it['content'] as string)];
  expect(all).toEqual([0, 1, 2, 3, 4].map((n) => `missed ${n}`).concat('meanwhile'));
  expect(answer).toMatchObject({ has_more: false });
});

it('pages a long history, and holds what is live until the client is through', async () => {
  const vic = await visitor();
  const { visitor_token } = await vic.next('session');
  const { conversation_id } = await vic.ask('client_message', { content: '1' });
  for (let n = 2; n <= 10; n += 1) await reply(conversation_id as string, String(n));
  vic.close();
  const again = await visitor({ visitor_token });
  const seen: string[] = [];
  let after_seq = 0;
  for (let more = true; more; ) {
    const page = await again.ask('sync', { conversation_id, after_seq, limit: 4 });
    seen.push(...(page['messages'] as { content: string }[]).map((it) => it.content));
    if (seen.length === 4) await reply(conversation_id as string, '11');
    after_seq = page['last_seq'] as number;
    more = page['has_more'] as boolean;
  }
  await quiet();
  const all = [...seen, ...again.of('new_message').map((it) => it['content'] as string)];
  expect(all).toEqual(Array.from({ length: 11 }, (_, n) => String(n + 1)));
});

it('tells when a message was delivered and read', async () => {
  const ann = await agent();
  const vic = await visitor();
  const { conversation_id } = await vic.ask('client_message', { content: 'hi' });
  const { body } = await reply(conversation_id as string, 'read me');
  const delivered = await ann.next('delivered', (it) => it['message_id'] === body.id);
  expect(delivered).toMatchObject({ delivered_at: expect.any(String) });
  expect(await vic.ask('read', { conversation_id, up_to_seq: body.seq })).toEqual({ ok: true });
  expect(await ann.next('read', (it) => it['message_id'] === body.id)).toMatchObject({
    read_at: expect.any(String),
  });
  const { body: message } = await gateway.call<{ status: string }>('GET', `/api/v1/messages/${body.id}`);
  expect(message.status).toBe('read');
});

it('tells of several that were read at once in their order', async () => {
  const ann = await agent();
  const vic = await visitor();
  const { conversation_id } = await vic.ask('client_message', { content: 'hi' });
  const ids: string[] = [];
  for (const content of ['one', 'two', 'three'])
    ids.push((await reply(conversation_id as string, content)).body.id);
  await vic.next('new_message', (it) => it['id'] === ids[2]);
  await vic.ask('read', { conversation_id, up_to_seq: 4 });
  await ann.next('read', (it) => it['message_id'] === ids[2]);
  await expect.poll(() => ann.of('read').map((it) => it['message_id'])).toEqual(ids);
});

it('reopens nothing by coming back, looking, reading, typing or sending nothing', async () => {
  const vic = await visitor();
  const { visitor_token } = await vic.next('session');
  const { conversation_id } = await vic.ask('client_message', { content: 'hi' });
  await reply(conversation_id as string, 'Here you are');
  await gateway.call('PUT', `/api/v1/conversations/${conversation_id}/resolve`);
  vic.close();
  const again = await visitor({ visitor_token });
  await again.ask('sync', { conversation_id, after_seq: 0 });
  expect(await again.ask('read', { conversation_id, up_to_seq: 2 })).toEqual({ ok: true });
  expect(await again.ask('typing', { conversation_id, is_typing: true })).toEqual({ ok: true });
  for (const nothing of [{ content: ' \n' }, {}, { content: ' ', conversation_id }])
    expect(await again.ask('client_message', nothing)).toHaveProperty('error.code', 'validation_error');
  const { body } = await gateway.call<{ status: string; last_message_seq: number }>(
    'GET',
    `/api/v1/conversations/${conversation_id}`,
  );
  expect(body).toMatchObject({ status: 'resolved', last_message_seq: 3 });
  expect(await again.ask('client_message', { content: 'One more thing' })).toMatchObject({ conversation_id });
});

it('leaves a message as sent while no visitor is there, and delivers it by sync', async () => {
  const vic = await visitor();
  const { visitor_token } = await vic.next('session');
  const { conversation_id } = await vic.ask('client_message', { content: 'hi' });
  vic.close();
  await quiet(100);
  const { body } = await reply(conversation_id as string, 'later');
  const status = async () =>
    (await gateway.call<{ status: string }>('GET', `/api/v1/messages/${body.id}`)).body.status;
  await until(async () => (await status()) === 'sent');
  await quiet();
  expect(await status()).toBe('sent');
  const again = await visitor({ visitor_token });
  await again.ask('sync', { conversation_id, after_seq: 0 });
  await until(async () => (await status()) === 'delivered');
});

it('shows typing both ways, under the name that the server knows', async () => {
  const ann = await agent();
  const vic = await visitor();
  const { conversation_id } = await vic.ask('client_message', { content: 'hi' });
  await ann.ask('join_conversation', { conversation_id });
  await vic.ask('typing', { conversation_id, user_id: 'someone else', is_typing: true });
  const theirs = await ann.next('typing');
  expect(theirs).toMatchObject({ conversation_id, is_typing: true });
  expect(theirs['user_id']).not.toBe('someone else');
  await vic.ask('typing', { conversation_id, is_typing: false });
  await ann.next('typing', (it) => it['is_typing'] === false);
  await ann.ask('typing', { conversation_id, is_typing: true });
  expect(await vic.next('typing')).toEqual({ conversation_id, user_id: gateway.agentId, is_typing: true });
  expect(ann.of('typing')).toHaveLength(2);
});

it('ends typing by itself when the socket goes', async () => {
  const ann = await agent();
  const vic = await visitor();
  const { conversation_id } = await vic.ask('client_message', { content: 'hi' });
  for (let n = 0; n < 5; n += 1) await vic.ask('typing', { conversation_id, is_typing: true });
  vic.close();
  await ann.next('typing', (it) => it['is_typing'] === false);
  expect(ann.of('typing').map((it) => it['is_typing'])).toEqual([true, false]);
});

it('keeps a visitor out of every conversation that is not theirs', async () => {
  const vic = await visitor();
  const { conversation_id } = await vic.ask('client_message', { content: 'private' });
  const eve = await visitor();
  for (const [event, payload] of [
    ['join_conversation', {}],
    ['sync', { after_seq: 0 }],
    ['read', { up_to_seq: 9 }],
    ['typing', { is_typing: true }],
    ['client_message', { content: 'let me in' }],
  ] as const) {
    expect(await eve.ask(event, { ...payload, conversation_id })).toMatchObject({
      error: { code: 'not_found' },
    });
  }
  await reply(conversation_id as string, 'for Vic only');
  await vic.next('new_message', (it) => it['content'] === 'for Vic only');
  await quiet();
  expect(JSON.stringify(eve.heard)).not.toContain('private');
  expect(eve.of('new_message')).toEqual([]);
});

it('says no by an event where no ack was asked for', async () => {
  const vic = await visitor();
  vic.socket.emit('client_message', { content: 42 });
  expect(await vic.next('error')).toMatchObject({ event: 'client_message', code: 'validation_error' });
  vic.socket.emit('join_conversation', { conversation_id: 7 });
  expect(await vic.next('error', (it) => it['event'] === 'join_conversation')).toBeDefined();
});

it('refuses events that it does not know, and goes on', async () => {
  const vic = await visitor();
  vic.socket.emit('drop_table', { really: true });
  expect(await vic.ask('client_message', { content: 'still here' })).toMatchObject({ seq: 1 });
  expect(vic.of('error')).toMatchObject([{ event: 'drop_table', code: 'not_found' }]);
});

it('limits a flood and stays well for others', async () => {
  const flooder = await visitor();
  const quietOne = await visitor();
  const answers = await Promise.all(
    Array.from({ length: 1_000 }, () =>
      flooder.ask('typing', { conversation_id: gateway.channelId, is_typing: true }),
    ),
  );
  const limited = answers.filter((it) => (it['error'] as { code?: string })?.code === 'rate_limited');
  expect(limited.length).toBeGreaterThan(500);
  expect(await quietOne.ask('client_message', { content: 'calm' })).toMatchObject({ seq: 1 });
});

it('takes a file that the visitor uploaded, and nobody else’s', async () => {
  const vic = await visitor();
  const { visitor_token } = await vic.next('session');
  const form = new FormData();
  form.set('file', new File(['hello file'], 'hello.txt', { type: 'text/plain' }));
  const path = `/webchat/${gateway.channelId}/upload`;
  expect((await gateway.call('POST', path, form, { key: null })).status).toBe(401);
  const uploaded = await gateway.call<{ url: string; name: string }>('POST', path, form, {
    key: visitor_token as string,
  });
  expect(uploaded).toMatchObject({ status: 201, body: { name: 'hello.txt', size: 10 } });
  const eve = await visitor();
  const { url } = uploaded.body;
  expect(await eve.ask('client_message', { content: 'mine', attachments: [{ url }] })).toMatchObject({
    error: { code: 'validation_error' },
  });
  const ann = await agent();
  const stored = await vic.ask('client_message', { content: '', attachments: [{ url }] });
  const heard = await ann.next('new_message', (it) => it['id'] === stored['message_id']);
  expect(heard).toMatchObject({ type: 'attachment', attachments: [{ name: 'hello.txt', state: 'ready' }] });
  expect(await (await fetch(heard['content'] as string)).text()).toBe('hello file');
});

it('shows the widget what it looks like, without secrets', async () => {
  const shown = await gateway.call('GET', `/webchat/${gateway.channelId}/config`, undefined, { key: null });
  expect(shown.status).toBe(200);
  expect(shown.body).toMatchObject({ business_id: gateway.businessId, primary_color: expect.any(String) });
  expect(shown.body).not.toHaveProperty('identity_secret');
});

it('ends a session when its visitor says so', async () => {
  const vic = await visitor();
  const { visitor_token } = await vic.next('session');
  vic.socket.emit('end_session');
  await until(() => vic.socket.disconnected);
  await expect(visitor({ visitor_token })).rejects.toThrow(/revoked/);
});
