import { setTimeout as sleep } from 'node:timers/promises';
import { redisMissing, startRedis } from '../test/support/redis.ts';
import { type Child, startChild } from './child.ts';
import { type Lab, type Subject, withGateway } from './lab.ts';
import { pacedDelays, residentMegabytes } from './measure.ts';
import type { Measured } from './rows.ts';

const DELIVERIES = 10_000;
const DELIVERIES_AT_ONCE = 10;
const SENDER_WARM_UP = 1_000;
const MANY = 100;
const DUE = 100_000;
const DUE_SECONDS = 10;
const ISOLATION = { perSecond: 100, senders: MANY, connections: 16 };
const ISOLATION_SECONDS = 60;

/** From the send at the door to the subscriber's server, and many deliveries that are due at once, on both backends. */
export async function measureWebhooks(lab: Lab, load: Child): Promise<Measured> {
  const onPostgres = await measureBackend(lab, load, {});
  if (redisMissing()) return onPostgres;
  const redis = await startRedis();
  const onRedis = await measureBackend(lab, load, { REDIS_URL: redis.url });
  await redis.stop();
  const named = Object.entries(onRedis).map(([name, value]) => [`${name} on Redis`, value]);
  return { ...onPostgres, ...Object.fromEntries(named) };
}

function measureBackend(lab: Lab, load: Child, env: Record<string, string>): Promise<Measured> {
  const measure = async (subject: Subject, databaseUrl: string): Promise<Measured> => {
    const url = await load.ask<string>('receive');
    const [one = ''] = await subscribe(subject, [url]);
    const { p50, p99 } = await pacedDelays(load, subject);
    await untilNothingPending(subject);
    await load.ask('received');
    const deliveries = await measureDeliveries(subject, load, [one]);
    const others = await subscribe(
      subject,
      Array.from({ length: MANY }, (_, n) => `${url}${n}`),
    );
    const many = await measureDeliveries(subject, load, others);
    const isPlain = Object.keys(env).length === 0;
    const floors = isPlain ? await measureSenders({ load, subject, databaseUrl, url }) : {};
    await load.ask('quiet');
    return { 'webhook p50': p50, 'webhook p99': p99, deliveries, [`deliveries to ${MANY}`]: many, ...floors };
  };
  return lab.withDatabase((databaseUrl) =>
    withGateway(databaseUrl, (subject) => measure(subject, databaseUrl), env),
  );
}

async function subscribe({ call }: Subject, urls: string[], fields: object = {}): Promise<string[]> {
  const ids: string[] = [];
  for (const url of urls) {
    const body = { url, events: ['message.received'], ...fields };
    ids.push((await call<{ id: string }>('POST', '/webhook-endpoints', body)).id);
  }
  return ids;
}

/**
 * Deliveries with the bodies of those just made become due all at once; from the first request to the last stored
 * result. Whole milliseconds, as the gateway writes its times.
 */
async function measureDeliveries(subject: Subject, load: Child, endpointIds: string[]): Promise<number> {
  await makeDue(subject, endpointIds, DELIVERIES);
  await untilNothingPending(subject);
  const endedAt = performance.timeOrigin + performance.now();
  const { count, firstAt } = await load.ask<{ count: number; firstAt: number }>('received');
  if (count !== DELIVERIES) throw new Error(`${count} of ${DELIVERIES} deliveries were received`);
  return (DELIVERIES * 1_000) / (endedAt - firstAt);
}

async function makeDue({ sql }: Subject, endpointIds: string[], count: number): Promise<void> {
  await sql`
    insert into deliveries (id, created_at, business_id, endpoint_id, customer_id, event_id, event_seq, event_type, body, next_attempt_at)
    select uuidv7(), date_trunc('milliseconds', now()), business_id,
      (${endpointIds}::uuid[])[1 + n % ${endpointIds.length}::int], customer_id, event_id, event_seq, event_type, body, now()
    from (
      select *, row_number() over () as n from (
        select * from deliveries limit 1000) kept cross join generate_series(1, ${count / 1_000}::int)) made`;
  await sql`
    insert into lanes (key, due_at) select 'deliver:' || id, now() from unnest(${endpointIds}::text[]) as id
    on conflict (key) do update set due_at = now()`;
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

/**
 * A hundred endpoints, each for one of a hundred senders, at a hundred messages a second: as they are, and with one that never
 * answers and one that takes a second.
 */
export async function measureIsolation(lab: Lab, load: Child): Promise<Measured> {
  const alone = await isolated(lab, load, []);
  const beside = await isolated(lab, load, ['black-hole', 'slow']);
  return { 'alone p99': alone, 'beside broken ones p99': beside, 'isolation ratio': beside / alone };
}

function isolated(lab: Lab, load: Child, broken: string[]): Promise<number> {
  return lab.withDatabase((databaseUrl) =>
    withGateway(databaseUrl, async (subject) => {
      const url = await load.ask<string>('receive');
      for (let sender = 0; sender < MANY; sender += 1) {
        const filter = { 'customer.name': `Sender ${sender}` };
        await subscribe(subject, [`${url}${broken[sender] ?? sender}`], { filter });
      }
      const pace = { ...ISOLATION, seconds: ISOLATION_SECONDS, unheard: broken.length / MANY };
      const { p99 } = await pacedDelays(load, subject, pace);
      await load.ask('quiet');
      return p99;
    }),
  );
}

/** What the process holds while very many deliveries are due and their receiver takes its time. */
export function measureBacklog(lab: Lab, load: Child): Promise<Measured> {
  return lab.withDatabase((databaseUrl) =>
    withGateway(databaseUrl, async (subject) => {
      const url = await load.ask<string>('receive');
      await subscribe(subject, [url]);
      await pacedDelays(load, subject);
      const slow = await subscribe(
        subject,
        Array.from({ length: MANY }, () => `${url}slow`),
      );
      await makeDue(subject, slow, DUE);
      await sleep(DUE_SECONDS * 1_000);
      const memory = await residentMegabytes(subject.pid);
      await load.ask('quiet');
      return { 'memory with much due': memory };
    }),
  );
}
