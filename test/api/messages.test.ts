import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { botKey, busyTelegram, eventTypes, eventually, telegramChannel } from '../support/inbox.ts';

interface Message {
  id: string;
  seq: number | null;
  conversation_id: string;
  direction: string;
  sender_type: string;
  sender_id: string | null;
  type: string;
  content: string;
  card: unknown;
  status: string | null;
  blocked_by: string | null;
  reply_to_id: string | null;
  attachments: { name: string; url: string | null; state: string }[];
  attempts: { outcome: string | null; meaning: string }[];
}
interface Refusal {
  error: { code: string; last_seq?: number; details: { field: string }[] };
}
interface Page {
  data: Message[];
  meta: { next_cursor: string | null; has_more: boolean };
}

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());

async function conversation(fields: Record<string, unknown> = {}): Promise<string> {
  const body = { business_id: gateway.businessId, ...fields };
  return (await gateway.call<{ id: string }>('POST', '/api/v1/conversations', body)).body.id;
}

const write = <T = Message>(id: string, body: unknown, key = gateway.apiKey) =>
  gateway.call<T>('POST', `/api/v1/conversations/${id}/messages`, body, { key });
const messagesOf = async (id: string, query = '') =>
  (await gateway.call<Page>('GET', `/api/v1/conversations/${id}/messages${query}`)).body;
const detail = async (id: string) => (await gateway.call<Message>('GET', `/api/v1/messages/${id}`)).body;

/** A message of the customer, as ingest stores it. */
async function customerWrites(id: string, content = 'hello'): Promise<number> {
  const [row] = await gateway.pool<{ seq: number }[]>`
    with counted as (
      update conversations set last_message_seq = last_message_seq + 1, last_public_seq = last_message_seq + 1,
        unread_count = unread_count + 1
      where id = ${id} returning id, business_id, channel_id, last_message_seq
    )
    insert into messages (id, business_id, conversation_id, channel_id, seq, direction, sender_type, type, content)
    select ${crypto.randomUUID()}, business_id, id, channel_id, last_message_seq, 'inbound', 'customer', 'text', ${content}
    from counted returning seq`;
  return row?.seq ?? 0;
}

describe('writing', () => {
  it('gives 50 concurrent replies one gap-free sequence', async () => {
    const id = await conversation();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => write(id, { content: `reply ${n}` })),
    );
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([202]));
    const seqs = answers.map((answer) => answer.body.seq ?? 0).sort((a, b) => a - b);
    expect(seqs).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
  });

  it('refuses of many at once only what it must, and takes what is repeated once', async () => {
    const [one, other] = [await conversation(), await conversation()];
    const good = [one, other, one, other, one].map((id, n) => write(id, { content: `good ${n}` }));
    const repeated = [1, 2, 3].map(() => write(one, { content: 'again', client_message_id: 'at once' }));
    const foreign = write(one, { content: 'to whom?', reply_to_id: crypto.randomUUID() });
    const nowhere = write(crypto.randomUUID(), { content: 'anybody there?' });
    const statuses = (answers: { status: number }[]) => new Set(answers.map(({ status }) => status));
    expect(statuses(await Promise.all([...good, ...repeated]))).toEqual(new Set([202]));
    expect(new Set((await Promise.all(repeated)).map(({ body }) => body.id)).size).toBe(1);
    expect([(await foreign).status, (await nowhere).status]).toEqual([422, 404]);
    expect((await messagesOf(one)).data.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect((await messagesOf(other)).data.map(({ seq }) => seq)).toEqual([1, 2]);
  });

  it('queues and sends, and stamps the first response of an agent only', async () => {
    const id = await conversation();
    const stamp = async () =>
      (await gateway.call<{ first_response_at: string | null }>('GET', `/api/v1/conversations/${id}`)).body
        .first_response_at;
    await write(id, { content: 'beep' }, await botKey(gateway));
    await write(id, { content: 'between us', type: 'note' });
    expect(await stamp()).toBeNull();
    const answer = await write(id, { content: 'Hi Alex!' });
    expect(answer).toMatchObject({
      status: 202,
      body: {
        status: 'queued',
        sender_type: 'agent',
        sender_id: gateway.agentId,
        direction: 'outbound',
        seq: 3,
      },
    });
    expect(await stamp()).not.toBeNull();
    await eventually(async () => (await detail(answer.body.id)).status === 'sent');
    const { data } = await messagesOf(id);
    expect(data.map((one) => one.sender_type)).toEqual(['bot', 'agent', 'agent']);
  });

  it('takes the three messages that product B prints', async () => {
    const id = await conversation();
    expect((await write(id, { type: 'text', content: 'Hello, how can I help?' })).body).toMatchObject({
      type: 'text',
    });
    const attachment = await write(id, {
      type: 'attachment',
      content: 'Here is the document you requested.',
      attachments: [
        {
          name: 'invoice.pdf',
          url: 'https://example.com/invoice.pdf',
          type: 'application/pdf',
          size: 102400,
        },
      ],
    });
    expect(attachment.body).toMatchObject({
      type: 'attachment',
      attachments: [{ name: 'invoice.pdf', state: 'pending' }],
    });
    const card = {
      title: 'Order #12345',
      description: 'Your order has been shipped',
      actions: [
        { label: 'Track Package', url: 'https://example.com/track' },
        { label: 'View Order', action: 'view_order' },
      ],
    };
    const content =
      'Order #12345\nYour order has been shipped\n\nTrack Package: https://example.com/track\n1. View Order';
    expect((await write(id, { type: 'card', content: card })).body).toMatchObject({
      type: 'card',
      card,
      content,
    });
    expect((await write(id, { type: 'card', card })).body).toMatchObject({ type: 'card', card, content });
  });

  it('replies and notes in the words of product B', async () => {
    const id = await conversation();
    const reply = (body: unknown) => gateway.call<Message>('POST', `/api/v1/conversations/${id}/reply`, body);
    expect(await reply({ message: 'Thanks!', type: 'reply' })).toMatchObject({
      status: 202,
      body: { type: 'text' },
    });
    expect(await reply({ message: 'Escalate?', type: 'note' })).toMatchObject({
      status: 202,
      body: { type: 'note', direction: 'internal', status: null },
    });
    expect((await reply({ message: ' ' })).status).toBe(422);
  });

  it('takes null for what may be left out, as it reads back', async () => {
    const id = await conversation();
    const unsaid = {
      html: null,
      type: null,
      card: null,
      attachments: null,
      reply_to_id: null,
      send_at: null,
    };
    const { status, body } = await write(id, { content: 'hello', subject: null, template: null, ...unsaid });
    expect([status, body]).toMatchObject([202, { type: 'text', content: 'hello', email: null }]);
    const reply = { message: 'hello', type: null, attachments: null };
    expect((await gateway.call('POST', `/api/v1/conversations/${id}/reply`, reply)).status).toBe(202);
    const rated = await gateway.call('POST', `/api/v1/conversations/${id}/csat`, { score: 5, comment: null });
    expect(rated.status).toBe(201);
    expect((await write<Refusal>(id, { content: null })).body.error.details[0]?.field).toBe('content');
  });

  it('names the field of what it refuses', async () => {
    const id = await conversation();
    const cases: [unknown, string][] = [
      [{}, 'content'],
      [{ content: ' ' }, 'content'],
      [{ content: 'x', type: 'attachment' }, 'attachments'],
      [{ content: 'x', type: 'card' }, 'card'],
      [{ content: 'x', reply_to_id: crypto.randomUUID() }, 'reply_to_id'],
      [{ content: 'x', attachments: ['http://10.0.0.1/x'] }, 'attachments.0.url'],
      [{ content: 'x', attachments: [{ id: crypto.randomUUID() }] }, 'attachments.0.id'],
      [{ content: 'x', send_at: 'tomorrow' }, 'send_at'],
      [{ content: 'x', cc: ['nobody'] }, 'cc.0'],
    ];
    for (const [body, field] of cases) {
      const answer = await write<Refusal>(id, body);
      expect([answer.status, answer.body.error.details[0]?.field], JSON.stringify(body)).toEqual([
        422,
        field,
      ]);
    }
    expect(await messagesOf(id)).toMatchObject({ data: [] });
  });

  it('refuses with if_last_seq when somebody wrote since, and ignores notes and the timeline there', async () => {
    const id = await conversation();
    const seq = await customerWrites(id);
    await write(id, { content: 'a note', type: 'note' });
    await gateway.call('PUT', `/api/v1/conversations/${id}/resolve`);
    expect((await write(id, { content: 'in time', if_last_seq: seq })).status).toBe(202);
    const late = await write<Refusal>(id, { content: 'late', if_last_seq: seq });
    expect([late.status, late.body.error.code, late.body.error.last_seq]).toEqual([409, 'conflict', 4]);
  });

  it('takes the same client_message_id once', async () => {
    const id = await conversation();
    const first = await write(id, { content: 'once', client_message_id: 'c-1' });
    const second = await write(id, { content: 'once', client_message_id: 'c-1' });
    expect(second.body.id).toBe(first.body.id);
    expect((await messagesOf(id)).data.length).toBe(1);
  });

  it('answers a message of the same conversation only', async () => {
    const id = await conversation();
    await customerWrites(id);
    const [original] = (await messagesOf(id)).data;
    expect((await write(id, { content: 'about that', reply_to_id: original?.id })).body.reply_to_id).toBe(
      original?.id,
    );
    expect((await write(await conversation(), { content: 'x', reply_to_id: original?.id })).status).toBe(422);
  });

  it('ends a hand-off when an agent writes, not when a bot does', async () => {
    const id = await conversation();
    await gateway.call('POST', `/api/v1/conversations/${id}/handoff`, { reason: 'complex_issue' });
    const flagged = async () =>
      (await gateway.call<{ needs_human_handoff: boolean }>('GET', `/api/v1/conversations/${id}`)).body
        .needs_human_handoff;
    await write(id, { content: 'beep' }, await botKey(gateway));
    expect(await flagged()).toBe(true);
    await write(id, { content: 'I am here' });
    expect(await flagged()).toBe(false);
  });
});

describe('reading', () => {
  it('pages forwards, backwards and by cursor, always oldest first', async () => {
    const id = await conversation();
    for (let n = 1; n <= 7; n += 1) await write(id, { content: String(n) });
    const texts = (page: Page) => page.data.map((one) => one.content).join('');
    const first = await messagesOf(id, '?limit=3');
    expect([texts(first), first.meta.has_more]).toEqual(['123', true]);
    expect(texts(await messagesOf(id, `?limit=3&cursor=${first.meta.next_cursor}`))).toBe('456');
    const last = await messagesOf(id, '?limit=3&after_seq=6');
    expect([texts(last), last.meta]).toEqual(['7', { next_cursor: null, has_more: false }]);
    expect(texts(await messagesOf(id, '?limit=3&page=3'))).toBe('7');
    expect(texts(await messagesOf(id, '?limit=3&before_seq=6'))).toBe('345');
    expect(texts(await messagesOf(id, '?after_seq=2&before_seq=5'))).toBe('34');
    await write(id, { content: '8', send_at: '2999-01-01T00:00:00Z' });
    const newest = async (count: number) => {
      const { body } = await gateway.call<{ messages: Message[]; messages_has_more: boolean }>(
        'GET',
        `/api/v1/conversations/${id}?messages=${count}`,
      );
      return [body.messages.map((one) => one.content).join(''), body.messages_has_more];
    };
    expect(await newest(0)).toEqual(['', true]);
    expect(await newest(3)).toEqual(['678', true]);
    expect(await newest(100_000)).toEqual(['12345678', false]);
  });

  it('counts what agents have not read, and reads only forwards', async () => {
    const id = await conversation();
    for (let n = 0; n < 3; n += 1) await customerWrites(id);
    const read = async (up_to_seq?: number) =>
      (
        await gateway.call<{ unread_count: number }>('POST', `/api/v1/conversations/${id}/read`, {
          up_to_seq,
        })
      ).body.unread_count;
    expect(await read(2)).toBe(1);
    expect(await read(1)).toBe(1);
    expect(await read()).toBe(0);
  });

  it('shows how far both sides have read, and makes unread again what should be looked at once more', async () => {
    const id = await conversation();
    for (let n = 0; n < 3; n += 1) await customerWrites(id);
    await write(id, { content: 'an answer' });
    const ask = async (verb: string, body: object) =>
      (await gateway.call<{ unread_count: number }>('POST', `/api/v1/conversations/${id}/${verb}`, body)).body
        .unread_count;
    const positions = async () => {
      const { body } = await gateway.call<Record<string, number>>('GET', `/api/v1/conversations/${id}`);
      return [body['agent_read_seq'], body['customer_read_seq'], body['unread_count']];
    };
    expect(await ask('read', {})).toBe(0);
    expect(await positions()).toEqual([4, 0, 0]);
    expect(await ask('unread', {})).toBe(1);
    expect(await positions()).toEqual([2, 0, 1]);
    expect(await ask('unread', {})).toBe(1);
    expect(await ask('unread', { from_seq: 2 })).toBe(2);
    expect(await ask('unread', { from_seq: 3 })).toBe(2);
    await customerWrites(id);
    expect(await positions()).toEqual([1, 0, 3]);
  });
});

describe('scheduled messages', () => {
  it('go when their time has come and get their seq then', async () => {
    const id = await conversation();
    const scheduled = await write(id, { content: 'later', send_at: '2999-01-01T00:00:00Z' });
    expect(scheduled.body).toMatchObject({ status: 'scheduled', seq: null });
    await write(id, { content: 'now' });
    expect((await messagesOf(id)).data.map((one) => one.content)).toEqual(['now']);
    await gateway.pool`update messages set send_at = now() where id = ${scheduled.body.id}`;
    await eventually(async () => (await detail(scheduled.body.id)).status === 'sent');
    expect((await messagesOf(id)).data.map((one) => [one.seq, one.content])).toEqual([
      [1, 'now'],
      [2, 'later'],
    ]);
  });

  it('can be canceled, also by an answer of the customer', async () => {
    const id = await conversation();
    const byHand = await write(id, { content: 'by hand', send_at: '2999-01-01T00:00:00Z' });
    expect((await gateway.call<Message>('DELETE', `/api/v1/messages/${byHand.body.id}`)).body.status).toBe(
      'canceled',
    );
    expect((await gateway.call('DELETE', `/api/v1/messages/${byHand.body.id}`)).status).toBe(200);
    const unanswered = await write(id, {
      content: 'are you there?',
      send_at: '2999-01-01T00:00:00Z',
      cancel_on_reply: true,
    });
    await customerWrites(id);
    await gateway.pool`update messages set send_at = now() where id = ${unanswered.body.id}`;
    await eventually(async () => (await detail(unanswered.body.id)).status === 'canceled');
  });
});

describe('messages that a provider does not take', () => {
  let telegram: Awaited<ReturnType<typeof busyTelegram>>;
  beforeAll(async () => {
    telegram = await busyTelegram();
  });
  afterAll(() => telegram.close());

  async function failing() {
    const channel_id = await telegramChannel(gateway, telegram.url);
    const answer = await gateway.call<Message>('POST', '/api/v1/messages', {
      channel_id,
      to: '4711',
      content: 'first',
    });
    expect(answer.status).toBe(202);
    await eventually(async () => (await detail(answer.body.id)).attempts.length > 0);
    return answer.body;
  }

  it('show their tries in plain words, what waits behind them, and can be let pass, hastened and canceled', async () => {
    const first = await failing();
    const second = await write(first.conversation_id, { content: 'second' });
    expect((await detail(second.body.id)).blocked_by).toBe(first.id);
    await eventually(async () => (await detail(first.id)).attempts[0]?.outcome === 'deferred');
    expect((await detail(first.id)).attempts[0]?.meaning).toMatch(/tried again/);
    expect((await gateway.call<Message>('POST', `/api/v1/messages/${first.id}/skip`)).status).toBe(200);
    await eventually(async () => (await detail(second.body.id)).attempts.length > 0);
    expect((await detail(second.body.id)).blocked_by).toBeNull();
    const tries = (await detail(first.id)).attempts.length;
    expect((await gateway.call('POST', `/api/v1/messages/${first.id}/retry`)).status).toBe(200);
    await eventually(async () => (await detail(first.id)).attempts.length > tries);
    await eventually(
      async () => (await gateway.call('DELETE', `/api/v1/messages/${first.id}`)).status === 200,
    );
    expect((await detail(first.id)).status).toBe('canceled');
  });

  it('never see a note', async () => {
    const { conversation_id } = await failing();
    const note = await write(conversation_id, { content: 'between us', type: 'note' });
    await eventually(
      async () =>
        (await eventTypes(gateway, conversation_id)).filter((type) => type === 'message.created').length ===
        2,
    );
    expect(await detail(note.body.id)).toMatchObject({ status: null, blocked_by: null, attempts: [] });
    expect(telegram.bodies.join()).not.toContain('between us');
    expect(telegram.bodies.join()).toContain('first');
  });

  it('are sent again as a new generation once they have failed', async () => {
    const { id } = await failing();
    // What comes of a try that is under way would count anew.
    await eventually(async () => (await detail(id)).attempts[0]?.outcome === 'deferred');
    await gateway.pool`update messages set tries = 99 where id = ${id}`;
    await gateway.call('POST', `/api/v1/messages/${id}/retry`);
    await eventually(async () => (await detail(id)).status === 'failed');
    const again = await gateway.call<Message>('POST', `/api/v1/messages/${id}/retry`);
    expect(again).toMatchObject({ status: 200, body: { status: 'queued', error: null } });
    const [row] = await gateway.pool`select generation, tries from messages where id = ${id}`;
    expect(row).toMatchObject({ generation: 2 });
  });

  it('are not sent again once they were sent', async () => {
    const { body } = await write(await conversation(), { content: 'gone' });
    await eventually(async () => (await detail(body.id)).status === 'sent');
    expect((await gateway.call('POST', `/api/v1/messages/${body.id}/retry`)).status).toBe(409);
  });
});

describe('writing to an address', () => {
  it('makes one customer and one conversation of concurrent first messages', async () => {
    const channel_id = await telegramChannel(gateway);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        gateway.call<Message>('POST', '/api/v1/messages', {
          channel_id,
          to: '99887766',
          content: `hello ${n}`,
          customer: { name: 'Grace', email: 'grace@example.com' },
        }),
      ),
    );
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([202]));
    expect(new Set(answers.map((answer) => answer.body.conversation_id)).size).toBe(1);
    const customers = await gateway.pool`
      select c.name, c.email from identities i join customers c on c.id = i.customer_id where i.channel_id = ${channel_id}`;
    expect(customers).toEqual([{ name: 'Grace', email: 'grace@example.com' }]);
  });

  it('says when nobody can be reached there', async () => {
    const channel_id = await telegramChannel(gateway);
    const answer = await gateway.call<Refusal>('POST', '/api/v1/messages', {
      channel_id,
      to: 'nobody@example.com',
      content: 'x',
    });
    expect([answer.status, answer.body.error.code, answer.body.error.details[0]?.field]).toEqual([
      422,
      'no_recipient',
      'to',
    ]);
    const foreign = await gateway.call<Refusal>('POST', '/api/v1/messages', {
      channel_id: crypto.randomUUID(),
      to: '1',
      content: 'x',
    });
    expect(foreign.status).toBe(400);
  });
});
