import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sqlState } from '../../src/core/database/transact.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/gateway.ts';
import { type Program, startProgram } from '../support/program.ts';
import {
  type FakeTelegram,
  type FakeUpdate,
  fakeGroup,
  fakeUser,
  startTelegram,
  update,
} from '../support/telegram.ts';
import { until } from '../support/until.ts';

/*
 * What the database guarantees, raced by 50 writers in two processes.
 */

const API_KEY = 'the-owner-key-of-the-guarantees-test';
const SECRET = 'the-secret-of-the-door';
const WRITERS = 50;

let database: TestDatabase;
let dataDir: string;
let programs: Program[];
let telegram: FakeTelegram;
let channelId: string;

beforeAll(async () => {
  database = await createTestDatabase({ max: 5 });
  dataDir = await mkdtemp(join(tmpdir(), 'tributary-guarantees-'));
  telegram = await startTelegram();
  const env = {
    DATABASE_URL: database.url,
    DATA_DIR: dataDir,
    SECRET_KEY: 'a secret key of this test',
    BOOTSTRAP_API_KEY: API_KEY,
    PUBLIC_URL: 'https://chat.example',
    EGRESS_ALLOW: '127.0.0.0/8',
    DRAIN_DELAY: '0',
    LOG_LEVEL: 'warn',
  };
  programs = await Promise.all([startProgram(env), startProgram(env)]);
  channelId = await newBot(telegram.token);
}, 60_000);
afterAll(async () => {
  for (const program of programs) await program.stop();
  await telegram.close();
  await database.drop();
  await rm(dataDir, { recursive: true, force: true });
});

interface Answer {
  status: number;
  // Tests read what they expect; a wrong shape fails there.
  // biome-ignore lint/suspicious/noExplicitAny: an answer of any route
  body: any;
}

async function call(
  method: string,
  path: string,
  {
    body,
    key = API_KEY,
    process = 0,
    headers = {},
  }: { body?: unknown; key?: string; process?: number; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const response = await fetch(`${programs[process % 2]?.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

async function newBot(bot_token: string): Promise<string> {
  const config = { bot_token, api_root: telegram.url, secret_token: SECRET };
  const { status, body } = await call('POST', '/api/v1/channels', { body: { type: 'telegram', config } });
  expect(status).toBe(201);
  return body.id;
}

async function receive(one: FakeUpdate, process: number): Promise<number> {
  const response = await fetch(`${programs[process % 2]?.url}/webhooks/telegram/${channelId}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': SECRET },
    body: JSON.stringify(one),
  });
  await response.arrayBuffer();
  return response.status;
}

/** Fifty at once, every other one in the other process. */
function race<T>(work: (n: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: WRITERS }, (_, n) => work(n)));
}

const counted = (statuses: number[]) =>
  Object.fromEntries(
    [...Map.groupBy(statuses, (status) => status)].map(([status, all]) => [status, all.length]),
  );

const conversationsOf = (threadKey: number) =>
  database.pool<{ id: string; last_message_seq: number; customer_id: string }[]>`
    select id, last_message_seq, customer_id from conversations
    where channel_id = ${channelId} and thread_key = ${String(threadKey)}`;

const seqsOf = async (conversationId: string) =>
  (
    await database.pool<
      { seq: number }[]
    >`select seq from messages where conversation_id = ${conversationId} order by seq`
  ).map(({ seq }) => seq);

const upTo = (last: number) => Array.from({ length: last }, (_, n) => n + 1);

describe('receiving', () => {
  it('stores one event once', async () => {
    const from = fakeUser();
    const same = update.text({ from });
    expect(counted(await race((n) => receive(same, n)))).toEqual({ 200: WRITERS });
    const [conversation, ...others] = await conversationsOf(from.id);
    expect(others).toEqual([]);
    expect(await seqsOf(conversation?.id ?? '')).toEqual([1]);
  });

  it('opens one conversation for a thread, and counts its messages without a gap', async () => {
    const chat = fakeGroup();
    const texts = Array.from({ length: WRITERS }, () => update.text({ chat, from: fakeUser() }));
    expect(counted(await race((n) => receive(texts[n] as FakeUpdate, n)))).toEqual({ 200: WRITERS });
    const [conversation, ...others] = await conversationsOf(chat.id);
    expect(others).toEqual([]);
    expect(conversation?.last_message_seq).toBe(WRITERS);
    expect(await seqsOf(conversation?.id ?? '')).toEqual(upTo(WRITERS));
  });

  it('makes one customer of one address, in however many threads it writes', async () => {
    const from = fakeUser({ first_name: 'Everywhere' });
    const chats = Array.from({ length: WRITERS }, () => fakeGroup());
    const answers = await race((n) => receive(update.text({ from, chat: chats[n] as (typeof chats)[0] }), n));
    expect(counted(answers)).toEqual({ 200: WRITERS });
    const customers = await database.pool`select id from customers where name = 'Everywhere'`;
    expect(customers).toHaveLength(1);
    const identities = await database.pool`
      select customer_id from identities where channel_id = ${channelId} and address = ${String(from.id)}`;
    expect(identities).toEqual([{ customer_id: customers[0]?.['id'] }]);
  });
});

describe('a conversation', () => {
  it('gives out seq without a gap to customers, agents and notes at once', async () => {
    const from = fakeUser();
    telegram.know(from.id);
    await receive(update.text({ from }), 0);
    const [conversation] = await conversationsOf(from.id);
    const path = `/api/v1/conversations/${conversation?.id}/messages`;
    const answers = await race(async (n) => {
      if (n % 3 === 0) return receive(update.text({ from }), n >> 1);
      const body = { content: `line ${n}`, ...(n % 3 === 1 ? { type: 'note' } : {}) };
      return (await call('POST', path, { body, process: n >> 1 })).status;
    });
    expect(answers.every((status) => status === 200 || status === 202 || status === 201)).toBe(true);
    expect(await seqsOf(conversation?.id ?? '')).toEqual(upTo(WRITERS + 1));
    const [after] = await conversationsOf(from.id);
    expect(after?.last_message_seq).toBe(WRITERS + 1);
  });
});

describe('a provider’s id', () => {
  async function startSide(side: 'lane' | 'door', messageIds: string[]): Promise<ChildProcess> {
    const program = fileURLToPath(new URL('../support/receipt-process.ts', import.meta.url));
    const options = JSON.stringify({ databaseUrl: database.url, channelId, messageIds, side });
    const child = spawn(process.execPath, [program, options], { stdio: ['pipe', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    await until(() => output.includes('ready'));
    return child;
  }

  it('joins the send and its receipt, whichever of two processes is first', async () => {
    const chats = Array.from({ length: WRITERS }, () => fakeUser());
    await race((n) => receive(update.text({ from: chats[n] as (typeof chats)[0] }), n));
    const rows = await database.pool<{ id: string }[]>`
      insert into messages (id, business_id, conversation_id, channel_id, seq, direction, sender_type, type, content, status)
      select gen_random_uuid(), business_id, id, channel_id, 2, 'outbound', 'agent', 'text', 'x', 'sending'
      from conversations where thread_key = any(${chats.map(({ id }) => String(id))}) returning id`;
    const ids = rows.map(({ id }) => id);
    expect(ids).toHaveLength(WRITERS);
    await database.pool`
      insert into message_parts (message_id, generation, n, payload, status)
      select unnest(${ids}::uuid[]), 1, 0, '{}', 'sending'`;
    const sides = await Promise.all([startSide('lane', ids), startSide('door', ids)]);
    const ended = sides.map((child) => once(child, 'exit'));
    for (const child of sides) child.stdin?.write('go\n');
    expect((await Promise.all(ended)).map(([code]) => code)).toEqual([0, 0]);
    const statuses = await database.pool`
      select m.status, p.best_status, p.message_id = m.id as joined, m.delivered_at is not null as timed
      from messages m left join provider_ids p on p.external_id = 'at-provider-' || m.id where m.id = any(${ids})`;
    expect(statuses).toHaveLength(WRITERS);
    for (const row of statuses)
      expect(row).toEqual({ status: 'delivered', best_status: 'delivered', joined: true, timed: true });
    await eventually(async () => {
      const events = await database.pool`
        select message_id from events where type = 'message.delivered' and message_id = any(${ids})`;
      expect(new Set(events.map((row) => row['message_id'])).size).toBe(WRITERS);
      expect(events).toHaveLength(WRITERS);
    });
  });
});

describe('a business', () => {
  it('has a provider’s account in one channel only', async () => {
    const bot = await startTelegram({ token: '424242:the-same-bot' });
    const config = bot.config;
    const answers = await race((n) =>
      call('POST', '/api/v1/channels', { body: { type: 'telegram', config }, process: n }),
    );
    expect(counted(answers.map(({ status }) => status))).toEqual({ 201: 1, 409: WRITERS - 1 });
    await bot.close();
  });

  it('has one default channel, whoever sets it', async () => {
    const created = await Promise.all(
      Array.from({ length: 10 }, () =>
        call('POST', '/api/v1/channels', { body: { type: 'webchat', config: {} } }),
      ),
    );
    const chats = created.map(({ body }) => body.id);
    const answers = await race((n) =>
      call('PATCH', `/api/v1/channels/${chats[n % 10]}`, { body: { is_default: true }, process: n }),
    );
    expect(counted(answers.map(({ status }) => status))).toEqual({ 200: WRITERS });
    const defaults = await database.pool<{ id: string }[]>`select id from channels where is_default`;
    expect(defaults).toHaveLength(1);
    expect(chats).toContain(defaults[0]?.id);
  });

  it('creates once what is asked for with one Idempotency-Key', async () => {
    const [business] = await database.pool<{ id: string }[]>`select id from businesses`;
    const [webchat] = await database.pool<
      { id: string }[]
    >`select id from channels where type = 'webchat' limit 1`;
    const body = { business_id: business?.id, channel_id: webchat?.id, subject: 'only once' };
    const headers = { 'idempotency-key': 'the-same-for-all' };
    const answers = await race((n) => call('POST', '/api/v1/conversations', { body, headers, process: n }));
    expect(counted(answers.map(({ status }) => status))).toEqual({ 201: WRITERS });
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
    expect(await database.pool`select 1 from conversations where subject = 'only once'`).toHaveLength(1);
  });

  it('keeps its last owner', async () => {
    const invited = await call('POST', '/api/v1/team/invite', {
      body: { email: 'second@example.com', name: 'Second', role: 'owner' },
    });
    expect(invited.status).toBe(201);
    const [first, second] = (
      await database.pool<{ id: string }[]>`select id from agents where role = 'owner' order by id`
    ).map(({ id }) => id);
    const key: string = invited.body.key ?? invited.body.api_key;
    const answers = await race((n) =>
      n % 4 < 2
        ? call('DELETE', `/api/v1/team/members/${second}`, { process: n })
        : call('DELETE', `/api/v1/team/members/${first}`, { process: n, key }),
    );
    expect(answers.every(({ status }) => status < 500)).toBe(true);
    const owners = await database.pool<
      { id: string }[]
    >`select id from agents where role = 'owner' and is_active`;
    expect(owners).toHaveLength(1);
    // The rest of this file goes on with the first owner's key.
    await database.pool`update agents set is_active = true where id = ${first ?? ''}`;
    await database.pool`update api_keys set revoked_at = null where agent_id = ${first ?? ''}`;
  });
});

describe('the order of events', () => {
  it('shows every event once to a reader that keeps its cursor while fifty write', async () => {
    const { body: reader } = await call('POST', '/api/v1/api-keys', {
      body: { name: 'reader', role: 'agent' },
    });
    const page = (after: string) =>
      call('GET', `/api/v1/events?limit=100&after=${after}`, { key: reader.key });
    const start = (await page('now')).body.meta.next_cursor;
    let isDone = false;
    const seen: { id: string; type: string; message_id: string }[] = [];
    const reading = (async () => {
      for (let cursor = start; ; ) {
        const wasDone = isDone;
        const { status, body } = await page(cursor);
        expect(status).toBe(200);
        seen.push(...body.data);
        cursor = body.meta.next_cursor ?? cursor;
        if (wasDone && body.data.length === 0) return;
        await new Promise((resolve) => setTimeout(resolve, 15));
      }
    })();
    const writers = Array.from({ length: WRITERS }, () => fakeUser());
    await race(async (n) => {
      for (let line = 0; line < 6; line += 1)
        expect(
          await receive(
            update.text({ from: writers[n] as (typeof writers)[0], text: `${n}.${line}` }),
            n + line,
          ),
        ).toBe(200);
    });
    await until(async () => (await database.pool`select 1 from outbox limit 1`).length === 0);
    isDone = true;
    await reading;
    expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
    const received = seen
      .filter(({ type }) => type === 'message.received')
      .map(({ message_id }) => message_id);
    const stored = await database.pool<{ id: string }[]>`
      select m.id from messages m join conversations c on c.id = m.conversation_id
      where c.thread_key = any(${writers.map(({ id }) => String(id))})`;
    expect(new Set(received)).toEqual(new Set(stored.map(({ id }) => id)));
    expect(received).toHaveLength(WRITERS * 6);
  });
});

describe('a row', () => {
  it('never points into another business', async () => {
    const { pool } = database;
    const theirs = crypto.randomUUID();
    await pool`insert into businesses (id, name) values (${theirs}, 'Somebody else')`;
    const [ours] = await pool`
      select c.business_id, c.channel_id, c.id as conversation_id, c.customer_id,
        (select id from agents a where a.business_id = c.business_id limit 1) as agent_id
      from conversations c where customer_id is not null limit 1`;
    const { channel_id, conversation_id, customer_id, agent_id } = ours ?? {};
    const [own] = await pool`
      insert into channels (id, business_id, type, name, config) values (gen_random_uuid(), ${theirs}, 'webchat', 'Web', '{}') returning id`;
    const id = () => crypto.randomUUID();
    const refused = {
      'a conversation on a channel': pool`insert into conversations (id, business_id, channel_id, channel_type) values (${id()}, ${theirs}, ${channel_id}, 'x')`,
      'a conversation of a customer': pool`insert into conversations (id, business_id, channel_id, channel_type, customer_id) values (${id()}, ${theirs}, ${own?.['id']}, 'x', ${customer_id})`,
      'a conversation of an agent': pool`insert into conversations (id, business_id, channel_id, channel_type, assignee_id) values (${id()}, ${theirs}, ${own?.['id']}, 'x', ${agent_id})`,
      'a message': pool`insert into messages (id, business_id, conversation_id, channel_id, seq, direction, sender_type, type, content) values (${id()}, ${theirs}, ${conversation_id}, ${own?.['id']}, 1000, 'internal', 'agent', 'note', '')`,
      'an identity on a channel': pool`insert into identities (id, business_id, channel_id, customer_id, kind, address) values (${id()}, ${theirs}, ${channel_id}, ${customer_id}, 'x', 'y')`,
      'an identity of a customer': pool`insert into identities (id, business_id, channel_id, customer_id, kind, address) values (${id()}, ${theirs}, ${own?.['id']}, ${customer_id}, 'x', 'y')`,
      'a thread on a channel': pool`insert into threads (channel_id, thread_key, business_id) values (${channel_id}, 'foreign', ${theirs})`,
      'a thread of a conversation': pool`insert into threads (channel_id, thread_key, business_id, conversation_id) values (${own?.['id']}, 'foreign', ${theirs}, ${conversation_id})`,
      'an attachment': pool`insert into attachments (id, business_id, conversation_id, name, content_type, state) values (${id()}, ${theirs}, ${conversation_id}, 'x', 'y', 'pending')`,
      'a merged customer': pool`insert into customers (id, business_id, merged_into_id) values (${id()}, ${theirs}, ${customer_id})`,
      'a merged conversation': pool`insert into conversations (id, business_id, channel_id, channel_type, merged_into_id) values (${id()}, ${theirs}, ${own?.['id']}, 'x', ${conversation_id})`,
      'a key of an agent': pool`insert into api_keys (id, business_id, agent_id, name, role, key_hash, hint) values (${id()}, ${theirs}, ${agent_id}, 'x', 'agent', 'y', 'z')`,
      'a visitor’s session': pool`insert into visitor_sessions (id, business_id, channel_id, visitor_id, expires_at) values (${id()}, ${theirs}, ${channel_id}, ${id()}, now())`,
    };
    for (const [what, insert] of Object.entries(refused)) {
      const state = await insert.then(
        () => 'stored',
        (error) => sqlState(error),
      );
      expect([what, state]).toEqual([what, '23503']);
    }
  });
});
