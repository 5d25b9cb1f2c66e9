import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/id.ts';
import { createIngest } from '../../src/core/ingest.ts';
import { createLog } from '../../src/core/log.ts';
import { createSecrets } from '../../src/core/secrets.ts';
import { createSlots } from '../../src/core/slots.ts';
import { createWake } from '../../src/core/wake.ts';
import { createTestDatabase } from '../support/database.ts';
import { type Door, openDoor, PUBLIC_URL } from '../support/door.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { placeQuietly } from '../support/place.ts';
import { startRelay } from '../support/relay.ts';
import { type FakeUser, fakeGroup, fakeMessage, fakeUser, privateChat, update } from '../support/telegram.ts';

interface Message {
  id: string;
  seq: number;
  type: string;
  direction: string;
  content: string;
  sender: { id: string | null; name: string | null };
  reply_to_id: string | null;
  reactions: { emoji: string; sender: string }[];
  attachments: { name: string; type: string }[];
  edited_at: string | null;
  deleted_at: string | null;
}

interface Conversation {
  id: string;
  status: string;
  customer_id: string;
  last_message_seq: number;
  unread_count: number;
  customer: { id: string; name: string };
  messages: Message[];
}

let gateway: TestGateway;
let door: Door;
beforeAll(async () => {
  gateway = await startTestGateway({ publicUrl: PUBLIC_URL });
  door = await openDoor(gateway);
});
afterAll(async () => {
  await gateway.stop();
  await door.close();
});

/** The conversations of one chat, oldest first. */
async function conversationsOf(chatId: number): Promise<Conversation[]> {
  const rows = await gateway.pool<{ id: string }[]>`
    select id from conversations where channel_id = ${door.channelId} and thread_key = ${String(chatId)} order by created_at, id`;
  return Promise.all(rows.map(({ id }) => conversation(id)));
}

async function conversation(id: string): Promise<Conversation> {
  return (await gateway.call<Conversation>('GET', `/api/v1/conversations/${id}`)).body;
}

async function onlyConversationOf(chatId: number): Promise<Conversation> {
  const [one, ...others] = await conversationsOf(chatId);
  expect([one === undefined, others.length]).toEqual([false, 0]);
  return one as Conversation;
}

const eventTypes = async (conversationId: string): Promise<string[]> => {
  await eventually(async () => expect(await gateway.pool`select 1 from outbox`).toHaveLength(0));
  const rows = await gateway.pool<{ type: string }[]>`
    select type from events where conversation_id = ${conversationId} order by seq`;
  return rows.map(({ type }) => type);
};

async function write(from: FakeUser, text: string, fields = {}): Promise<void> {
  expect(await door.post(update.text({ from, text, ...fields }))).toBe(200);
}

describe('a duplicate', () => {
  it('is answered like the first and stored once, however much later it comes', async () => {
    const from = fakeUser();
    const first = update.text({ from, text: 'once' });
    expect(await door.post(first)).toBe(200);
    await write(from, 'more');
    expect(await door.post(first)).toBe(200);
    const { id, messages, unread_count } = await onlyConversationOf(from.id);
    expect(messages.map(({ content }) => content)).toEqual(['once', 'more']);
    expect(unread_count).toBe(2);
    expect((await eventTypes(id)).filter((type) => type === 'message.received')).toHaveLength(2);
  });

  it('is stored once when many copies come at once', async () => {
    const from = fakeUser();
    const copies = Array.from({ length: 20 }, () => update.text({ from, message_id: 4711, update_id: 1 }));
    const same = copies[0] as (typeof copies)[0];
    expect(new Set(await Promise.all(copies.map(() => door.post(same))))).toEqual(new Set([200]));
    expect((await onlyConversationOf(from.id)).messages).toHaveLength(1);
    const customers = await gateway.pool`
      select distinct customer_id from identities where channel_id = ${door.channelId} and address = ${String(from.id)}`;
    expect(customers).toHaveLength(1);
  });

  it('is kept raw as ignored', async () => {
    const from = fakeUser();
    const first = update.text({ from });
    await door.post(first);
    await door.post(first);
    const kept = await gateway.pool`
      select status, reason, customer_id is not null as known from inbound_requests
      where position(${String(first.update_id)}::text::bytea in body) > 0 order by received_at, id`;
    expect(kept).toMatchObject([
      { status: 'processed', known: true },
      { status: 'ignored', reason: 'a duplicate', known: true },
    ]);
  });

  it('of somebody who was erased meanwhile brings nobody back', async () => {
    const from = fakeUser();
    const first = update.text({ from });
    await door.post(first);
    const address = String(from.id);
    await gateway.pool`delete from identities where channel_id = ${door.channelId} and address = ${address}`;
    expect(await door.post(first)).toBe(200);
    expect(
      await gateway.pool`select 1 from identities where channel_id = ${door.channelId} and address = ${address}`,
    ).toHaveLength(0);
    const [kept] =
      await gateway.pool`select status from inbound_requests order by received_at desc, id desc limit 1`;
    expect(kept).toMatchObject({ status: 'ignored' });
  });
});

describe('the lifecycle', () => {
  it('continues the conversation that is open', async () => {
    const from = fakeUser();
    await write(from, 'one');
    await write(from, 'two');
    const { messages, status } = await onlyConversationOf(from.id);
    expect(messages.map(({ seq, content }) => [seq, content])).toEqual([
      [1, 'one'],
      [2, 'two'],
    ]);
    expect(status).toBe('open');
  });

  it.each([
    ['resolved', { status: 'resolved' }, 'conversation.reopened'],
    ['pending', { status: 'pending' }, 'conversation.reopened'],
    ['snoozed', { status: 'snoozed', snoozed_until: '2099-01-01T00:00:00.000Z' }, 'conversation.unsnoozed'],
  ])('reopens a %s one, and says so', async (status, patch, event) => {
    const from = fakeUser();
    await write(from, 'one');
    const { id } = await onlyConversationOf(from.id);
    expect((await gateway.call('PATCH', `/api/v1/conversations/${id}`, patch)).status).toBe(200);
    const before = (await eventTypes(id)).length;
    await write(from, 'back again');
    const after = await onlyConversationOf(from.id);
    expect(after).toMatchObject({ id, status: 'open' });
    expect((await eventTypes(id)).slice(before)).toEqual([
      event,
      'conversation.status_changed',
      'message.received',
    ]);
    const all = await gateway.call<{ data: Message[] }>(
      'GET',
      `/api/v1/conversations/${id}/messages?include=activity`,
    );
    expect(all.body.data.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(all.body.data.slice(2)).toMatchObject([
      { type: 'activity', direction: 'internal', metadata: { from: status, to: 'open' } },
      { content: 'back again' },
    ]);
    expect(after).toMatchObject({ resolved_at: null, snoozed_until: null, closed_at: null, unread_count: 2 });
  });

  it('opens a new conversation after a closed one', async () => {
    const from = fakeUser();
    await write(from, 'one');
    const { id } = await onlyConversationOf(from.id);
    await gateway.call('PUT', `/api/v1/conversations/${id}/close`);
    await write(from, 'two');
    await write(from, 'three');
    const all = await conversationsOf(from.id);
    expect(all.map(({ status, messages }) => [status, messages.map(({ content }) => content)])).toEqual([
      ['closed', ['one']],
      ['open', ['two', 'three']],
    ]);
    expect(all[0]?.customer_id).toBe(all[1]?.customer_id);
  });

  it('obeys the channel’s policy of reopening', async () => {
    const [never, late, early] = [fakeUser(), fakeUser(), fakeUser()];
    for (const from of [never, late, early]) await write(from, 'one');
    const resolve = async (from: FakeUser, hoursAgo: number) => {
      const { id } = await onlyConversationOf(from.id);
      await gateway.call('PUT', `/api/v1/conversations/${id}/resolve`);
      await gateway.pool`
        update conversations set resolved_at = now() - make_interval(hours => ${hoursAgo}) where id = ${id}`;
    };
    const policy = async (reopen: string) =>
      expect((await gateway.call('PATCH', `/api/v1/channels/${door.channelId}`, { reopen })).status).toBe(
        200,
      );
    await resolve(never, 0);
    await resolve(late, 3);
    await resolve(early, 1);
    await policy('never');
    await write(never, 'two');
    await policy('within_hours:2');
    await write(late, 'two');
    await write(early, 'two');
    await policy('always');
    expect(await conversationsOf(never.id)).toHaveLength(2);
    expect(await conversationsOf(late.id)).toHaveLength(2);
    expect(await onlyConversationOf(early.id)).toMatchObject({ status: 'open', resolved_at: null });
  });

  it('is not reopened by an edit, a reaction or a member who was blocked', async () => {
    const from = fakeUser();
    await write(from, 'one', { message_id: 50 });
    const { id } = await onlyConversationOf(from.id);
    await gateway.call('PUT', `/api/v1/conversations/${id}/resolve`);
    await door.post(update.edited({ from, message_id: 50, text: 'uno' }));
    await door.post(update.reaction({ user: from, message_id: 50 }));
    await door.post(update.membership({ user: from, status: 'kicked' }));
    expect(await conversation(id)).toMatchObject({ status: 'resolved' });
  });
});

describe('an album', () => {
  const photo = (from: FakeUser, group: string, caption?: string) =>
    update.photo({ from, media_group_id: group, ...(caption === undefined ? {} : { caption }) });

  it('is one message, its items in one batch or spread over several, its caption first or last', async () => {
    const together = fakeUser();
    const spread = fakeUser();
    await Promise.all([1, 2, 3].map((n) => door.post(photo(together, 'a', n === 2 ? 'Look' : undefined))));
    for (const caption of [undefined, undefined, 'Look']) await door.post(photo(spread, 'a', caption));
    for (const { id } of [together, spread]) {
      const { messages, last_message_seq, unread_count } = await onlyConversationOf(id);
      expect(messages).toMatchObject([{ seq: 1, type: 'attachment', content: 'Look' }]);
      expect(messages[0]?.attachments).toHaveLength(3);
      expect([last_message_seq, unread_count]).toEqual([1, 1]);
    }
  });

  it('tells of the items that came late', async () => {
    const from = fakeUser();
    await door.post(photo(from, 'b', 'Look'));
    await door.post(photo(from, 'b'));
    const { id } = await onlyConversationOf(from.id);
    const types = (await eventTypes(id)).filter((type) => type.startsWith('message'));
    expect(types.slice(0, 2)).toEqual(['message.received', 'message.updated']);
  });

  it('is another one in another chat', async () => {
    const [one, other] = [fakeUser(), fakeUser()];
    await Promise.all([door.post(photo(one, 'c')), door.post(photo(other, 'c'))]);
    for (const { id } of [one, other]) expect((await onlyConversationOf(id)).messages).toHaveLength(1);
  });
});

describe('what refers to an earlier message', () => {
  it('is a reply to it', async () => {
    const from = fakeUser();
    await write(from, 'question', { message_id: 70 });
    await write(from, 'about that', { reply_to_message: { message_id: 70 } });
    await write(from, 'about nothing we know', { reply_to_message: { message_id: 69 } });
    const [first, second, third] = (await onlyConversationOf(from.id)).messages;
    expect(second?.reply_to_id).toBe(first?.id);
    expect(third?.reply_to_id).toBeNull();
  });

  it('edits it', async () => {
    const from = fakeUser();
    await write(from, 'helo', { message_id: 80 });
    await door.post(update.edited({ from, message_id: 80, text: 'hello' }));
    const { id, messages } = await onlyConversationOf(from.id);
    expect(messages).toMatchObject([{ content: 'hello', edited_at: expect.any(String) }]);
    expect((await eventTypes(id)).at(-1)).toBe('message.updated');
  });

  it('deletes it', async () => {
    const from = fakeUser();
    const chat = privateChat(from);
    const connection = 'bc-7';
    await door.post(
      update.businessMessage({ from, message_id: 90, text: 'oh', business_connection_id: connection }),
    );
    const deleted_business_messages = { business_connection_id: connection, chat, message_ids: [90] };
    expect(await door.post({ update_id: 990_001, deleted_business_messages })).toBe(200);
    const [row] = await gateway.pool`
      select m.content, m.deleted_at is not null as deleted, m.conversation_id from messages m
      join conversations c on c.id = m.conversation_id where c.thread_key = ${`${from.id}@${connection}`}`;
    expect(row).toMatchObject({ content: '', deleted: true });
    expect((await eventTypes(row?.['conversation_id'])).at(-1)).toBe('message.deleted');
  });

  it('reacts to it: the newest set of each person counts', async () => {
    const from = fakeUser();
    await write(from, 'hm', { message_id: 100 });
    const react = (emojis: string[]) => door.post(update.reaction({ user: from, message_id: 100, emojis }));
    await react(['👍', '🔥']);
    await react(['❤']);
    const { messages, customer } = await onlyConversationOf(from.id);
    expect(messages[0]?.reactions).toEqual([{ emoji: '❤', sender: customer.id }]);
    await react([]);
    expect((await onlyConversationOf(from.id)).messages[0]?.reactions).toEqual([]);
  });

  it('reacts to it though they never wrote: no customer comes of that', async () => {
    const chat = fakeGroup();
    const [writer, silent] = [fakeUser(), fakeUser()];
    await write(writer, 'hi all', { chat, message_id: 110 });
    expect(await door.post(update.reaction({ user: silent, chat, message_id: 110 }))).toBe(200);
    expect(await door.post(update.reaction({ user: silent, chat, message_id: 110, emojis: ['🔥'] }))).toBe(
      200,
    );
    const { messages } = await onlyConversationOf(chat.id);
    expect(messages[0]?.reactions).toEqual([{ emoji: '🔥', sender: String(silent.id) }]);
    expect(await gateway.pool`select 1 from identities where address = ${String(silent.id)}`).toHaveLength(0);
  });
});

describe('a group', () => {
  it('is one conversation of the group’s customer, with each writer named', async () => {
    const chat = fakeGroup({ title: 'Builders' });
    const [ada, bob] = [fakeUser({ first_name: 'Ada' }), fakeUser({ first_name: 'Bob' })];
    await write(ada, 'hi', { chat });
    await write(bob, 'hey', { chat });
    const { customer, messages } = await onlyConversationOf(chat.id);
    expect(customer.name).toBe('Builders');
    expect(messages.map(({ sender }) => sender.name)).toEqual(['Ada', 'Bob']);
    expect(new Set([customer.id, ...messages.map(({ sender }) => sender.id)]).size).toBe(3);
  });

  it('has a conversation for each of its topics, of the same customer', async () => {
    const chat = fakeGroup({ title: 'Forum', type: 'supergroup' });
    const [ada, bob] = [fakeUser({ first_name: 'Ada' }), fakeUser({ first_name: 'Bob' })];
    const topic = (message_thread_id: number) => ({ chat, message_thread_id, is_topic_message: true });
    await write(ada, 'in general', { chat });
    await write(ada, 'about boats', topic(7));
    await write(bob, 'about bikes', topic(8));
    await write(bob, 'boats are fine', topic(7));
    const rows = await gateway.pool`
      select array_agg(m.content order by m.seq) as said, c.customer_id from conversations c
      join messages m on m.conversation_id = c.id
      where c.channel_id = ${door.channelId} and split_part(c.thread_key, ':', 1) = ${String(chat.id)}
      group by c.id, c.customer_id order by c.id`;
    expect(rows.map((row) => row['said'])).toEqual([
      ['in general'],
      ['about boats', 'boats are fine'],
      ['about bikes'],
    ]);
    expect(new Set(rows.map((row) => row['customer_id'])).size).toBe(1);
  });

  it('goes on in its supergroup, also when everything comes in one burst', async () => {
    const chat = fakeGroup({ title: 'Movers' });
    const moved = { ...chat, id: chat.id - 1_000_000_000_000, type: 'supergroup' as const };
    const from = fakeUser({ first_name: 'Ada' });
    const bodies = [
      update.text({ from, chat, text: 'before' }),
      { update_id: 990_100, message: fakeMessage({ from, chat, migrate_to_chat_id: moved.id }) },
      { update_id: 990_101, message: fakeMessage({ from, chat: moved, migrate_from_chat_id: chat.id }) },
      update.text({ from, chat: moved, text: 'after' }),
    ];
    const busy = Array.from({ length: 5 }, () => door.post(update.text()));
    await Promise.all([...busy, ...bodies.map((body) => door.post(body))]);
    await write(from, 'later', { chat: moved });
    const { messages, customer } = await onlyConversationOf(moved.id);
    expect(await conversationsOf(chat.id)).toHaveLength(0);
    expect(messages.map(({ content }) => content)).toEqual(['before', 'after', 'later']);
    expect(customer.name).toBe('Movers');
    expect(await gateway.pool`select 1 from customers where name = 'Movers'`).toHaveLength(1);
  });
});

describe('poison', () => {
  const failed = async () =>
    (
      await gateway.call<{ data: { id: string; channel_id: string; reason: string }[] }>(
        'GET',
        '/api/v1/inbound-events?status=failed&limit=100',
      )
    ).body.data;

  // No index takes a key that long, and nothing makes it shorter.
  const indigestible = (from: FakeUser) =>
    update.photo({ from, media_group_id: randomBytes(9_000).toString('base64') });

  it('is answered 200, kept and listed, and spoils nothing that came with it', async () => {
    const before = (await failed()).length;
    const good = Array.from({ length: 30 }, (_, n) => update.text({ text: `good ${n}` }));
    const bad = indigestible(fakeUser());
    const answers = await Promise.all(
      [...good.slice(0, 15), bad, ...good.slice(15)].map((one) => door.post(one)),
    );
    expect(new Set(answers)).toEqual(new Set([200]));
    expect(await gateway.pool`select 1 from messages where content like 'good %'`).toHaveLength(30);
    const kept = await failed();
    expect(kept).toHaveLength(before + 1);
    const raw = await gateway.call<{ body: string }>('GET', `/api/v1/inbound-events/${kept[0]?.id}`);
    expect(JSON.parse(raw.body.body)).toEqual(bad);
  });

  it('is what cannot be read, too', async () => {
    for (const body of ['no json', '{"update_id":"x"}', '\ud800\u0000 not even text']) {
      const before = (await failed()).length;
      expect(await door.post(body)).toBe(200);
      const kept = await failed();
      expect(kept).toHaveLength(before + 1);
      expect(kept[0]).toMatchObject({
        channel_id: door.channelId,
        reason: expect.stringContaining('unreadable'),
      });
    }
  });

  it('is replayed once it can be stored, and listed no longer', async () => {
    const from = fakeUser();
    const bad = indigestible(from);
    await door.post(bad);
    const [{ id } = { id: '' }] = await failed();
    const replay = () => gateway.call<{ data: unknown[] }>('POST', `/api/v1/inbound-events/${id}/replay`);
    const before = (await failed()).length;
    expect((await replay()).status).toBe(200);
    expect((await failed()).some((one) => one.id === id)).toBe(true);
    expect(await failed()).toHaveLength(before);
    const photo = bad['message'] as Record<string, unknown>;
    const healed = JSON.stringify({ ...bad, message: { ...photo, media_group_id: 'short' } });
    await gateway.pool`update inbound_requests set body = ${Buffer.from(healed)} where id = ${id}`;
    expect((await replay()).body.data).toMatchObject([{ duplicate: false, message_id: expect.any(String) }]);
    expect((await failed()).some((one) => one.id === id)).toBe(false);
    expect((await onlyConversationOf(from.id)).messages).toHaveLength(1);
    expect((await replay()).body.data).toMatchObject([{ duplicate: true }]);
  });
});

describe('a large request', () => {
  it.each(['taken', 'failed'])('that is %s is kept byte for byte', async (what) => {
    const { pool } = gateway;
    const log = createLog('silent');
    const secrets = createSecrets(['a secret of the tests, long enough']);
    const wake = await createWake(undefined, log);
    const place = placeQuietly(wake);
    const ingest = createIngest({ pool, place, turns: createSlots(1), secrets, wake, log });
    const channel = {
      id: door.channelId,
      businessId: gateway.businessId,
      type: 'telegram',
      reopen: 'always',
    };
    const body = randomBytes(2_500_000);
    const raw = { body, headers: {}, url: undefined };
    const request = { id: newId(), receivedAt: new Date(), channel, raw, inbound: [] };
    await (what === 'taken' ? ingest.submit(request) : ingest.keepFailed(request, 'unreadable'));
    const [kept] = await pool<{ body: Buffer }[]>`select body from inbound_requests where id = ${request.id}`;
    expect(kept?.body.equals(body)).toBe(true);
    await ingest.close();
  });
});

describe('what a request does that nobody foresaw', () => {
  it('refuses that one, and none that came with it', async () => {
    const { pool } = gateway;
    const log = createLog('silent');
    const wake = await createWake(undefined, log);
    const secrets = createSecrets(['a secret of the tests, long enough']);
    const ingest = createIngest({
      pool,
      place: placeQuietly(wake),
      turns: createSlots(1),
      secrets,
      wake,
      log,
    });
    const channel = {
      id: door.channelId,
      businessId: gateway.businessId,
      type: 'telegram',
      reopen: 'always',
    };
    const submit = (name: string, occurredAt: Date) =>
      ingest.submit({
        id: newId(),
        receivedAt: new Date(),
        channel,
        raw: { body: Buffer.from(name), headers: {}, url: undefined },
        inbound: [
          {
            kind: 'message',
            externalEventId: name,
            threadKey: name,
            occurredAt,
            sender: { address: name, kind: 'user' },
            type: 'text',
            content: name,
          },
        ],
      });
    const bad = submit('a time that is none', new Date(Number.NaN));
    const first = submit('the first of the batch', new Date());
    const worse = submit('another time that is none', new Date(Number.NaN));
    const last = submit('the last of the batch', new Date());
    await expect(bad).rejects.toMatchObject({ code: 'unavailable' });
    await expect(worse).rejects.toMatchObject({ code: 'unavailable' });
    expect([await first, await last]).toMatchObject([
      [{ duplicate: false, seq: 1 }],
      [{ duplicate: false, seq: 1 }],
    ]);
    await ingest.close();
    await wake.close();
  });
});

describe('texts that Postgres refuses', () => {
  it('lose only what cannot be stored', async () => {
    const from = fakeUser({ first_name: 'A\u0000da' });
    await write(from, 'a\u0000b \ud83d\ude00 \ud83d end');
    const { messages, customer } = await onlyConversationOf(from.id);
    expect(messages[0]?.content).toBe('ab \u{1f600} \ufffd end');
    expect(customer.name).toBe('Ada');
  });
});

describe('what is kept of a request', () => {
  it('holds its body to the byte and no secret', async () => {
    const sent = update.text({ text: 'ünïcode 😀' });
    await door.post(sent);
    const [row] = await gateway.pool<{ headers: Record<string, string>; url: string; body: Buffer }[]>`
      select headers, url, body from inbound_requests order by received_at desc, id desc limit 1`;
    expect(row?.body.toString()).toBe(JSON.stringify(sent));
    expect(row?.headers['content-type']).toBe('application/json');
    expect(JSON.stringify([row?.headers, row?.url])).not.toMatch(/secret/i);
    expect(Object.keys(row?.headers ?? {})).not.toContain('x-telegram-bot-api-secret-token');
  });
});

describe('two processes on one database', () => {
  it('make one customer and one conversation of a burst of first messages', async () => {
    const second = await startTestGateway({ database_: gateway.database, publicUrl: PUBLIC_URL });
    try {
      const from = fakeUser({ first_name: 'Burst' });
      const urls = [gateway.url, second.url];
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, n) =>
          door.post(update.text({ from, text: `burst ${n}` }), { url: urls[n % 2] ?? '' }),
        ),
      );
      expect(new Set(answers)).toEqual(new Set([200]));
      const { id, messages, last_message_seq } = await onlyConversationOf(from.id);
      expect(messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
      expect(new Set(messages.map(({ content }) => content)).size).toBe(50);
      expect(last_message_seq).toBe(50);
      expect(await gateway.pool`select 1 from customers where name = 'Burst'`).toHaveLength(1);
      const types = await eventTypes(id);
      expect(types.filter((type) => type === 'message.received')).toHaveLength(50);
      expect(types.filter((type) => type === 'conversation.created')).toHaveLength(1);
    } finally {
      await second.stop();
    }
  });
});

describe('while the database is away', () => {
  it('answers 503 and acknowledges nothing, and goes on when it is back', async () => {
    const database = await createTestDatabase();
    const relay = await startRelay(database.url);
    const cutOff = await startTestGateway({
      database_: { ...database, url: relay.url },
      publicUrl: PUBLIC_URL,
    });
    const ownDoor = await openDoor(cutOff, '987654:another-bot');
    try {
      const from = fakeUser();
      expect(await ownDoor.post(update.text({ from, text: 'before' }))).toBe(200);
      await relay.cut();
      const lost = Array.from({ length: 5 }, (_, n) => update.text({ from, text: `away ${n}` }));
      expect(new Set(await Promise.all(lost.map((one) => ownDoor.post(one))))).toEqual(new Set([503]));
      await relay.restore();
      for (const one of lost) await eventually(async () => expect(await ownDoor.post(one)).toBe(200));
      const rows = await database.pool<{ content: string }[]>`select content from messages order by seq`;
      expect(rows.map(({ content }) => content)).toEqual(['before', ...lost.map((_, n) => `away ${n}`)]);
    } finally {
      await cutOff.stop();
      await ownDoor.close();
      await relay.stop();
      await database.drop();
    }
  });
});
