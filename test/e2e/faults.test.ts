import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connect, type Pool } from '../../src/core/database/connect.ts';
import { type EmbeddedPostgres, startEmbedded } from '../../src/core/database/embedded.ts';
import { createLog } from '../../src/core/log.ts';
import { createTestDatabase } from '../support/database.ts';
import { type Program, startProgram } from '../support/program.ts';
import { freePort, redisMissing, startRedis } from '../support/redis.ts';
import { startRelay } from '../support/relay.ts';
import { type FakeTelegram, type FakeUser, fakeUser, startTelegram, update } from '../support/telegram.ts';
import { until } from '../support/until.ts';

/*
 * What is kept when processes, the database or Redis die under load: whole programs, killed without warning.
 */

vi.setConfig({ testTimeout: 100_000, hookTimeout: 60_000 });

const API_KEY = 'the-owner-key-of-the-test-of-faults';
const DOOR_SECRET = 'the-secret-of-the-door';

let dataDir: string;
let telegram: FakeTelegram;
let receiver: Receiver;
const programs: Program[] = [];
const closing: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tributary-faults-'));
  await chmod(dataDir, 0o711);
  telegram = await startTelegram({ answerAfterMs: 60 });
  receiver = await startReceiver();
});
afterEach(async () => {
  for (const program of programs.splice(0)) await program.stop();
  for (const close of closing.splice(0).reverse()) await close();
  await telegram.close();
  await receiver.close();
  await rm(dataDir, { recursive: true, force: true });
});

interface Receiver {
  url: string;
  /** Every delivery that was taken: where, and under which webhook-id. */
  taken: { path: string; id: string; body: string }[];
  /** Requests that are open just now. */
  open: number;
  /** Requests whose answer may not have been written down yet: those that are open, and those just answered. */
  unsettled(): number;
  /** Takes nothing until it is released: requests wait, or end with those who made them. */
  hold(): void;
  release(): void;
  close(): Promise<void>;
}

// Answers are stored together, and the database is busy: on a slow machine that takes its time.
const STORING_MS = 250;

async function startReceiver(answerAfterMs = 60): Promise<Receiver> {
  let gate = Promise.withResolvers<void>();
  gate.resolve();
  const closedAt: number[] = [];
  const server = createServer(async (request, response) => {
    receiving.open += 1;
    response.on('close', () => {
      receiving.open -= 1;
      closedAt.push(Date.now());
    });
    let body = '';
    for await (const chunk of request) body += chunk;
    await gate.promise;
    if (response.destroyed) return;
    receiving.taken.push({ path: request.url ?? '', id: String(request.headers['webhook-id']), body });
    await sleep(answerAfterMs);
    response.end('ok');
  }).on('clientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const receiving: Receiver = {
    url: `http://127.0.0.1:${port}`,
    taken: [],
    open: 0,
    unsettled: () => receiving.open + closedAt.filter((at) => at > Date.now() - STORING_MS).length,
    hold() {
      gate = Promise.withResolvers<void>();
    },
    release: () => gate.resolve(),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiving;
}

interface Site {
  url: string;
  /** Carries on with whatever failed until it is answered as it should be, as providers and clients do. */
  insist(path: string, expected: number, options: Asking): Promise<string>;
}

interface Asking {
  body: unknown;
  headers?: Record<string, string>;
}

function siteAt(url: string): Site {
  return {
    url,
    async insist(path, expected, { body, headers = {} }) {
      for (;;) {
        const response = await fetch(`${url}${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${API_KEY}`, ...headers },
          body: JSON.stringify(body),
        }).catch(() => undefined);
        const text = await response?.text().catch(() => undefined);
        if (response?.status === expected && text !== undefined) return text;
        if (response !== undefined && ![429, 500, 502, 503, expected].includes(response.status))
          throw new Error(`${path} answered ${response.status}: ${text}`);
        await sleep(50);
      }
    },
  };
}

const environment = (more: Record<string, string>) => ({
  DATA_DIR: dataDir,
  BOOTSTRAP_API_KEY: API_KEY,
  PUBLIC_URL: 'https://chat.example',
  EGRESS_ALLOW: '127.0.0.0/8',
  DRAIN_DELAY: '0',
  LOG_LEVEL: 'error',
  ...more,
});

async function start(env: Record<string, string>): Promise<Program> {
  const program = await startProgram(environment(env), { detached: true });
  programs.push(program);
  return program;
}

/** The whole group at once, as the kernel does it. */
async function killGroup(program: Program): Promise<void> {
  programs.splice(programs.indexOf(program), 1);
  process.kill(-program.pid, 'SIGKILL');
  await program.ended;
}

async function openChannel(site: Site): Promise<string> {
  const config = { ...telegram.config, secret_token: DOOR_SECRET };
  return JSON.parse(await site.insist('/api/v1/channels', 201, { body: { type: 'telegram', config } })).id;
}

const subscribe = (site: Site, path: string, events: string[]) =>
  site.insist('/api/v1/webhook-endpoints', 201, { body: { url: `${receiver.url}${path}`, events } });

/** One customer's messages, the next when the one before was acknowledged. */
async function customerWrites(
  site: Site,
  channelId: string,
  { from, count, acknowledged }: Writing,
): Promise<void> {
  telegram.know(from.id);
  for (let n = 0; n < count; n += 1) {
    const headers = { 'x-telegram-bot-api-secret-token': DOOR_SECRET };
    const text = `in ${from.id} ${String(n).padStart(3, '0')}`;
    await site.insist(`/webhooks/telegram/${channelId}`, 200, { body: update.text({ from, text }), headers });
    acknowledged.push(text);
  }
}

interface Writing {
  from: FakeUser;
  count: number;
  acknowledged: string[];
}

/** An agent's answers in one conversation, each asked for until it was accepted, under one Idempotency-Key. */
async function agentWrites(
  site: Site,
  pool: Pool,
  { from, count, accepted, turn }: Answering,
): Promise<void> {
  let id: string | undefined;
  await until(async () => {
    const rows = await pool<
      { id: string }[]
    >`select id from conversations where thread_key = ${String(from.id)}`.catch(() => []);
    id = rows[0]?.id;
    return id !== undefined;
  }, 60_000);
  for (let n = 0; n < count; n += 1) {
    await turn(n / count);
    const content = `out ${from.id} ${n}`;
    const headers = { 'idempotency-key': `${from.id}-${n}` };
    const text = await site.insist(`/api/v1/conversations/${id}/messages`, 202, {
      body: { content },
      headers,
    });
    accepted.push(JSON.parse(text).id);
  }
}

interface Answering {
  from: FakeUser;
  count: number;
  accepted: string[];
  /** Resolves when so much of the work is done, so that sends are under way all the time. */
  turn(share: number): Promise<void>;
}

/** The turns of one of many agents, in step with what customers write. */
function turns(
  acknowledged: string[],
  { total, agent, agents }: { total: number; agent: number; agents: number },
) {
  return async (share: number) => {
    while (acknowledged.length < total * 0.9 * (share + agent / agents / 10)) await sleep(5);
  };
}

async function expectInboundOnce(pool: Pool, acknowledged: string[]): Promise<void> {
  const stored = await pool<{ content: string; conversation_id: string; seq: number }[]>`
    select content, conversation_id, seq from messages where direction = 'inbound' order by conversation_id, seq`;
  expect(stored).toHaveLength(acknowledged.length);
  expect(new Set(stored.map(({ content }) => content))).toEqual(new Set(acknowledged));
  for (const [, own] of Map.groupBy(stored, ({ conversation_id }) => conversation_id)) {
    const texts = own.map(({ content }) => content);
    expect(texts).toEqual([...texts].sort());
  }
  const gaps = await pool`
    select conversation_id from messages group by conversation_id having max(seq) <> count(*) or min(seq) <> 1`;
  expect(gaps).toHaveLength(0);
  await until(async () => (await pool`select 1 from outbox limit 1`).length === 0, 20_000);
  const events = await pool`
    select m.id from messages m left join events e on e.message_id = m.id and e.type = 'message.received'
    where m.direction = 'inbound' group by m.id having count(e.id) <> 1`;
  expect(events).toHaveLength(0);
}

/** Every message went once, in its conversation's order, or nobody can know whether it went. */
async function expectSentOnce(pool: Pool, accepted: string[]): Promise<void> {
  const settled = async () =>
    pool<
      { id: string; content: string; status: string; error: { code: string } | null; thread_key: string }[]
    >`
      select m.id, m.content, m.status, m.error, c.thread_key from messages m join conversations c on c.id = m.conversation_id
      where m.direction = 'outbound' order by m.conversation_id, m.seq`;
  await until(
    async () => (await settled()).every(({ status }) => status === 'sent' || status === 'failed'),
    45_000,
    100,
  );
  const messages = await settled();
  expect(new Set(messages.map(({ id }) => id))).toEqual(new Set(accepted));
  expect(messages).toHaveLength(accepted.length);
  expect(telegram.doubled()).toEqual([]);
  const unknown = messages.filter(({ status }) => status === 'failed');
  for (const { error } of unknown) expect(error).toMatchObject({ code: 'outcome_unknown' });
  for (const [chat, own] of Map.groupBy(messages, ({ thread_key }) => thread_key)) {
    const shown = telegram.shown(Number(chat)).map(({ text }) => text);
    const certain = own.filter(({ status }) => status === 'sent').map(({ content }) => content);
    expect(shown.filter((text) => certain.includes(text))).toEqual(certain);
    const order = own.map(({ content }) => content).filter((content) => shown.includes(content));
    expect(shown).toEqual(order);
  }
}

/** Every event that was due arrived, each under one id with one body; repeated are only those that were on their way. */
async function expectDelivered(
  pool: Pool,
  { type, atMostRepeated }: { type: string; atMostRepeated: number },
): Promise<void> {
  const due = (await pool<{ id: string }[]>`select id from events where type = ${type}`).map(({ id }) => id);
  await until(() => new Set(receiver.taken.map(({ id }) => id)).size >= due.length, 45_000, 50);
  await until(
    async () => (await pool`select 1 from deliveries where status <> 'delivered' limit 1`).length === 0,
    20_000,
    50,
  );
  expect(new Set(receiver.taken.map(({ id }) => id))).toEqual(new Set(due));
  expect(receiver.taken.length - due.length).toBeLessThanOrEqual(atMostRepeated);
  for (const [, copies] of Map.groupBy(receiver.taken, ({ id }) => id))
    expect(new Set(copies.map(({ body }) => body)).size).toBe(1);
}

describe('a kill -9 of the whole process group', () => {
  it('loses and doubles nothing of what was received, sent and delivered', async () => {
    const env = { PORT: String(await freePort()) };
    let program = await start(env);
    const site = siteAt(program.url);
    const channelId = await openChannel(site);
    await subscribe(site, '/hook', ['message.created']);
    const pool = connect(await embeddedUrl(), { max: 4 });
    closing.push(() => pool.end({ timeout: 5 }));

    const [acknowledged, accepted]: [string[], string[]] = [[], []];
    const customers = Array.from({ length: 40 }, () => fakeUser());
    const working = Promise.all([
      ...customers.map((from) => customerWrites(site, channelId, { from, count: 50, acknowledged })),
      ...customers.slice(0, 20).map((from, agent) => {
        const turn = turns(acknowledged, { total: 2_000, agent, agents: 20 });
        return agentWrites(site, pool, { from, count: 10, accepted, turn });
      }),
    ]);
    let lost = 0;
    for (const share of [0.3, 0.7]) {
      await until(() => acknowledged.length > 2_000 * share && receiver.open > 0, 40_000);
      await killGroup(program);
      receiver.hold();
      program = await start(env);
      lost += await unwritten(pool);
      receiver.release();
    }
    await working;

    expect([acknowledged.length, accepted.length]).toEqual([2_000, 200]);
    await expectInboundOnce(pool, acknowledged);
    await expectSentOnce(pool, accepted);
    await expectDelivered(pool, { type: 'message.created', atMostRepeated: lost });
  });

  /** How many deliveries were taken without anybody having written it down: each comes once more. */
  async function unwritten(pool: Pool): Promise<number> {
    const taken = receiver.taken.map(({ id }) => id);
    const rows = await pool`
      select 1 from deliveries where event_id = any(${taken}) and status <> 'delivered'`;
    return rows.length;
  }

  /** The embedded database, whose password and port only DATA_DIR knows. */
  async function embeddedUrl(): Promise<string> {
    const postmaster = await readFile(join(dataDir, 'postgres', 'data', 'postmaster.pid'), 'utf8');
    const password = await readFile(join(dataDir, 'postgres', 'password'), 'utf8');
    return `postgres://tributary:${password.trim()}@127.0.0.1:${postmaster.split('\n')[3]}/postgres`;
  }
});

describe('a Postgres that crashes under load', () => {
  it('comes back to a gateway that lost and doubled nothing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tributary-faults-pg-'));
    await chmod(folder, 0o711);
    closing.push(() => rm(folder, { recursive: true, force: true }));
    const open = () => startEmbedded({ dataDir: join(folder, 'data'), log: createLog('silent') });
    let postgres: EmbeddedPostgres = await open();
    closing.push(() => postgres.stop());
    const relay = await startRelay(postgres.url);
    closing.push(relay.stop);
    const { url } = await start({ DATABASE_URL: relay.url, SECRET_KEY: 'a secret key of this test' });
    const site = siteAt(url);
    const channelId = await openChannel(site);
    await subscribe(site, '/hook', ['message.created']);
    const pool = connect(relay.url, { max: 4 });
    closing.push(() => pool.end({ timeout: 5 }));

    const [acknowledged, accepted]: [string[], string[]] = [[], []];
    const customers = Array.from({ length: 20 }, () => fakeUser());
    const working = Promise.all([
      ...customers.map((from) => customerWrites(site, channelId, { from, count: 40, acknowledged })),
      ...customers.slice(0, 10).map((from, agent) => {
        const turn = turns(acknowledged, { total: 800, agent, agents: 10 });
        return agentWrites(site, pool, { from, count: 6, accepted, turn });
      }),
    ]);
    await until(() => acknowledged.length > 250 && receiver.open > 0, 40_000);
    const pid = Number(
      (await readFile(join(folder, 'data', 'postgres', 'data', 'postmaster.pid'), 'utf8')).split('\n')[0],
    );
    const inFlight = receiver.unsettled();
    process.kill(pid, 'SIGKILL');
    await relay.cut();
    await postgres.stop();
    postgres = await open();
    await relay.restore(postgres.url);
    await working;

    await expectInboundOnce(pool, acknowledged);
    await expectSentOnce(pool, accepted);
    // The results of requests that were answered while the database was away are lost with it, too.
    await expectDelivered(pool, { type: 'message.created', atMostRepeated: inFlight + 50 });
  });
});

describe('a way to Postgres that breaks again and again', () => {
  it('costs time and nothing else', async () => {
    const database = await createTestDatabase({ max: 4 });
    closing.push(database.drop);
    const relay = await startRelay(database.url);
    closing.push(relay.stop);
    const program = await start({ DATABASE_URL: relay.url, SECRET_KEY: 'a secret key of this test' });
    const site = siteAt(program.url);
    const channelId = await openChannel(site);
    await subscribe(site, '/hook', ['message.created']);

    const [acknowledged, accepted]: [string[], string[]] = [[], []];
    const customers = Array.from({ length: 20 }, () => fakeUser());
    const working = Promise.all([
      ...customers.map((from) => customerWrites(site, channelId, { from, count: 30, acknowledged })),
      ...customers.slice(0, 10).map((from, agent) => {
        const turn = turns(acknowledged, { total: 600, agent, agents: 10 });
        return agentWrites(site, database.pool, { from, count: 6, accepted, turn });
      }),
    ]);
    let inFlight = 0;
    for (let cut = 0; cut < 12; cut += 1) {
      await sleep(80 + 20 * (cut % 4));
      inFlight += receiver.unsettled();
      await relay.cut();
      await sleep(30);
      await relay.restore();
    }
    const ended = program.ended.then((code) =>
      Promise.reject(new Error(`it ended with ${code}: ${program.output()}`)),
    );
    await Promise.race([working, ended]);
    ended.catch(() => {});

    await expectInboundOnce(database.pool, acknowledged);
    await expectSentOnce(database.pool, accepted);
    await expectDelivered(database.pool, { type: 'message.created', atMostRepeated: inFlight + 50 });
  });
});

describe.skipIf(redisMissing())('a Redis that forgets everything', () => {
  it('costs the distributed shape no delivery', async () => {
    const database = await createTestDatabase({ max: 4 });
    closing.push(database.drop);
    const redis = await startRedis();
    closing.push(redis.stop);
    const env = { DATABASE_URL: database.url, REDIS_URL: redis.url, SECRET_KEY: 'a secret key of this test' };
    const api = await start({ ...env, ROLE: 'api' });
    const worker = await start({ ...env, ROLE: 'worker' });
    const site = siteAt(api.url);
    const channelId = await openChannel(site);
    const paths = Array.from({ length: 20 }, (_, n) => `/hook/${n}`);
    for (const path of paths) await subscribe(site, path, ['message.received']);

    receiver.hold();
    const acknowledged: string[] = [];
    await Promise.all(
      Array.from({ length: 5 }, () =>
        customerWrites(site, channelId, { from: fakeUser(), count: 10, acknowledged }),
      ),
    );
    const due = async () =>
      (
        await database.pool<
          { n: number }[]
        >`select count(*)::int as n from deliveries where status = 'pending'`
      )[0]?.n;
    await until(async () => (await due()) === 1_000, 15_000, 50);
    await killGroup(worker);
    const client = new Redis(redis.url);
    closing.push(async () => client.disconnect());
    await client.flushall();
    receiver.release();
    await start({ ...env, ROLE: 'worker' });
    await until(() => receiver.taken.length >= 300, 30_000);
    await client.flushall();
    await until(async () => (await due()) === 0, 40_000, 50);
    const arrived = receiver.taken.map(({ path, id }) => `${path} ${id}`);
    expect(new Set(arrived).size).toBe(1_000);
    expect(new Set(receiver.taken.map(({ path }) => path))).toEqual(new Set(paths));
  });
});
