import { readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Program, startProgram } from '../test/support/program.ts';
import { type Child, startChild } from './child.ts';
import { type Lab, type Subject, temporaryFolder, withGateway } from './lab.ts';
import type { Measured } from './rows.ts';

const DOOR = { count: 20_000, senders: 1_000, connections: 64 };
// Before the clock starts: compiled code, open connections, warm caches; for the floors as for the gateway.
const DOOR_WARM_UP = 4_000;
const PACE = { perSecond: 300, senders: 200, connections: 16 };
const PACED_SECONDS = 10;
const PACED_WARM_UP = 900;
const DELIVERIES = 10_000;
const DELIVERIES_AT_ONCE = 10;
const SENDER_WARM_UP = 1_000;
const IDLE_MS = 10_000;

/** The door, and beside it the two floors, each on a new database. */
export async function measureDoor(lab: Lab, load: Child): Promise<Measured> {
  const floor = startChild('./floor-server.ts');
  const floors = await lab.withDatabase(async (databaseUrl) => {
    const url = await floor.ask<string>('start', { databaseUrl });
    const headers = { 'content-type': 'application/json' };
    return {
      'door: bare handler': await perSecond(load, { url: `${url}/bare`, headers }),
      'door: one insert per request': await perSecond(load, { url: `${url}/insert`, headers }),
    };
  });
  await floor.stop();
  const door = await lab.withDatabase((databaseUrl) =>
    withGateway(databaseUrl, async (subject) => {
      const rate = await perSecond(load, subject.door);
      await expectStored(subject, DOOR_WARM_UP + DOOR.count);
      return rate;
    }),
  );
  return { ...floors, door };
}

async function perSecond(load: Child, target: Subject['door']): Promise<number> {
  await load.ask('burst', { ...target, ...DOOR, from: 0, count: DOOR_WARM_UP });
  const { ms, refused } = await load.ask<{ ms: number; refused: number }>('burst', {
    ...target,
    ...DOOR,
    from: DOOR_WARM_UP,
  });
  if (refused > 0) throw new Error(`${target.url} refused ${refused} requests`);
  return (DOOR.count * 1_000) / ms;
}

async function expectStored({ sql }: Subject, expected: number): Promise<void> {
  const [row] = await sql<{ messages: number; conversations: number }[]>`
    select (select count(*) from messages) as messages, (select count(*) from conversations) as conversations`;
  if (row?.messages === expected && row.conversations === DOOR.senders) return;
  throw new Error(
    `stored ${JSON.stringify(row)} instead of ${expected} messages in ${DOOR.senders} conversations`,
  );
}

/** From the send at the door to an agent's socket. */
export function measureSocket(lab: Lab, load: Child): Promise<Measured> {
  return lab.withDatabase((databaseUrl) =>
    withGateway(databaseUrl, async (subject) => {
      await load.ask('listen', {
        url: subject.url,
        auth: { business_id: subject.businessId, token: subject.apiKey },
      });
      const { p50, p99 } = await pacedDelays(load, subject);
      await load.ask('quiet');
      return { 'socket p50': p50, 'socket p99': p99 };
    }),
  );
}

/** From the send at the door to the subscriber's server; then many deliveries that are due at once. */
export function measureWebhooks(lab: Lab, load: Child): Promise<Measured> {
  return lab.withDatabase((databaseUrl) =>
    withGateway(databaseUrl, async (subject) => {
      const url = await load.ask<string>('receive');
      const endpoint = await subject.call<{ id: string }>('POST', '/webhook-endpoints', {
        url,
        events: ['message.received'],
      });
      const { p50, p99 } = await pacedDelays(load, subject);
      await untilNothingPending(subject);
      await load.ask('received');
      const deliveries = await measureDeliveries(subject, load, endpoint.id);
      const floors = await measureSenders({ load, subject, databaseUrl, url });
      await load.ask('quiet');
      return { 'webhook p50': p50, 'webhook p99': p99, deliveries, ...floors };
    }),
  );
}

async function pacedDelays(load: Child, subject: Subject): Promise<{ p50: number; p99: number }> {
  await load.ask('paced', { ...subject.door, ...PACE, from: 0, count: PACED_WARM_UP });
  const count = PACE.perSecond * PACED_SECONDS;
  const delays = await load.ask<{ p50: number; p99: number; lost: number }>('paced', {
    ...subject.door,
    ...PACE,
    from: PACED_WARM_UP,
    count,
  });
  if (delays.lost > 0) throw new Error(`${delays.lost} of ${count} messages were not heard`);
  return delays;
}

/**
 * Deliveries with the bodies of those just made become due all at once; from the first request to the last stored
 * result. Whole milliseconds, as the gateway writes its times.
 */
async function measureDeliveries(subject: Subject, load: Child, endpointId: string): Promise<number> {
  const { sql } = subject;
  await sql`
    insert into deliveries (id, created_at, business_id, endpoint_id, customer_id, event_id, event_seq, event_type, body, next_attempt_at)
    select uuidv7(), date_trunc('milliseconds', now()), business_id, endpoint_id, customer_id, event_id, event_seq, event_type, body, now()
    from deliveries cross join generate_series(1, 100) limit ${DELIVERIES}`;
  await sql`
    insert into lanes (key, due_at) values (${`deliver:${endpointId}`}, now())
    on conflict (key) do update set due_at = now()`;
  await untilNothingPending(subject);
  const endedAt = performance.timeOrigin + performance.now();
  const { count, firstAt } = await load.ask<{ count: number; firstAt: number }>('received');
  if (count !== DELIVERIES) throw new Error(`${count} of ${DELIVERIES} deliveries were received`);
  return (DELIVERIES * 1_000) / (endedAt - firstAt);
}

async function untilNothingPending({ sql }: Subject): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const pending = await sql`select 1 from deliveries where status = 'pending' limit 1`;
    if (pending.length === 0) return;
    if (Date.now() > deadline) throw new Error('deliveries are still pending after a minute');
    await sleep(20);
  }
}

interface Senders {
  load: Child;
  subject: Subject;
  databaseUrl: string;
  url: string;
}

async function measureSenders({ load, subject, databaseUrl, url }: Senders): Promise<Measured> {
  const rows = await subject.sql<{ body: string }[]>`select body from deliveries limit ${DELIVERIES}`;
  const job = { url, databaseUrl, concurrency: DELIVERIES_AT_ONCE, bodies: rows.map((row) => row.body) };
  const sender = startChild('./floor-sender.ts');
  const rate = async (kind: string) => {
    await sender.ask(kind, { ...job, bodies: job.bodies.slice(0, SENDER_WARM_UP) });
    const ms = await sender.ask<number>(kind, job);
    const { count } = await load.ask<{ count: number }>('received');
    if (count !== SENDER_WARM_UP + DELIVERIES) throw new Error(`${count} posts were received`);
    return (DELIVERIES * 1_000) / ms;
  };
  const measured = {
    'deliveries: bare undici': await rate('bare'),
    'deliveries: undici, insert before and update after': await rate('stored'),
  };
  await sender.stop();
  return measured;
}

/** The embedded shape, as a newcomer starts it: a new folder, then the same folder again, then nothing to do. */
export async function measureStart(): Promise<Measured> {
  const folder = await temporaryFolder();
  const env = { DATA_DIR: `${folder}/data`, LOG_LEVEL: 'warn' };
  const [first, firstMs] = await timedStart(env);
  await first.stop();
  const [later, laterMs] = await timedStart(env);
  await sleep(IDLE_MS);
  const idle = await residentMegabytes(later.pid);
  await later.stop();
  await rm(folder, { recursive: true, force: true });
  return { 'first start': firstMs, 'later start': laterMs, 'idle memory': idle };
}

async function timedStart(env: Record<string, string>): Promise<[Program, number]> {
  const begunAt = performance.now();
  const program = await startProgram(env);
  return [program, performance.now() - begunAt];
}

async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1_024;
}
