import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/id.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import {
  change,
  contactOf,
  customerMessage,
  type FakeMeta,
  type FakePerson,
  startMeta,
  textMessage,
  webhook,
} from '../support/meta.ts';

const PUBLIC_URL = 'https://chat.example';

interface Message {
  id: string;
  type: string;
  content: string;
  status: string;
  error: { code: string; provider_code: string | null; message: string; retryable: boolean } | null;
  reactions: { emoji: string; sender: string }[];
  metadata: Record<string, unknown>;
  external_id: string | null;
  attempts?: { outcome: string | null; provider_code: string | null }[];
}

interface Refusal {
  error: { code: string; message: string; details: { field: string }[]; reply_window_expires_at?: string };
}

let gateway: TestGateway;
let meta: FakeMeta;
let channelId: string;
let door: string;

beforeAll(async () => {
  gateway = await startTestGateway({ publicUrl: PUBLIC_URL });
  meta = await startMeta({ route: (url) => url.replace(PUBLIC_URL, gateway.url) });
  const created = await gateway.call<{ id: string }>('POST', '/api/v1/channels', {
    type: 'whatsapp',
    config: meta.config,
  });
  expect(created.status, JSON.stringify(created.body)).toBe(201);
  channelId = created.body.id;
  door = `${PUBLIC_URL}/webhooks/whatsapp/${channelId}`;
});
afterAll(async () => {
  await gateway.stop();
  await meta.close();
});

async function api<T>(method: string, path: string, body?: unknown) {
  return gateway.call<T>(method, `/api/v1${path}`, body);
}

let people = 0;
/** Somebody who wrote just now, and the conversation that this opened. */
async function writer(): Promise<{ person: FakePerson & { waId: string }; id: string; wamid: string }> {
  people += 1;
  const person = { waId: `1650666${String(1000 + people)}`, name: `Writer ${people}` };
  const message = textMessage(person, 'Hello');
  await receive(person, message);
  const [row] = await gateway.pool<{ id: string }[]>`
    select id from conversations where channel_id = ${channelId} and thread_key = ${`+${person.waId}`}`;
  return { person, id: row?.id ?? '', wamid: String(message['id']) };
}

async function receive(person: FakePerson, ...messages: Record<string, unknown>[]): Promise<void> {
  const value = { contacts: [contactOf(person)], messages };
  expect(await meta.post(door, webhook(change(meta.phoneNumberId, value)))).toBe(200);
}

const post = (conversationId: string, body: Record<string, unknown>) =>
  api<Message & Refusal>('POST', `/conversations/${conversationId}/messages`, body);

async function write(conversationId: string, body: Record<string, unknown>): Promise<string> {
  const answer = await post(conversationId, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  return answer.body.id;
}

const messageNow = async (id: string) => (await api<Message>('GET', `/messages/${id}`)).body;

/** Waits for it in the database: asking the API over and over would reach its rate limit. */
async function settled(id: string, status: string): Promise<Message> {
  await eventually(async () => {
    const [row] = await gateway.pool`select status, error from messages where id = ${id}`;
    expect(row?.['status'], JSON.stringify(row?.['error'])).toBe(status);
  });
  return messageNow(id);
}

const takenAs = (text: string) => {
  const message = meta.taken.find((one) => one.text === text);
  if (message === undefined) throw new Error(`"${text}" was not taken`);
  return message;
};

const attemptsOf = (id: string) => gateway.pool<{ outcome: string | null }[]>`
  select outcome from attempts where subject_id = ${id} order by id`;

/** The customer wrote so long ago. */
async function ago(conversationId: string, hours: number): Promise<void> {
  await gateway.pool`
    update conversations set reply_window_expires_at = now() + make_interval(hours => ${24 - hours}) where id = ${conversationId}`;
}

describe('what became of a message', () => {
  it('is known whatever order Meta tells it in, and as often as it likes', async () => {
    const { id } = await writer();
    const messageId = await write(id, { content: 'in any order' });
    await settled(messageId, 'sent');
    const taken = takenAs('in any order');
    for (const status of ['read', 'delivered', 'read', 'sent', 'warped'])
      expect(await meta.tell(door, taken, status)).toBe(200);
    expect((await messageNow(messageId)).status).toBe('read');
    await meta.tell(door, taken, 'failed', { errors: [{ code: 131026, title: 'x' }] });
    expect((await messageNow(messageId)).status).toBe('read');
  });

  it('is known when the statuses come before the answer', async () => {
    const { id } = await writer();
    meta.tellFirst(door, 'sent', 'delivered');
    const messageId = await write(id, { content: 'told first' });
    const message = await settled(messageId, 'delivered');
    meta.tellLater();
    expect(message.external_id).toBe(takenAs('told first').id);
    expect(await attemptsOf(messageId)).toEqual([{ outcome: 'sent' }]);
  });

  it('is unknown when the answer is lost, is never sent again, and is known once a status names it', async () => {
    const { id } = await writer();
    meta.fail(/messages$/, 'drop');
    const messageId = await write(id, { content: 'lost answer' });
    expect((await settled(messageId, 'failed')).error?.code).toBe('outcome_unknown');
    await meta.tell(door, takenAs('lost answer'), 'delivered');
    const message = await settled(messageId, 'delivered');
    expect(message.error).toBeNull();
    expect(message.external_id).toBe(takenAs('lost answer').id);
    expect(meta.taken.filter(({ text }) => text === 'lost answer')).toHaveLength(1);
  });

  it('is a failure in words that can be read', async () => {
    const { id } = await writer();
    const messageId = await write(id, { content: 'fails later' });
    await settled(messageId, 'sent');
    const errors = [
      { code: 131049, title: 'Not delivered', error_data: { details: 'healthy ecosystem engagement' } },
    ];
    await meta.tell(door, takenAs('fails later'), 'failed', { errors, recipient_id: undefined });
    expect((await settled(messageId, 'failed')).error).toEqual({
      code: 'rejected',
      provider_code: '131049',
      message: expect.stringMatching(/holds it back.*\(healthy ecosystem engagement\)/),
      retryable: true,
    });
  });

  it('says nothing of messages that are not ours', async () => {
    const { id } = await writer();
    const messageId = await write(id, { content: 'ours' });
    await settled(messageId, 'sent');
    const foreign = {
      id: 'wamid.foreign',
      to: '1',
      type: 'text',
      text: '',
      body: { biz_opaque_callback_data: `${newId()}:0` },
    };
    expect(await meta.tell(door, foreign, 'read')).toBe(200);
    const guessed = { ...foreign, id: 'wamid.guessed', body: { biz_opaque_callback_data: `${messageId}:0` } };
    expect(await meta.tell(door, guessed, 'read')).toBe(200);
    expect((await messageNow(messageId)).status).toBe('sent');
  });
});

it('marks no message of a customer as failed, whatever a status says of it', async () => {
  const { id, person, wamid } = await writer();
  const taken = { id: wamid, to: person.waId, type: 'text', text: '', body: {} };
  for (const status of ['sent', 'read', 'failed'])
    expect(await meta.tell(door, taken, status, { errors: [{ code: 131026, title: 'x' }] })).toBe(200);
  const { body } = await api<{ messages: Message[] }>('GET', `/conversations/${id}`);
  expect(body.messages).toMatchObject([{ content: 'Hello', status: null, error: null, external_id: wamid }]);
});

describe('the 24-hour window', () => {
  it('counts from what the customer wrote, and no answer of ours prolongs it', async () => {
    const { id, person } = await writer();
    await ago(id, 23);
    await settled(await write(id, { content: 'just in time' }), 'sent');
    const window = async () => {
      const { body } = await api<{ reply_window_expires_at: string }>('GET', `/conversations/${id}`);
      return (Date.parse(body.reply_window_expires_at) - Date.now()) / 3_600_000;
    };
    expect(await window()).toBeLessThan(1.01);
    await receive(person, textMessage(person, 'again'));
    expect(await window()).toBeGreaterThan(23.9);
  });

  it('counts from when it was written, not from when it was told', async () => {
    const person = { waId: '16506660001', name: 'Late' };
    const written = Math.floor(Date.now() / 1000) - 20 * 3600;
    await receive(person, textMessage(person, 'told late', { timestamp: String(written) }));
    const [row] = await gateway.pool<{ hours: number }[]>`
      select extract(epoch from reply_window_expires_at - now())::float / 3600 as hours
      from conversations where thread_key = '+16506660001'`;
    expect(row?.hours).toBeGreaterThan(3.9);
    expect(row?.hours).toBeLessThan(4.1);
  });

  it('refuses what comes after it, but never a template or a note', async () => {
    const { id } = await writer();
    await ago(id, 25);
    const refused = await post(id, { content: 'too late' });
    expect(refused.status).toBe(422);
    expect(refused.body.error).toMatchObject({
      code: 'window_closed',
      reply_window_expires_at: expect.any(String),
    });
    expect((await post(id, { content: 'a note', type: 'note' })).status).toBe(202);
    define('after_hours', [{ type: 'BODY', text: 'May we write?' }]);
    await settled(await write(id, { template: { name: 'after_hours' } }), 'sent');
    expect(meta.taken.filter(({ text }) => text === 'too late')).toEqual([]);
  });

  it('is looked at again when a scheduled message is due, a failed one retried, and one that waited is sent', async () => {
    const { id } = await writer();
    const scheduled = await write(id, {
      content: 'scheduled',
      send_at: new Date(Date.now() + 3_600_000).toISOString(),
    });
    meta.fail(/messages$/, { status: 400, code: 131026 });
    const failed = await write(id, { content: 'refused once' });
    await settled(failed, 'failed');
    meta.fail(/messages$/, { status: 500, code: 131000 });
    const waiting = await write(id, { content: 'waiting' });
    await eventually(async () => expect(await attemptsOf(waiting)).toHaveLength(1));
    await ago(id, 25);
    await gateway.pool`update messages set send_at = now() where id = ${scheduled}`;
    expect((await settled(scheduled, 'failed')).error?.code).toBe('window_closed');
    expect((await settled(waiting, 'failed')).error?.code).toBe('window_closed');
    const retried = await api<Refusal>('POST', `/messages/${failed}/retry`);
    expect([retried.status, retried.body.error.code]).toEqual([422, 'window_closed']);
    expect(meta.taken.filter(({ text }) => ['scheduled', 'waiting', 'refused once'].includes(text))).toEqual(
      [],
    );
  });

  it('is closed for whoever never wrote', async () => {
    const to = '+16507770000';
    const refused = await api<Refusal>('POST', '/messages', {
      channel_id: channelId,
      to,
      content: 'cold call',
    });
    expect([refused.status, refused.body.error.code]).toEqual([422, 'window_closed']);
    const [none] = await gateway.pool`select 1 from conversations where thread_key = ${to}`;
    expect(none).toBeUndefined();
  });
});

function define(name: string, components: Record<string, unknown>[], fields = {}): void {
  const template = { id: newId(), name, language: 'en_US', status: 'APPROVED', category: 'UTILITY' };
  meta.templates.push({ ...template, parameter_format: 'POSITIONAL', components, ...fields });
}

describe('templates', () => {
  const list = (query = '') =>
    api<{ data: { name: string; language: string; status: string }[]; meta: { synced_at: string } }>(
      'GET',
      `/channels/${channelId}/templates${query}`,
    );

  it('are listed as Meta has them, by name, filtered and page by page', async () => {
    define('b_two', [{ type: 'BODY', text: 'Two' }]);
    define('b_two', [{ type: 'BODY', text: 'Zwei' }], { language: 'de' });
    define('b_one', [{ type: 'BODY', text: 'One' }], { status: 'REJECTED' });
    const { body } = await list('?refresh=true');
    const ours = body.data.filter(({ name }) => name.startsWith('b_'));
    expect(ours.map(({ name, language, status }) => [name, language, status])).toEqual([
      ['b_one', 'en_US', 'rejected'],
      ['b_two', 'de', 'approved'],
      ['b_two', 'en_US', 'approved'],
    ]);
    expect(body.meta.synced_at).not.toBeNull();
    expect((await list('?name=b_two&language=de')).body.data).toHaveLength(1);
    expect((await list('?status=rejected')).body.data.map(({ name }) => name)).toEqual(['b_one']);
    const before = meta.calls.length;
    await list();
    expect(meta.calls).toHaveLength(before);
  });

  it('are checked before they are sent', async () => {
    const { id } = await writer();
    define('checked', [
      { type: 'HEADER', format: 'TEXT', text: 'Order {{1}}' },
      { type: 'BODY', text: 'Hi {{1}}, it comes {{2}}.' },
      { type: 'BUTTONS', buttons: [{ type: 'URL', text: 'Track', url: 'https://t.example/{{1}}' }] },
    ]);
    define('with_picture', [
      { type: 'HEADER', format: 'IMAGE' },
      { type: 'BODY', text: 'Look' },
    ]);
    const whole = { name: 'checked', header: '1', body: ['Ann', 'today'], buttons: { 0: 'x' } };
    const cases: [Record<string, unknown>, string, Record<string, unknown>?][] = [
      [{ name: 'unheard_of' }, 'template.name'],
      [{ name: 'b_one' }, 'template.name'],
      [{ name: 'b_two' }, 'template.language'],
      [{}, 'template.name'],
      [{ ...whole, body: ['Ann'] }, 'template.body'],
      [{ ...whole, body: ['Ann', 'today', 'or later'] }, 'template.body'],
      [{ ...whole, body: ['Ann', ' '] }, 'template.body'],
      [{ ...whole, body: ['Ann', 'to\nday'] }, 'template.body'],
      [{ ...whole, header: undefined }, 'template.header'],
      [{ ...whole, header: { latitude: 1, longitude: 1 } }, 'template.header'],
      [{ ...whole, buttons: {} }, 'template.buttons.0'],
      [{ ...whole, buttons: { 0: 'x', 3: 'y' } }, 'template.buttons.3'],
      [{ name: 'with_picture' }, 'attachments'],
      [whole, 'template', { content: 'and words' }],
      [whole, 'template', { type: 'note' }],
    ];
    for (const [template, field, more] of cases) {
      const refused = await post(id, { template, ...more });
      expect(refused.status, JSON.stringify(template)).toBe(422);
      expect(refused.body.error.details[0]?.field, JSON.stringify(template)).toBe(field);
    }
    expect(meta.taken.filter(({ text }) => text === 'checked')).toEqual([]);
    const message = await settled(await write(id, { template: whole }), 'sent');
    expect(message).toMatchObject({ type: 'template', content: 'Order 1\n\nHi Ann, it comes today.' });
    expect(message.metadata).toMatchObject({ template: { name: 'checked', language: 'en_US' } });
  });

  it('bring a file in their header', async () => {
    const { id } = await writer();
    define('poster', [
      { type: 'HEADER', format: 'IMAGE' },
      { type: 'BODY', text: 'Look at this' },
    ]);
    const form = new FormData();
    form.set('file', new File(['bytes of a poster'], 'poster.png', { type: 'image/png' }));
    const upload = await api<{ url: string }>('POST', `/conversations/${id}/upload`, form);
    const messageId = await write(id, { template: { name: 'poster' }, attachments: [upload.body.url] });
    await settled(messageId, 'sent');
    const { components } = takenAs('poster').body['template'] as { components: unknown[] };
    expect(components).toMatchObject([{ type: 'header', parameters: [{ type: 'image' }] }]);
  });

  it('open a conversation with whoever never wrote', async () => {
    define('opening', [{ type: 'BODY', text: 'Hi {{1}}' }]);
    const customer = await api<{ id: string }>('POST', '/customers', { name: 'Cold', phone: '+16508880000' });
    const start = { business_id: gateway.businessId, channel_id: channelId, customer_id: customer.body.id };
    const closed = await api<Refusal>('POST', '/conversations', { ...start, initial_message: 'Hi' });
    expect([closed.status, closed.body.error.code]).toEqual([422, 'window_closed']);
    const opened = await api<{ id: string; first_response_at: string; messages: Message[] }>(
      'POST',
      '/conversations',
      {
        ...start,
        template: { name: 'opening', body: ['Ann'] },
      },
    );
    expect(opened.status, JSON.stringify(opened.body)).toBe(201);
    expect(opened.body.messages).toMatchObject([{ type: 'template', content: 'Hi Ann' }]);
    await settled(opened.body.messages[0]?.id ?? '', 'sent');
    expect(takenAs('opening').to).toBe('16508880000');
  });

  it('are nothing that other channels have', async () => {
    const { body } = await api<Refusal>('POST', '/conversations', {
      business_id: gateway.businessId,
      channel_id: gateway.channelId,
      template: { name: 'opening' },
    });
    expect(body.error.details[0]?.field).toBe('template');
    const none = await api<{ data: unknown[] }>('GET', `/channels/${gateway.channelId}/templates`);
    expect([none.status, none.body.data]).toEqual([200, []]);
  });
});

describe('what Meta does not take', () => {
  it('waits four times as long each time, while one customer gets too much', async () => {
    const { id } = await writer();
    meta.fail(/messages$/, { status: 400, code: 131056 }, 3);
    const messageId = await write(id, { content: 'paired' });
    const waits: number[] = [];
    for (let tries = 1; tries <= 3; tries += 1) {
      await eventually(async () =>
        expect(
          (await attemptsOf(messageId)).filter(({ outcome }) => outcome === 'rate_limited'),
        ).toHaveLength(tries),
      );
      const row = await eventually(async () => {
        const [found] = await gateway.pool<{ wait: number }[]>`
          select round(extract(epoch from m.next_attempt_at - a.finished_at))::int as wait from messages m
          join lateral (select finished_at from attempts where subject_id = m.id order by id desc limit 1) a on true
          where m.id = ${messageId} and m.next_attempt_at is not null`;
        expect(found).toBeDefined();
        return found;
      });
      waits.push(row?.wait ?? 0);
      await api('POST', `/messages/${messageId}/retry`);
    }
    expect(waits).toEqual([1, 4, 16]);
    await settled(messageId, 'sent');
  });

  it('for its credentials breaks the channel once, and spares the messages behind their tries', async () => {
    const created = await api<{ id: string }>('POST', '/channels', {
      type: 'whatsapp',
      config: meta.addNumber('300000000000001'),
    });
    const [first, second] = [await writerOn(created.body.id), await writerOn(created.body.id)];
    meta.fail(/^300000000000001\/messages$/, { status: 401, code: 190, details: 'Session has expired' }, 100);
    const refused = await settled(await write(first, { content: 'refused' }), 'failed');
    expect(refused.error).toMatchObject({ code: 'rejected', provider_code: '190', retryable: true });
    const before = meta.calls.length;
    const spared = await settled(await write(second, { content: 'not even tried' }), 'failed');
    expect(spared.error?.code).toBe('channel_error');
    expect(meta.calls.slice(before).filter(({ path }) => path.startsWith('300000000000001/'))).toEqual([]);
    const events = await api<{ data: { type: string; data: { channel_id: string } }[] }>(
      'GET',
      '/events?types=channel.error&limit=100',
    );
    expect(events.body.data.filter(({ data }) => data.channel_id === created.body.id)).toHaveLength(1);
    const channel = await api<{ broken_reason: string }>('GET', `/channels/${created.body.id}`);
    expect(channel.body.broken_reason).toContain('access token');

    meta.heal();
    expect((await api<{ ok: boolean }>('GET', `/channels/${created.body.id}/health`)).body.ok).toBe(true);
    await api('POST', `/messages/${refused.id}/retry`);
    await settled(refused.id, 'sent');

    const taken = takenAs('refused');
    const address = `${PUBLIC_URL}/webhooks/whatsapp/${created.body.id}`;
    const errors = [{ code: 131042, title: 'Payment issue' }];
    const status = {
      id: taken.id,
      status: 'failed',
      timestamp: String(Math.floor(Date.now() / 1000)),
      errors,
    };
    await meta.post(address, webhook(change('300000000000001', { statuses: [status] })));
    expect((await settled(refused.id, 'failed')).error?.provider_code).toBe('131042');
    const unpaid = await api<{ broken_reason: string }>('GET', `/channels/${created.body.id}`);
    expect(unpaid.body.broken_reason).toContain('payment method');
    await api('DELETE', `/channels/${created.body.id}`);
  });

  async function writerOn(channel: string): Promise<string> {
    people += 1;
    const person = { waId: `1650666${String(1000 + people)}`, name: `Writer ${people}` };
    const value = { contacts: [contactOf(person)], messages: [textMessage(person, 'Hello')] };
    const address = `${PUBLIC_URL}/webhooks/whatsapp/${channel}`;
    expect(await meta.post(address, webhook(change('300000000000001', value)))).toBe(200);
    const [row] = await gateway.pool<{ id: string }[]>`
      select id from conversations where channel_id = ${channel} and thread_key = ${`+${person.waId}`}`;
    return row?.id ?? '';
  }
});

describe('an agent', () => {
  it('asks with buttons, and the answer is the choice', async () => {
    const { id, person } = await writer();
    const card = {
      title: 'Which size?',
      actions: [
        { label: 'Small', action: 's' },
        { label: 'Large', action: 'l' },
      ],
    };
    const asked = await write(id, { type: 'card', card });
    await settled(asked, 'sent');
    const taken = takenAs('*Which size?*');
    const { buttons } = (
      taken.body['interactive'] as { action: { buttons: { reply: { id: string; title: string } }[] } }
    ).action;
    const reply = customerMessage(
      person,
      { interactive: { type: 'button_reply', button_reply: buttons[1]?.reply } },
      { context: { from: '15550783881', id: taken.id } },
    );
    await receive(person, reply);
    const { body } = await api<{ messages: (Message & { reply_to_id: string })[] }>(
      'GET',
      `/conversations/${id}`,
    );
    expect(body.messages.at(-1)).toMatchObject({
      content: 'Large',
      reply_to_id: asked,
      choice: { message_id: asked, number: 2, label: 'Large', action: 'l' },
    });
  });

  it('reacts to a message, which the customer sees, and takes it back', async () => {
    const { id, wamid, person } = await writer();
    const { body } = await api<{ messages: Message[] }>('GET', `/conversations/${id}`);
    const messageId = body.messages[0]?.id ?? '';
    const put = await api<Message>('PUT', `/messages/${messageId}/reaction`, { emoji: '🎉' });
    expect(put.status, JSON.stringify(put.body)).toBe(200);
    expect(put.body.reactions).toEqual([{ emoji: '🎉', sender: 'business' }]);
    expect(meta.reactions.at(-1)).toEqual({ to: person.waId, message_id: wamid, emoji: '🎉' });
    await receive(person, customerMessage(person, { reaction: { message_id: wamid, emoji: '😮' } }));
    expect((await messageNow(messageId)).reactions).toHaveLength(2);
    const removed = await api<Message>('DELETE', `/messages/${messageId}/reaction`);
    expect(removed.body.reactions.map(({ emoji }) => emoji)).toEqual(['😮']);
    expect(meta.reactions.at(-1)).toMatchObject({ emoji: '' });

    meta.fail(/messages$/, { status: 400, code: 131009, details: 'message not found' });
    const refused = await api<Refusal>('PUT', `/messages/${messageId}/reaction`, { emoji: '🎉' });
    expect([refused.status, refused.body.error.code]).toEqual([409, 'conflict']);
    expect((await messageNow(messageId)).reactions.map(({ emoji }) => emoji)).toEqual(['😮']);
    await ago(id, 25);
    expect((await api<Refusal>('PUT', `/messages/${messageId}/reaction`, { emoji: '🎉' })).status).toBe(422);
  });

  it('has no reactions where the channel has none', async () => {
    const opened = await api<{ messages: Message[] }>('POST', '/conversations', {
      business_id: gateway.businessId,
      channel_id: gateway.channelId,
      initial_message: 'web chat',
    });
    const answer = await api<Refusal>('PUT', `/messages/${opened.body.messages[0]?.id}/reaction`, {
      emoji: '🎉',
    });
    expect(answer.status).toBe(409);
  });

  it('is seen reading and typing', async () => {
    const { id, wamid } = await writer();
    await api('POST', `/conversations/${id}/typing`, { is_typing: true });
    await eventually(() =>
      expect(meta.seen).toContainEqual(
        expect.objectContaining({ message_id: wamid, typing_indicator: { type: 'text' } }),
      ),
    );
    await api('POST', `/conversations/${id}/read`, { up_to_seq: 1 });
    await eventually(() =>
      expect(meta.seen).toContainEqual({ messaging_product: 'whatsapp', status: 'read', message_id: wamid }),
    );
  });

  it('answers a message, and the customer an answer', async () => {
    const { id, person, wamid } = await writer();
    const { body } = await api<{ messages: Message[] }>('GET', `/conversations/${id}`);
    const answered = await write(id, { content: 'as an answer', reply_to_id: body.messages[0]?.id });
    await settled(answered, 'sent');
    const taken = takenAs('as an answer');
    expect(taken.body['context']).toEqual({ message_id: wamid });
    await receive(person, textMessage(person, 'to that', { context: { from: '1', id: taken.id } }));
    const [row] =
      await gateway.pool`select reply_to_id from messages where conversation_id = ${id} and content = 'to that'`;
    expect(row?.['reply_to_id']).toBe(answered);
  });
});
