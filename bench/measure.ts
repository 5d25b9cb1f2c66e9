import { readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Program, startProgram } from '../test/support/program.ts';
import { type Child, startChild } from './child.ts';
import { type Lab, type Subject, temporaryFolder, withGateway } from './lab.ts';
import type { Delays } from './load.ts';
import type { Target } from './requests.ts';
import type { Measured } from './rows.ts';

/** How many messages a door is measured with, of how many senders. */
export const DOOR = { count: 20_000, senders: 1_000, connections: 64 };
// Before the clock starts: compiled code, open connections, warm caches; for the floors as for the gateway.
export const DOOR_WARM_UP = 4_000;
const PACE = { perSecond: 300, senders: 200, connections: 16 };
const PACED_SECONDS = 10;
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

/** How many requests a door answers. */
export async function perSecond(load: Child, target: Target): Promise<number> {
  await load.ask('burst', { ...target, ...DOOR, from: 0, count: DOOR_WARM_UP });
  const { ms, refused } = await load.ask<{ ms: number; refused: number }>('burst', {
    ...target,
    ...DOOR,
    from: DOOR_WARM_UP,
  });
  if (refused > 0) throw new Error(`${target.url} refused ${refused} requests`);
  return (DOOR.count * 1_000) / ms;
}

/** Throws where a message of a measurement is missing. */
export async function expectStored({ sql }: Subject, expected: number): Promise<void> {
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

/** A warm-up, then messages at an even pace; how long each took to be heard. */
export async function pacedDelays(
  load: Child,
  subject: Subject,
  { seconds, unheard = 0, from = 0, ...pace }: Pace = { ...PACE, seconds: PACED_SECONDS },
): Promise<Delays> {
  const warmUp = 3 * pace.perSecond;
  await load.ask('paced', { ...subject.door, ...pace, from, count: warmUp });
  const count = pace.perSecond * seconds;
  const delays = await load.ask<Delays>('paced', {
    ...subject.door,
    ...pace,
    from: from + warmUp,
    count,
  });
  if (delays.lost > unheard * count) throw new Error(`${delays.lost} of ${count} messages were not heard`);
  return delays;
}

interface Pace {
  perSecond: number;
  senders: number;
  connections: number;
  seconds: number;
  /** The share of messages that nobody hears. */
  unheard?: number;
  /** The number of the first message. */
  from?: number;
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

/** What the process holds in memory. */
export async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1_024;
}
