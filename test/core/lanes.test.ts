import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/id.ts';
import {
  type LaneKind,
  type Lease,
  leaseHeld,
  scheduleLanes,
  startLanes,
  wakeLanes,
} from '../../src/core/lanes.ts';
import { createLog } from '../../src/core/log.ts';
import { type LaneQueue, openQueue } from '../../src/core/queue.ts';
import { createWake, type Wake } from '../../src/core/wake.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';

const log = createLog('silent');
let database: TestDatabase;
let queue: LaneQueue;
let wake: Wake;
const running: { stop(): Promise<void> }[] = [];
const children: ChildProcess[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  wake = await createWake(undefined, log);
  queue = await openQueue({ redis: undefined, databaseUrl: database.url, log });
});
afterEach(async () => {
  for (const lanes of running.splice(0)) await lanes.stop();
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await database.pool`delete from lanes`;
});
afterAll(async () => {
  await queue.close();
  await wake.close();
  await database.drop();
});

async function start(work: LaneKind['work']): Promise<{ stop(): Promise<void> }> {
  const lanes = await startLanes({
    pool: database.pool,
    queue,
    wake,
    kinds: [{ name: 'deliver', work }],
    concurrency: 10,
    log,
  });
  running.push(lanes);
  return lanes;
}

/** As the dispatcher does: marked due in a transaction, named after it. */
async function tell(...keys: string[]): Promise<void> {
  await database.pool.begin((tx) => wakeLanes(tx, keys));
  await queue.wake(keys);
}

const laneOf = async (key: string) => (await database.pool`select * from lanes where key = ${key}`)[0];

describe('a lane', () => {
  it('is worked when it is woken, and gone when nothing is left', async () => {
    const id = newId();
    const worked: string[] = [];
    await start(async (one) => {
      worked.push(one);
      return null;
    });
    await tell(`deliver:${id}`);
    await until(async () => worked.length === 1 && (await laneOf(`deliver:${id}`)) === undefined);
    expect(worked).toEqual([id]);
  });

  it('is worked again for what became due during the work, by the same holder', async () => {
    const id = newId();
    const tokens: string[] = [];
    await start(async (_, lease) => {
      tokens.push(lease.token);
      if (tokens.length < 4) await database.pool.begin((tx) => wakeLanes(tx, [lease.key]));
      return null;
    });
    await tell(`deliver:${id}`);
    await until(async () => (await laneOf(`deliver:${id}`)) === undefined && tokens.length >= 4);
    expect(tokens).toHaveLength(4);
    expect(new Set(tokens).size).toBe(1);
  });

  it('is worked again when the next thing is due, also when it was woken meanwhile', async () => {
    const id = newId();
    const at: number[] = [];
    await start(async (_, lease) => {
      at.push(Date.now());
      if (at.length === 1) await database.pool.begin((tx) => wakeLanes(tx, [lease.key]));
      return at.length < 3 ? new Date((at[0] ?? 0) + 1_500) : null;
    });
    await tell(`deliver:${id}`);
    await until(() => at.length === 3);
    expect((at[2] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(1_500);
  });

  it('is worked again after its work failed', async () => {
    const id = newId();
    let tries = 0;
    await start(async () => {
      tries += 1;
      if (tries < 3) throw new Error('not yet');
      return null;
    });
    await tell(`deliver:${id}`);
    await until(async () => (await laneOf(`deliver:${id}`)) === undefined);
    expect(tries).toBe(3);
  });

  it('whose wake-up was lost is found by the reconciler', async () => {
    const [forgotten, never] = [newId(), newId()];
    const worked: string[] = [];
    await start(async (id) => {
      worked.push(id);
      return null;
    });
    await database.pool.begin((tx) => wakeLanes(tx, [`deliver:${forgotten}`]));
    await database.pool.begin((tx) => scheduleLanes(tx, [`deliver:${never}`]));
    await until(() => worked.length === 2, 25_000);
    expect(worked).toEqual([never, forgotten]);
  });

  it('tells its holder of wake-ups', async () => {
    const id = newId();
    let heard = 0;
    await start(async (_, lease) => {
      if (heard > 0) return null;
      await lease.woken();
      heard += 1;
      return null;
    });
    await tell(`deliver:${id}`);
    await until(async () => (await laneOf(`deliver:${id}`))?.['lease_token'] != null);
    await tell(`deliver:${id}`);
    await until(() => heard === 1);
  });
});

describe('a lease', () => {
  it('keeps everybody else out, and is lost to whoever takes the lane', async () => {
    const id = newId();
    const leases: Lease[] = [];
    await start(async (_, lease) => {
      leases.push(lease);
      if (leases.length > 1) return null;
      await new Promise((resolve) => lease.signal.addEventListener('abort', resolve));
      return null;
    });
    await tell(`deliver:${id}`);
    await until(() => leases.length === 1);
    await tell(`deliver:${id}`, `deliver:${id}`);
    await sleep(300);
    expect(leases).toHaveLength(1);
    const [lease] = leases as [Lease];
    const held = async () =>
      (await database.pool`select ${leaseHeld(database.pool, lease)} as held`)[0]?.['held'];
    expect(await held()).toBe(true);
    await database.pool`update lanes set lease_token = ${newId()} where key = ${lease.key}`;
    expect(await held()).toBe(false);
    await until(() => lease.signal.aborted, 7_000);
    const other = await laneOf(lease.key);
    await sleep(300);
    expect(await laneOf(lease.key)).toEqual(other);
  });

  it('cannot be taken in the middle of a write that it allowed', async () => {
    const lease = { key: `deliver:${newId()}`, token: newId() } as Lease;
    await database.pool`
      insert into lanes (key, lease_token, lease_expires_at) values (${lease.key}, ${lease.token}, now())`;
    const order: string[] = [];
    let taking: Promise<unknown> = Promise.resolve();
    await database.pool.begin(async (tx) => {
      await tx`select 1 where ${leaseHeld(tx, lease)}`;
      taking = database.pool`update lanes set lease_token = ${newId()} where key = ${lease.key}`.then(() =>
        order.push('taken'),
      );
      await sleep(200);
      order.push('written');
    });
    await taking;
    expect(order).toEqual(['written', 'taken']);
  });
});

describe('stopping', () => {
  it('waits for the work under way, begins nothing new, and leaves the rest to others', async () => {
    const [busy, later] = [newId(), newId()];
    const began: string[] = [];
    let ended = false;
    let wasDraining = false;
    const lanes = await start(async (id, lease) => {
      began.push(id);
      await sleep(600);
      wasDraining = lease.draining;
      ended = true;
      return new Date();
    });
    await tell(`deliver:${busy}`);
    await until(() => began.length === 1);
    const stopping = lanes.stop();
    await tell(`deliver:${later}`);
    await stopping;
    expect([ended, wasDraining, began]).toEqual([true, true, [busy]]);
    const free = await laneOf(`deliver:${busy}`);
    expect(free).toMatchObject({ lease_token: null, due_at: expect.any(Date) });
    running.length = 0;
    await start(async (id) => {
      began.push(id);
      return null;
    });
    await until(() => began.length === 3, 14_000);
    expect(began.slice(1).sort()).toEqual([busy, later].sort());
  });

  it('aborts what takes longer than there is time', async () => {
    const id = newId();
    let aborted = false;
    const lanes = await start(async (_, lease) => {
      await new Promise((resolve) => lease.signal.addEventListener('abort', resolve));
      aborted = true;
      return null;
    });
    await tell(`deliver:${id}`);
    await until(async () => (await laneOf(`deliver:${id}`))?.['lease_token'] != null);
    const startedAt = Date.now();
    await lanes.stop();
    running.length = 0;
    expect(aborted).toBe(true);
    expect(Date.now() - startedAt).toBeGreaterThan(7_500);
    expect(Date.now() - startedAt).toBeLessThan(14_000);
  });
});

describe('two processes', () => {
  async function startChild(holdMs: number): Promise<{ child: ChildProcess; lines(): string[] }> {
    const program = fileURLToPath(new URL('../support/lane-process.ts', import.meta.url));
    const options = JSON.stringify({ databaseUrl: database.url, holdMs });
    const child = spawn(process.execPath, [program, options], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    const lines = () => output.split('\n').slice(0, -1);
    await until(() => lines().includes('ready'));
    return { child, lines };
  }

  it('never work one lane at the same time, however often it is woken', async () => {
    const both = await Promise.all([startChild(30), startChild(30)]);
    const ids = [newId(), newId(), newId()];
    const keys = ids.map((id) => `deliver:${id}`);
    for (let n = 0; n < 60; n += 1) {
      await tell(...keys);
      await sleep(10);
    }
    await until(async () => (await database.pool`select 1 from lanes`).length === 0);
    const steps = () =>
      both
        .flatMap(({ lines }) => lines())
        .filter((line) => line !== 'ready')
        .map((line) => line.split(' '));
    // What they said may come a moment later than what they did.
    await until(() => steps().filter(([what]) => what === 'end').length * 2 === steps().length);
    for (const id of ids) {
      const own = steps().filter(([, of]) => of === id);
      const spans = own
        .filter(([what]) => what === 'begin')
        .map(([, , at]) => Number(at))
        .sort((a, b) => a - b);
      const ends = own
        .filter(([what]) => what === 'end')
        .map(([, , at]) => Number(at))
        .sort((a, b) => a - b);
      expect(spans.length).toBeGreaterThan(5);
      expect(ends).toHaveLength(spans.length);
      for (const [n, end] of ends.slice(0, -1).entries()) expect(spans[n + 1]).toBeGreaterThanOrEqual(end);
    }
  });

  it('take over from each other within 20 s of a kill -9, also when a wake-up came in between', async () => {
    const first = await startChild(60_000);
    const [quiet, woken] = [newId(), newId()];
    await tell(`deliver:${quiet}`, `deliver:${woken}`);
    await until(() => first.lines().length === 3);
    const second = await startChild(0);
    first.child.kill('SIGKILL');
    const killedAt = Date.now();
    await sleep(9_000);
    await tell(`deliver:${woken}`);
    const begun = (id: string) => second.lines().some((line) => line.startsWith(`begin ${id}`));
    await until(() => begun(quiet) && begun(woken), 14_000);
    expect(Date.now() - killedAt).toBeLessThan(20_000);
  }, 60_000);
});
