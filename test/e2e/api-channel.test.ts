import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closeAll, connect } from '../realtime/sockets.ts';
import { type CallbackProgram, startCallback } from '../support/callback.ts';
import { type Answer, eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';

interface Accepted {
  data: { message_id: string; conversation_id: string; seq: number; duplicate: boolean }[];
}

interface Message {
  id: string;
  content: string;
  status: string | null;
  external_id: string | null;
  edited_at: string | null;
  deleted_at: string | null;
  reply_to_id: string | null;
  reactions: { emoji: string }[];
  attachments: { id: string; url: string; state: string; type: string }[];
  choice: { action: string } | null;
  error: { code: string; provider_code: string; message: string } | null;
}

let gateway: TestGateway;
let program: CallbackProgram;
let channel: { id: string; webhook_url: string; setup: { todo: string[] } };
let n = 0;

beforeAll(async () => {
  gateway = await startTestGateway();
  program = await startCallback();
  const created = await gateway.call<typeof channel>('POST', '/api/v1/channels', {
    type: 'api',
    name: 'Our app',
    config: { callback_url: program.url, secret: program.secret },
  });
  expect(created.status).toBe(201);
  channel = created.body;
}, 60_000);
afterAll(async () => {
  closeAll();
  await gateway.stop();
  await program.close();
});

const bearer = () => ({ authorization: `Bearer ${program.secret}` });

async function post<T = Accepted>(
  body: unknown,
  headers: Record<string, string> = bearer(),
): Promise<Answer<T>> {
  return gateway.call<T>('POST', `/webhooks/api/${channel.id}`, body, { key: null, headers });
}

function aMessage(fields: Record<string, unknown> = {}) {
  n += 1;
  return {
    external_id: `m-${n}`,
    sender: { external_id: `person-${n}`, name: `Person ${n}` },
    content: 'Hi',
    ...fields,
  };
}

async function say(fields: Record<string, unknown> = {}): Promise<Accepted['data'][number]> {
  const { status, body } = await post(aMessage(fields));
  expect(status).toBe(200);
  return body.data[0] as Accepted['data'][number];
}

async function messagesOf(conversationId: string): Promise<Message[]> {
  const path = `/api/v1/conversations/${conversationId}`;
  return (await gateway.call<{ messages: Message[] }>('GET', path)).body.messages;
}

async function write(conversationId: string, body: unknown): Promise<Message> {
  const path = `/api/v1/conversations/${conversationId}/messages`;
  const answer = await gateway.call<Message>('POST', path, body);
  expect(answer.status).toBe(202);
  return answer.body;
}

async function find(conversationId: string, id: string): Promise<Message> {
  return (await messagesOf(conversationId)).find((message) => message.id === id) as Message;
}

const takenOf = (id: string) => program.taken.filter(({ data }) => data.message?.id === id);

describe('the door', () => {
  it('takes a message by Bearer or by signature, and says where it went', async () => {
    const first = await say({ content: 'By Bearer', sender: { external_id: 'ada' } });
    expect(first).toMatchObject({ seq: 1, duplicate: false });
    const body = JSON.stringify(aMessage({ content: 'Signed', sender: { external_id: 'ada' } }));
    const now = new Date();
    const signed = await post(body, {
      'content-type': 'application/json',
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': new Webhook(program.secret).sign('msg_1', now, body),
    });
    expect(signed.body.data[0]).toMatchObject({ conversation_id: first.conversation_id, seq: 2 });
    expect((await messagesOf(first.conversation_id)).map(({ content }) => content)).toEqual([
      'By Bearer',
      'Signed',
    ]);
  });

  it('refuses whoever has no key, a wrong one, or a signature that is too old or of another body', async () => {
    const body = JSON.stringify(aMessage());
    const sign = (at: Date, of = body) => ({
      'webhook-id': 'msg_2',
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': new Webhook(program.secret).sign('msg_2', at, of),
    });
    for (const headers of [
      {},
      { authorization: 'Bearer whsec_guessed' },
      { authorization: `Bearer ${gateway.apiKey}` },
      sign(new Date(Date.now() - 400_000)),
      sign(new Date(Date.now() + 400_000)),
      sign(new Date(), `${body} `),
    ]) {
      expect((await post(body, headers as Record<string, string>)).status).toBe(401);
    }
  });

  it('stores what comes twice once, and answers it like the first time', async () => {
    const message = aMessage();
    const [first] = (await post(message)).body.data;
    const [second] = (await post(message)).body.data;
    expect(second).toEqual({ ...first, duplicate: true });
    const batch = await post([message, aMessage({ sender: message.sender })]);
    expect(batch.body.data.map(({ duplicate, seq }) => [duplicate, seq])).toEqual([
      [true, 1],
      [false, 2],
    ]);
  });

  it('tells the program what is wrong with its request, and keeps it for looking at', async () => {
    const wrong = await post<{ error: { details: { field: string }[] } }>({
      external_id: 'x',
      content: 'no sender',
    });
    expect(wrong).toMatchObject({ status: 422, body: { error: { details: [{ field: 'sender' }] } } });
    expect((await post('{"half": ')).status).toBe(400);
    const kept = await gateway.call<{ data: { channel_id: string }[] }>(
      'GET',
      '/api/v1/inbound-events?status=failed',
    );
    expect(kept.body.data.map(({ channel_id }) => channel_id)).toContain(channel.id);
  });

  it('notes when it was written beside when it came, and keeps the order in which it came', async () => {
    const sender = { external_id: 'tim', name: 'Tim' };
    const late = await say({ sender, content: 'Written last', sent_at: '2025-03-02T10:00:00Z' });
    await say({ sender, content: 'Told last', sent_at: '2025-03-01T12:30:00+02:00' });
    const messages = await messagesOf(late.conversation_id);
    expect(messages).toMatchObject([
      { seq: 1, content: 'Written last', metadata: { provider_timestamp: '2025-03-02T10:00:00.000Z' } },
      { seq: 2, content: 'Told last', metadata: { provider_timestamp: '2025-03-01T10:30:00.000Z' } },
    ]);
  });

  it('keeps threads of one person apart, and continues them', async () => {
    const sender = { external_id: 'eve', name: 'Eve' };
    const order = await say({ sender, thread_id: 'order-1' });
    const other = await say({ sender, thread_id: 'order-2' });
    const again = await say({ sender, thread_id: 'order-1' });
    expect(other.conversation_id).not.toBe(order.conversation_id);
    expect(again).toMatchObject({ conversation_id: order.conversation_id, seq: 2 });
  });
});

describe('what an agent writes', () => {
  it('is delivered to the callback, signed, in order, each once', async () => {
    const { conversation_id } = await say();
    const sent = [
      await write(conversation_id, { content: 'One' }),
      await write(conversation_id, { content: 'Two' }),
    ];
    await eventually(() => expect(sent.flatMap(({ id }) => takenOf(id))).toHaveLength(2));
    expect(program.forged).toBe(0);
    const [first] = takenOf(sent[0]?.id ?? '');
    expect(first).toMatchObject({
      id: sent[0]?.id,
      type: 'message',
      channel_id: channel.id,
      data: {
        thread_id: `person-${n}`,
        message: { id: sent[0]?.id, type: 'text', content: 'One', attachments: [] },
      },
    });
    await eventually(async () =>
      expect((await messagesOf(conversation_id)).at(-1)).toMatchObject({ status: 'sent' }),
    );
  });

  it('is a note that leaves by no callback', async () => {
    const { conversation_id } = await say();
    const note = await write(conversation_id, { content: 'secret', type: 'note' });
    const after = await write(conversation_id, { content: 'public' });
    await eventually(() => expect(takenOf(after.id)).toHaveLength(1));
    expect(takenOf(note.id)).toEqual([]);
    expect(JSON.stringify(program.taken)).not.toContain('secret');
  });

  it('is tried again with the same id after a failure, and a lost answer makes no second message', async () => {
    const { conversation_id } = await say();
    program.answerNext((response) => response.writeHead(429, { 'retry-after': '1' }).end());
    const message = await write(conversation_id, { content: 'Again' });
    await eventually(() => expect(takenOf(message.id)).toHaveLength(1));
    await eventually(async () =>
      expect(await find(conversation_id, message.id)).toMatchObject({ status: 'sent' }),
    );

    program.answerNext((response) => response.destroy());
    const lost = await write(conversation_id, { content: 'Lost' });
    await eventually(async () => {
      const { status, next_attempt_at } = (await find(conversation_id, lost.id)) as Message & {
        next_attempt_at: string;
      };
      expect([status, next_attempt_at === null]).toEqual(['sending', false]);
    });
    await gateway.call('POST', `/api/v1/messages/${lost.id}/retry`);
    await eventually(() => expect(takenOf(lost.id).map(({ id }) => id)).toEqual([lost.id]));
  });

  it('fails at once where the program can never take it', async () => {
    const { conversation_id } = await say();
    program.answerNext((response) => response.writeHead(422).end('too many emojis'));
    const message = await write(conversation_id, { content: 'No' });
    await eventually(async () => {
      expect(await find(conversation_id, message.id)).toMatchObject({
        status: 'failed',
        error: { provider_code: '422', message: expect.stringContaining('too many emojis') },
      });
    });
  });

  it('brings its files as addresses that open them, and a card whole', async () => {
    const { conversation_id } = await say();
    const form = new FormData();
    form.set('file', new File(['hello'], 'hello.txt', { type: 'text/plain' }));
    const upload = await gateway.call<{ url: string }>(
      'POST',
      `/api/v1/conversations/${conversation_id}/upload`,
      form,
    );
    const card = { title: 'Sure?', actions: [{ label: 'Yes', action: 'y' }] };
    const message = await write(conversation_id, { card, attachments: [{ url: upload.body.url }] });
    await eventually(() => expect(takenOf(message.id)).toHaveLength(1));
    const [posted] = takenOf(message.id);
    expect(posted?.data.message).toMatchObject({
      card,
      attachments: [{ name: 'hello.txt', type: 'text/plain', size: 5 }],
    });
    expect(await (await fetch(posted?.data.message.attachments[0].url)).text()).toBe('hello');

    await say({
      sender: { external_id: `person-${n}` },
      content: '',
      choice: { message_id: message.id, number: 1 },
    });
    expect((await messagesOf(conversation_id)).at(-1)).toMatchObject({
      content: 'Yes',
      choice: { action: 'y' },
    });
  });

  it('is changed, taken back and reacted to where it is', async () => {
    const { conversation_id, message_id } = await say({ external_id: 'to-react-to' });
    const message = await write(conversation_id, { content: 'Helo' });
    await eventually(async () =>
      expect(await find(conversation_id, message.id)).toMatchObject({ status: 'sent' }),
    );
    const path = `/api/v1/messages/${message.id}`;
    expect((await gateway.call('PATCH', path, { content: 'Hello' })).status).toBe(200);
    expect(
      (await gateway.call('PUT', `/api/v1/messages/${message_id}/reaction`, { emoji: '👍' })).status,
    ).toBe(200);
    expect((await gateway.call('DELETE', path)).status).toBe(200);
    const told = program.taken.filter(({ type }) => ['edit', 'delete', 'reaction'].includes(type));
    expect(told.map(({ type, data }) => [type, data])).toEqual([
      [
        'edit',
        expect.objectContaining({ message: expect.objectContaining({ id: message.id, content: 'Hello' }) }),
      ],
      ['reaction', expect.objectContaining({ external_id: 'to-react-to', emojis: ['👍'] })],
      ['delete', expect.objectContaining({ message_id: message.id })],
    ]);
  });

  it('opens a conversation at an address that the program knows', async () => {
    const customer = await gateway.call<{ id: string }>('POST', '/api/v1/customers', {
      email: 'new@example.com',
    });
    const opened = await gateway.call<{ id: string }>('POST', '/api/v1/conversations/', {
      business_id: gateway.businessId,
      channel_id: channel.id,
      customer_id: customer.body.id,
      initial_message: 'Welcome',
    });
    expect(opened.status).toBe(201);
    await eventually(() =>
      expect(program.taken.at(-1)?.data).toMatchObject({
        thread_id: 'new@example.com',
        message: { content: 'Welcome' },
      }),
    );
    const answer = await say({ sender: { external_id: 'new@example.com' } });
    expect(answer.conversation_id).toBe(opened.body.id);
  });
});

describe('what the program says afterwards', () => {
  it('raises the status by receipts, forward only', async () => {
    const { conversation_id } = await say();
    const message = await write(conversation_id, { content: 'Read me' });
    await eventually(() => expect(takenOf(message.id)).toHaveLength(1));
    for (const status of ['read', 'delivered'])
      await post({ type: 'receipt', message_id: message.id, status });
    await eventually(async () =>
      expect(await find(conversation_id, message.id)).toMatchObject({ status: 'read' }),
    );
  });

  it('hears that what was sent again failed again, and of what is said twice only once', async () => {
    const { conversation_id } = await say();
    const message = await write(conversation_id, { content: 'Nobody there' });
    const failed = { type: 'receipt', message_id: message.id, status: 'failed', error: { message: 'Gone' } };
    const fails = async (times: number) => {
      await eventually(() => expect(takenOf(message.id)).toHaveLength(times));
      await eventually(async () =>
        expect(await find(conversation_id, message.id)).toMatchObject({ status: 'sent' }),
      );
      expect((await post(failed)).body.data[0]?.duplicate).toBe(false);
      expect((await post(failed)).body.data[0]?.duplicate).toBe(true);
      expect(await find(conversation_id, message.id)).toMatchObject({ status: 'failed' });
    };
    await fails(1);
    await gateway.call('POST', `/api/v1/messages/${message.id}/retry`);
    await fails(2);
    expect(takenOf(message.id).map(({ id }) => id)).toEqual([message.id, `${message.id}-2`]);
  });

  it('edits, deletes and reacts', async () => {
    const sender = { external_id: 'fay' };
    const first = await say({ sender, external_id: 'fay-1', content: 'Helo' });
    await say({ sender, external_id: 'fay-2', content: 'Never mind', reply_to: 'fay-1' });
    await post([
      { type: 'edit', external_id: 'fay-1', content: 'Hello' },
      { type: 'delete', external_id: 'fay-2' },
      { type: 'reaction', external_id: 'fay-1', sender, emojis: ['❤'] },
    ]);
    const [one, two] = await messagesOf(first.conversation_id);
    expect(one).toMatchObject({
      content: 'Hello',
      edited_at: expect.any(String),
      reactions: [{ emoji: '❤' }],
    });
    expect(two).toMatchObject({ content: '', deleted_at: expect.any(String), reply_to_id: one?.id });
  });

  it('shows the agents that the customer types, and stores nothing of it', async () => {
    const { conversation_id } = await say({ sender: { external_id: 'gus' } });
    const agent = await connect(gateway.url, { business_id: gateway.businessId, token: gateway.apiKey });
    const kept = async () => (await gateway.pool`select count(*)::int as n from inbound_requests`)[0]?.['n'];
    const before = await kept();
    expect((await post({ type: 'typing', thread_id: 'gus' })).status).toBe(200);
    expect(await agent.next('typing')).toMatchObject({ conversation_id, is_typing: true });
    await post({ type: 'typing', thread_id: 'gus', is_typing: false });
    expect(await agent.next('typing', ({ is_typing }) => is_typing === false)).toMatchObject({
      conversation_id,
    });
    expect(await kept()).toBe(before);
  });

  it('hears that an agent types and has read', async () => {
    const { conversation_id, message_id } = await say({
      sender: { external_id: 'hal' },
      external_id: 'hal-1',
    });
    await gateway.call('POST', `/api/v1/conversations/${conversation_id}/typing`, { is_typing: true });
    await gateway.call('POST', `/api/v1/conversations/${conversation_id}/read`, { up_to_seq: 1 });
    expect(message_id).toBeTypeOf('string');
    await eventually(() => {
      expect(program.taken).toContainEqual(
        expect.objectContaining({ type: 'typing', data: { thread_id: 'hal', is_typing: true } }),
      );
      expect(program.taken).toContainEqual(
        expect.objectContaining({ type: 'read', data: { thread_id: 'hal', external_id: 'hal-1' } }),
      );
    });
  });

  it('sends files, which are kept when its own address has gone', async () => {
    const files = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' }).end('a file');
    });
    await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve));
    const { port } = files.address() as AddressInfo;
    const { conversation_id } = await say({
      attachments: [{ url: `http://127.0.0.1:${port}/a.txt`, name: 'a.txt', type: 'text/plain' }],
    });
    const attachment = await eventually(async () => {
      const [found] = (await messagesOf(conversation_id))[0]?.attachments ?? [];
      expect(found).toMatchObject({ state: 'ready' });
      return found as Message['attachments'][number];
    });
    await new Promise((resolve) => files.close(resolve));
    expect(await (await fetch(attachment.url)).text()).toBe('a file');
  });
});

describe('the channel', () => {
  it('is made with a secret of its own, shown once, and tested step by step', async () => {
    const other = await startCallback();
    const config = { callback_url: other.url };
    const made = await gateway.call<{
      id: string;
      generated: { secret: string };
      config: { secret: string };
    }>('POST', '/api/v1/channels', { type: 'api', config });
    expect(made.body.generated.secret).toMatch(/^whsec_/);
    expect(made.body.config.secret).not.toBe(made.body.generated.secret);
    const test = await gateway.call<{ ok: boolean; steps: { name: string; ok: boolean }[] }>(
      'POST',
      `/api/v1/channels/${made.body.id}/test`,
    );
    // Its program knows another secret than the one we made.
    expect(test.body.steps.map(({ name, ok }) => [name, ok])).toEqual([
      ['settings', true],
      ['active', true],
      ['provider', false],
      ['door', true],
    ]);
    expect(other.forged).toBe(1);
    const changed = await gateway.call('PATCH', `/api/v1/channels/${made.body.id}`, {
      config: { secret: other.secret },
    });
    expect(changed.status).toBe(200);
    expect((await gateway.call('GET', `/api/v1/channels/${made.body.id}/health`)).body).toMatchObject({
      ok: true,
    });
    await other.close();
  });

  it.each(['ftp://example.com', 'http://169.254.169.254/latest', 'http://user:pass@example.com/'])(
    'calls back no %s',
    async (callback_url) => {
      const made = await gateway.call<{ error: unknown }>('POST', '/api/v1/channels', {
        type: 'api',
        config: { callback_url },
      });
      expect(made.status).toBe(422);
    },
  );
});
