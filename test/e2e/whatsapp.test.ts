import fc from 'fast-check';
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
  seq: number;
  type: string;
  direction: string;
  sender_type: string;
  content: string;
  status: string | null;
  error: { code: string; provider_code: string | null; message: string; retryable: boolean } | null;
  reply_to_id: string | null;
  reactions: { emoji: string; sender: string }[];
  attachments: { name: string; state: string; size: number | null }[];
  metadata: Record<string, unknown>;
  edited_at: string | null;
  deleted_at: string | null;
  next_attempt_at: string | null;
  external_id: string | null;
}

interface Conversation {
  id: string;
  customer_id: string;
  reply_window_expires_at: string | null;
  unread_count: number;
  first_response_at: string | null;
  messages: Message[];
}

let gateway: TestGateway;
let meta: FakeMeta;
let channelId: string;
let door: string;

beforeAll(async () => {
  gateway = await startTestGateway({ publicUrl: PUBLIC_URL });
  meta = await startMeta({ route: (url) => url.replace(PUBLIC_URL, gateway.url) });
  const created = await gateway.call<{ id: string; setup: { done: string[]; todo: string[] } }>(
    'POST',
    '/api/v1/channels',
    { type: 'whatsapp', config: meta.config },
  );
  expect(created.status, JSON.stringify(created.body)).toBe(201);
  channelId = created.body.id;
  door = `${PUBLIC_URL}/webhooks/whatsapp/${channelId}`;
});
afterAll(async () => {
  await gateway.stop();
  await meta.close();
});

let people = 0;
/** Somebody who never wrote before. */
function somebody(fields: FakePerson = {}): FakePerson & { waId: string } {
  people += 1;
  return { waId: `1650555${String(1000 + people)}`, name: `Person ${people}`, ...fields };
}

async function receive(person: FakePerson, ...messages: Record<string, unknown>[]): Promise<void> {
  const value = { contacts: [contactOf(person)], messages };
  expect(await meta.post(door, webhook(change(meta.phoneNumberId, value)))).toBe(200);
}

async function api<T>(method: string, path: string, body?: unknown) {
  return gateway.call<T>(method, `/api/v1${path}`, body);
}

async function conversationsOf(person: FakePerson): Promise<Conversation[]> {
  const list = await api<{ data: { id: string; customer: { name: string | null } | null }[] }>(
    'GET',
    `/conversations?channel_id=${channelId}&limit=100`,
  );
  const own = list.body.data.filter(({ customer }) => customer?.name === person.name);
  return Promise.all(
    own.map(async ({ id }) => (await api<Conversation>('GET', `/conversations/${id}`)).body),
  );
}

async function conversationOf(person: FakePerson): Promise<Conversation> {
  const [conversation, ...others] = await conversationsOf(person);
  expect(others).toEqual([]);
  return conversation as Conversation;
}

async function write(conversationId: string, body: Record<string, unknown>): Promise<Message> {
  const answer = await api<Message>('POST', `/conversations/${conversationId}/messages`, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  return answer.body;
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

/** Writes to the person and resolves once Meta took it. */
async function sent(conversationId: string, content: string): Promise<Message> {
  const { id } = await write(conversationId, { content });
  return settled(id, 'sent');
}

const takenAs = (text: string) => meta.taken.find((one) => one.text === text);

describe('connecting a number', () => {
  it('subscribes the app, gives Meta the door, and answers its challenge', async () => {
    const { body } = await api<{ config: Record<string, string>; setup: { done: string[]; todo: string[] } }>(
      'GET',
      `/channels/${channelId}`,
    );
    expect(meta.subscribed).toEqual([meta.account]);
    expect(meta.doors.get(meta.phoneNumberId)).toBe(door);
    expect(body.setup.done).toHaveLength(3);
    expect(body.setup.todo.join()).toContain('subscribe to the fields messages');
    expect(body.config['access_token']).not.toContain(meta.token.slice(0, 10));
  });

  it('refuses credentials that Meta does not accept', async () => {
    const config = { ...meta.addNumber('100000000000001'), access_token: 'EAA-wrong' };
    const refused = await api<{ error: { details: { field: string }[] } }>('POST', '/channels', {
      type: 'whatsapp',
      config,
    });
    expect(refused.status).toBe(422);
    expect(refused.body.error.details[0]?.field).toBe('config.access_token');
  });

  it('says what a person must still do where the token may not', async () => {
    meta.hideAccounts(true);
    meta.fail(
      /^100000000000002$/,
      { status: 400, code: 10, details: 'Application does not have permission' },
      0,
    );
    const created = await api<{ id: string; setup: { todo: string[] } }>('POST', '/channels', {
      type: 'whatsapp',
      config: meta.addNumber('100000000000002'),
    });
    meta.hideAccounts(false);
    expect(created.body.setup.todo.join()).toContain('business_account_id');
    await api('DELETE', `/channels/${created.body.id}`);
  });

  it('tells nobody the challenge who does not know the token', async () => {
    const ask = (token: string) =>
      fetch(
        `${door.replace(PUBLIC_URL, gateway.url)}?hub.mode=subscribe&hub.challenge=1&hub.verify_token=${token}`,
      );
    expect((await ask('guessed')).status).toBe(403);
    expect((await ask('')).status).toBe(403);
  });

  it('keeps its provider, and asks for the secrets again when the server changes', async () => {
    const patch = (config: Record<string, unknown>) =>
      api<{ error: { details: { field: string }[] } }>('PATCH', `/channels/${channelId}`, { config });
    const other = await patch({ provider: 'twilio' });
    expect(other.status).toBe(422);
    const moved = await patch({ api_root: 'https://graph.example.com' });
    expect(moved.status).toBe(422);
    expect(moved.body.error.details.map(({ field }) => field)).toEqual([
      'config.access_token',
      'config.app_secret',
    ]);
    expect((await patch({ api_version: 'v25.0' })).status).toBe(200);
    expect(meta.calls.at(-1)?.path).toBe(meta.phoneNumberId);
  });

  it('says so when Meta does not accept the token any more', async () => {
    meta.fail(/./, { status: 401, code: 190, details: 'Session has expired' });
    const { body } = await api<{ ok: boolean; detail: string }>('GET', `/channels/${channelId}/health`);
    expect(body).toMatchObject({ ok: false, detail: 'The access token has expired or was revoked.' });
  });

  it('shows each step of a round trip, and what the provider says', async () => {
    const health = await api<{ ok: boolean; detail: string }>('GET', `/channels/${channelId}/health`);
    expect(health.body).toMatchObject({ ok: true, detail: expect.stringContaining('Lucky Shrub') });
    const tested = await api<{ steps: { name: string; ok: boolean }[] }>(
      'POST',
      `/channels/${channelId}/test`,
    );
    const steps = Object.fromEntries(tested.body.steps.map(({ name, ok }) => [name, ok]));
    // The public address leads nowhere in a test; the door itself is tried below.
    expect(steps).toMatchObject({ settings: true, active: true, provider: true });
  });
});

describe('receiving', () => {
  it('stores every item of a batch once, however often it comes', async () => {
    const [ann, bob] = [somebody(), somebody()];
    const batch = webhook(
      change(meta.phoneNumberId, {
        contacts: [contactOf(ann)],
        messages: [textMessage(ann, 'One'), textMessage(ann, 'Two')],
      }),
      change(meta.phoneNumberId, { contacts: [contactOf(bob)], messages: [textMessage(bob, 'Three')] }),
    );
    expect(await Promise.all([meta.post(door, batch), meta.post(door, batch)])).toEqual([200, 200]);
    expect(await meta.post(door, batch)).toBe(200);
    expect((await conversationOf(ann)).messages.map(({ content }) => content)).toEqual(['One', 'Two']);
    expect((await conversationOf(bob)).messages.map(({ content }) => content)).toEqual(['Three']);
  });

  it('refuses what is not signed by the app', async () => {
    const batch = webhook(change(meta.phoneNumberId, { messages: [textMessage(somebody(), 'forged')] }));
    expect(await meta.post(door, batch, 'guessed')).toBe(401);
    const unsigned = await fetch(door.replace(PUBLIC_URL, gateway.url), { method: 'POST', body: '{}' });
    expect(unsigned.status).toBe(401);
  });

  it('gives each item of a batch to the channel whose number it names, and keeps what is for nobody', async () => {
    const other = await api<{ id: string }>('POST', '/channels', {
      type: 'whatsapp',
      config: meta.addNumber('200000000000001'),
    });
    const stranger = await api<{ id: string }>('POST', '/channels', {
      type: 'whatsapp',
      config: { ...meta.addNumber('200000000000002'), app_secret: 'of another app' },
    });
    const person = somebody();
    const contacts = [contactOf(person)];
    const to = (number: string, text: string) =>
      change(number, { contacts, messages: [textMessage(person, text)] });
    const batch = webhook(
      to(meta.phoneNumberId, 'for the first'),
      to('200000000000001', 'for the second'),
      to('200000000000002', 'for a number of another app'),
      to('299999999999999', 'for nobody'),
    );
    expect(await meta.post(door, batch)).toBe(200);
    const texts = async (id: string) => {
      const rows = await gateway.pool<
        { content: string }[]
      >`select content from messages where channel_id = ${id} and content like 'for %'`;
      return rows.map(({ content }) => content);
    };
    expect(await texts(channelId)).toEqual(['for the first']);
    expect(await texts(other.body.id)).toEqual(['for the second']);
    expect(await texts(stranger.body.id)).toEqual([]);

    expect(await meta.post(door, webhook(to('299999999999999', 'for nobody again')))).toBe(200);
    const ignored = await api<{ data: { reason: string; status: string }[] }>(
      'GET',
      '/inbound-events?status=ignored',
    );
    expect(ignored.body.data[0]).toMatchObject({
      status: 'ignored',
      reason: 'for no channel of yours: whatsapp:299999999999999',
    });
    for (const { body } of [other, stranger]) await api('DELETE', `/channels/${body.id}`);
  });

  it('fetches files in two steps, and only those that are what was sent', async () => {
    const person = somebody();
    const bytes = Buffer.from('the bytes of a picture');
    const { createHash } = await import('node:crypto');
    const sha256 = createHash('sha256').update(bytes).digest('base64');
    const [good, bad] = [meta.addFile(bytes, 'image/jpeg'), meta.addFile(bytes, 'image/jpeg')];
    const image = (id: string, hash: string) =>
      customerMessage(person, { image: { id, mime_type: 'image/jpeg', sha256: hash, caption: id } });
    await receive(
      person,
      image(good, sha256),
      image(bad, createHash('sha256').update('other').digest('base64')),
    );
    await eventually(async () => {
      const rows = await gateway.pool`
        select state from attachments a join messages m on m.id = a.message_id
        where m.content = ${good} and a.state = 'ready' or m.content = ${bad} and a.tries > 0`;
      expect(rows).toHaveLength(2);
    });
    const attachments = (await conversationOf(person)).messages.map((message) => message.attachments[0]);
    expect(attachments[0]).toMatchObject({ name: 'image.jpg', size: bytes.length });
    expect(attachments[1]?.state).not.toBe('ready');
  });

  it('keeps an edit, a deletion and reactions on the message that they are about', async () => {
    const person = somebody();
    const [first, second] = [textMessage(person, 'Tpyo'), textMessage(person, 'Regretted')];
    await receive(person, first, second);
    const id = (message: Record<string, unknown>) => message['id'];
    await receive(
      person,
      customerMessage(person, {
        edit: { original_message_id: id(first), message: { type: 'text', text: { body: 'Typo' } } },
      }),
      customerMessage(person, { revoke: { original_message_id: id(second) } }),
    );
    const { id: conversationId, messages } = await conversationOf(person);
    expect(messages.map(({ content }) => content)).toEqual(['Typo', '']);
    expect(messages[0]?.edited_at).not.toBeNull();
    expect(messages[1]?.deleted_at).not.toBeNull();

    const ours = await sent(conversationId, 'Is it fixed?');
    const react = (emoji: Record<string, unknown>) =>
      receive(person, customerMessage(person, { reaction: { message_id: ours.external_id, ...emoji } }));
    await react({ emoji: '👍' });
    expect((await messageNow(ours.id)).reactions.map(({ emoji }) => emoji)).toEqual(['👍']);
    await react({ emoji: '❤️' });
    expect((await messageNow(ours.id)).reactions.map(({ emoji }) => emoji)).toEqual(['❤️']);
    await react({});
    expect((await messageNow(ours.id)).reactions).toEqual([]);
  });

  it('answers no signed body with a failure, whatever its bytes are', async () => {
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc
        .jsonValue({ maxDepth: 4, noUnicodeString: false })
        .map((value) =>
          Buffer.from(
            JSON.stringify(webhook(change(meta.phoneNumberId, { messages: [value], statuses: [value] }))),
          ),
        ),
      fc
        .string({ unit: 'binary' })
        .map((text) =>
          Buffer.from(
            JSON.stringify(
              webhook(change(meta.phoneNumberId, { messages: [textMessage({ waId: '16505554321' }, text)] })),
            ),
          ),
        ),
    );
    await fc.assert(
      fc.asyncProperty(body, async (bytes) => {
        expect(await meta.postRaw(door, bytes)).toBe(200);
      }),
      { numRuns: 60 },
    );
  });

  it('shows what the business wrote in its phone app, as an answer of the team', async () => {
    const person = somebody();
    await receive(person, textMessage(person, 'Anybody there?'));
    const echo = {
      from: '15550783881',
      to: person.waId,
      id: `wamid.${newId()}`,
      timestamp: String(Math.floor(Date.now() / 1000)),
      type: 'text',
      text: { body: 'From the shop floor' },
    };
    const echoed = webhook(
      change(
        meta.phoneNumberId,
        { contacts: [contactOf(person)], message_echoes: [echo] },
        'smb_message_echoes',
      ),
    );
    expect(await meta.post(door, echoed)).toBe(200);
    const conversation = await conversationOf(person);
    const [, message] = conversation.messages;
    expect(message).toMatchObject({
      direction: 'outbound',
      sender_type: 'agent',
      content: 'From the shop floor',
      status: 'sent',
    });
    expect(conversation.unread_count).toBe(1);
    expect(conversation.first_response_at).not.toBeNull();
    await meta.post(
      door,
      webhook(
        change(meta.phoneNumberId, {
          statuses: [{ id: echo.id, status: 'read', timestamp: echo.timestamp, recipient_id: person.waId }],
        }),
      ),
    );
    await settled(message?.id ?? '', 'read');
    expect(meta.taken.filter(({ text }) => text === 'From the shop floor')).toEqual([]);
    const photo = {
      ...echo,
      id: `wamid.${newId()}`,
      type: 'image',
      image: { id: meta.addFile(Buffer.from('shelf'), 'image/jpeg'), mime_type: 'image/jpeg' },
    };
    await meta.post(
      door,
      webhook(change(meta.phoneNumberId, { message_echoes: [photo] }, 'smb_message_echoes')),
    );
    await eventually(async () => {
      const [row] = await gateway.pool`
        select a.state from attachments a join messages m on m.id = a.message_id where m.external_id = ${photo.id}`;
      expect(row?.['state']).toBe('ready');
    });
  });
});

describe('people', () => {
  it('are one customer with one conversation, by number and by business-scoped id', async () => {
    const person = somebody({ userId: 'US.1001' });
    const [number, hidden] = [
      { ...person, userId: undefined },
      { userId: 'US.1001', name: person.name },
    ] as FakePerson[];
    await receive(number as FakePerson, textMessage(number as FakePerson, 'by number'));
    await receive(person, textMessage(person, 'by both'));
    await receive(hidden as FakePerson, textMessage(hidden as FakePerson, 'by id'));
    const conversation = await conversationOf(person);
    expect(conversation.messages.map(({ content }) => content)).toEqual(['by number', 'by both', 'by id']);
    const customer = await api<{ identities: { address: string; kind: string }[] }>(
      'GET',
      `/customers/${conversation.customer_id}`,
    );
    expect(customer.body.identities.map(({ address }) => address).sort()).toEqual([
      `+${person.waId}`,
      'US.1001',
    ]);
  });

  it('whose number a customer of ours has already are that customer', async () => {
    const known = await api<{ id: string }>('POST', '/customers', {
      name: 'Imported',
      phone: '+5511981234567',
    });
    const person = { waId: '551181234567', userId: 'BR.5001', name: 'Says otherwise' };
    await receive(person, textMessage(person, 'first message'));
    const [row] = await gateway.pool<{ customer_id: string }[]>`
      select customer_id from conversations where channel_id = ${channelId} and thread_key = '+551181234567'`;
    expect(row?.customer_id).toBe(known.body.id);
    const customer = await api<{ name: string; identities: { address: string }[] }>(
      'GET',
      `/customers/${known.body.id}`,
    );
    expect(customer.body.name).toBe('Imported');
    expect(customer.body.identities.map(({ address }) => address).sort()).toEqual([
      '+551181234567',
      'BR.5001',
    ]);
  });

  it('whose number two customers have become a third', async () => {
    for (const name of ['Twin A', 'Twin B']) await api('POST', '/customers', { name, phone: '+16505550999' });
    const person = { waId: '16505550999', name: 'Which twin' };
    await receive(person, textMessage(person, 'guess'));
    expect((await conversationOf(person)).messages).toHaveLength(1);
  });

  it('who wrote by number and by id apart become one once both are named together', async () => {
    const name = 'Twice known';
    const [number, hidden] = [
      { waId: '16505550888', name },
      { userId: 'US.3001', name: 'Hidden' },
    ];
    await receive(number, textMessage(number, 'by number'));
    await receive(hidden, textMessage(hidden, 'by id'));
    const before = await conversationOf(number);
    const other = await conversationOf(hidden);
    expect(other.customer_id).not.toBe(before.customer_id);
    const both = { ...number, ...hidden, name };
    await Promise.all([
      receive(both, textMessage(both, 'both')),
      receive(both, textMessage(both, 'and both')),
    ]);
    const conversation = (await api<Conversation>('GET', `/conversations/${before.id}`)).body;
    expect(conversation.messages.map(({ content }) => content).sort()).toEqual([
      'and both',
      'both',
      'by number',
    ]);
    const merged = await api<{ id: string; merged_from: string[]; identities: { address: string }[] }>(
      'GET',
      `/customers/${before.customer_id}`,
    );
    expect(merged.body.merged_from).toEqual([other.customer_id]);
    expect(merged.body.identities.map(({ address }) => address).sort()).toEqual(['+16505550888', 'US.3001']);
    await receive(hidden, textMessage(hidden, 'by id again'));
    const after = (await api<Conversation>('GET', `/conversations/${before.id}`)).body;
    expect(after.messages.at(-1)?.content).toBe('by id again');
  });

  it('who are two accounts of the business stay two, whatever WhatsApp says', async () => {
    const [number, hidden] = [
      { waId: '16505550666', name: 'Account A' },
      { userId: 'US.6001', name: 'Account B' },
    ];
    for (const [n, one] of [number, hidden].entries()) {
      await receive(one, textMessage(one, 'mine'));
      const { customer_id } = await conversationOf(one);
      await api('PATCH', `/customers/${customer_id}`, { external_id: `account-${n}` });
    }
    const both = { ...number, ...hidden, name: 'Account A' };
    await receive(both, textMessage(both, 'ours'));
    const [a, b] = [await conversationOf(number), await conversationOf(hidden)];
    expect(a.customer_id).not.toBe(b.customer_id);
    expect(a.messages.map(({ content }) => content)).toEqual(['mine', 'ours']);
    await receive(hidden, textMessage(hidden, 'still mine'));
    expect((await conversationOf(hidden)).messages.map(({ content }) => content)).toEqual([
      'mine',
      'still mine',
    ]);
  });

  it('who come in a burst under all their names are one customer with one conversation', async () => {
    const person = { waId: '551187650001', userId: 'BR.4001', name: 'Burst' };
    const [number, hidden] = [
      { waId: person.waId, name: 'Burst' },
      { userId: 'BR.4001', name: 'Burst' },
    ];
    await receive(person, textMessage(person, 'first'));
    const writers = Array.from({ length: 30 }, (_, n) => [person, number, hidden][n % 3] as FakePerson);
    await Promise.all(writers.map((one, n) => receive(one, textMessage(one, `burst ${n}`))));
    expect((await conversationOf(person)).messages).toHaveLength(31);
  });

  it('who hide their number are answered by their id, also after it was rotated', async () => {
    const person = { userId: 'US.2001', name: 'Nameless number' };
    await receive(person, textMessage(person, 'no number'));
    const { id } = await conversationOf(person);
    meta.know('US.2001', 'US.2002');
    await sent(id, 'to the first id');
    expect(takenAs('to the first id')?.body).toMatchObject({
      recipient_type: 'individual',
      recipient: 'US.2001',
    });
    expect(takenAs('to the first id')?.body).not.toHaveProperty('to');

    const update = { user_id: { previous: 'US.2001', current: 'US.2002' }, timestamp: '1749416383' };
    expect(
      await meta.post(
        door,
        webhook(change(meta.phoneNumberId, { user_id_update: [update] }, 'user_id_update')),
      ),
    ).toBe(200);
    await sent(id, 'to the second id');
    expect(takenAs('to the second id')?.to).toBe('US.2002');
    const renamed = { ...person, userId: 'US.2002' };
    await receive(renamed, textMessage(renamed, 'same person'));
    expect((await conversationOf(person)).messages.map(({ content }) => content)).toContain('same person');
  });

  it('who hide their number are listed, found and exported like everybody', async () => {
    const person = { userId: 'US.9001', name: 'Only an id' };
    await receive(person, textMessage(person, 'no number at all'));
    const { customer_id } = await conversationOf(person);
    for (const path of ['/customers?address=US.9001', '/customers?q=US.9001', '/customers?q=only+an+id']) {
      const { body } = await api<{ data: { id: string; phone: null; email: null }[] }>('GET', path);
      expect(body.data, path).toMatchObject([{ id: customer_id, phone: null, email: null }]);
    }
    await findBy('Only+an+id', customer_id);
    const exported = await api<object>('GET', `/customers/${customer_id}/export`);
    expect(JSON.stringify(exported.body)).toContain('US.9001');
    expect(JSON.stringify(exported.body)).toContain('no number at all');
  });

  async function findBy(q: string, customerId: string | null): Promise<void> {
    await eventually(async () => {
      const found = await api<{ data: { id: string }[] }>('GET', `/search?q=${q}`);
      expect(found.body.data.map(({ id }) => id)).toContain(customerId);
    });
  }

  it('keep their conversation when they change their number', async () => {
    const person = somebody();
    await receive(person, textMessage(person, 'old number'));
    const system = customerMessage(person, {
      system: { body: 'changed', wa_id: '16505550777', type: 'user_changed_number' },
    });
    expect(await meta.post(door, webhook(change(meta.phoneNumberId, { messages: [system] })))).toBe(200);
    const moved = { ...person, waId: '16505550777' };
    await receive(moved, textMessage(moved, 'new number'));
    const conversation = await conversationOf(person);
    expect(conversation.messages.map(({ content }) => content)).toEqual(['old number', 'new number']);
    await sent(conversation.id, 'hello there');
    expect(takenAs('hello there')?.to).toBe('16505550777');
    const customer = await api<{ phone: string }>('GET', `/customers/${conversation.customer_id}`);
    expect(customer.body.phone).toBe('+16505550777');
  });

  it('are found by their new number, whatever number was noted of them', async () => {
    const person = somebody();
    await receive(person, textMessage(person, 'old number'));
    const { customer_id } = await conversationOf(person);
    await api('PATCH', `/customers/${customer_id}`, { phone: '+4930901820' });
    await findBy('4930901820', customer_id);
    const system = customerMessage(person, {
      system: { body: 'changed', wa_id: '16505550432', type: 'user_changed_number' },
    });
    expect(await meta.post(door, webhook(change(meta.phoneNumberId, { messages: [system] })))).toBe(200);
    const moved = { ...person, waId: '16505550432' };
    await receive(moved, textMessage(moved, 'new number'));
    await findBy('16505550432', customer_id);
  });

  it.each([
    ['Brazil', '+55 11 98765-4321', '551187654321'],
    ['Argentina', '+54 11 2345-6789', '5491123456789'],
    ['Mexico', '+52 55 1234 5678', '5215512345678'],
  ])(
    'in %s are found under either form of their number, and sent to as WhatsApp says it',
    async (_, typed, waId) => {
      meta.templates.push(plainTemplate(`hello_${waId}`));
      const created = await api<{ id: string }>('POST', '/customers', {
        name: `Typed ${waId}`,
        phone: typed,
      });
      const opened = await api<Conversation>('POST', '/conversations', {
        business_id: gateway.businessId,
        channel_id: channelId,
        customer_id: created.body.id,
        template: { name: `hello_${waId}` },
      });
      expect(opened.status, JSON.stringify(opened.body)).toBe(201);
      const writer = { waId, name: `Their own name ${waId}` };
      await receive(writer, textMessage(writer, 'answer'));
      const { body } = await api<Conversation>('GET', `/conversations/${opened.body.id}`);
      expect(body.messages.map(({ content }) => content)).toEqual(['Hello!', 'answer']);
      expect(body.customer_id).toBe(created.body.id);
      await sent(body.id, `to ${waId}`);
      expect(takenAs(`to ${waId}`)?.to).toBe(waId);

      const again = await api<Message & { conversation_id: string }>('POST', '/messages', {
        channel_id: channelId,
        to: typed,
        content: 'by address',
      });
      expect(again.body.conversation_id).toBe(body.id);
    },
  );

  it('are sent to as the answer of the first message names them', async () => {
    meta.templates.push(plainTemplate('first_contact'));
    meta.knownAs('5511955554444', '551155554444');
    const message = await api<Message & { conversation_id: string }>('POST', '/messages', {
      channel_id: channelId,
      to: '+5511955554444',
      template: { name: 'first_contact' },
    });
    expect(message.status, JSON.stringify(message.body)).toBe(202);
    await settled(message.body.id, 'sent');
    const person = { waId: '551155554444', name: 'Ana' };
    await receive(person, textMessage(person, 'Oi'));
    const { body } = await api<Conversation>('GET', `/conversations/${message.body.conversation_id}`);
    expect(body.messages.map(({ content }) => content)).toEqual(['Hello!', 'Oi']);
  });
});

function plainTemplate(name: string): Record<string, unknown> {
  return {
    id: newId(),
    name,
    language: 'en_US',
    status: 'APPROVED',
    category: 'UTILITY',
    parameter_format: 'POSITIONAL',
    components: [{ type: 'BODY', text: 'Hello!' }],
  };
}
