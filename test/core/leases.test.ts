import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { holdLease } from '../../src/core/leases.ts';
import { createLog } from '../../src/core/log.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';

const options = { ttlMs: 300, log: createLog('silent') };

describe('a lease', () => {
  let database: TestDatabase;
  let holders: { stop(): Promise<void> }[] = [];
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterEach(async () => {
    for (const holder of holders) await holder.stop();
    holders = [];
  });
  afterAll(() => database.drop());

  function hold(key: string, work: (signal: AbortSignal) => Promise<void>, ttlMs = options.ttlMs) {
    const holder = holdLease(database.pool, { key, ...options, ttlMs }, work);
    holders.push(holder);
    return holder;
  }

  it('is held by one of two who race for it, for longer than its time to live', async () => {
    let working = 0;
    let most = 0;
    let begun = 0;
    const work = async (signal: AbortSignal) => {
      begun += 1;
      most = Math.max(most, ++working);
      await aborted(signal);
      working -= 1;
    };
    // Long enough that a busy machine does not lose it.
    for (let n = 0; n < 2; n++) hold('race', work, 1_500);
    await sleep(2_000);
    expect([begun, most, working]).toEqual([1, 1, 1]);
  });

  it('passes to the other at once when the holder stops', async () => {
    const begun: string[] = [];
    const first = hold('pass', async (signal) => {
      begun.push('first');
      await aborted(signal);
    });
    await until(() => begun.length === 1);
    hold('pass', async (signal) => {
      begun.push('second');
      await aborted(signal);
    });
    await first.stop();
    expect(
      await database.pool`select 1 from leases where key = 'pass' and expires_at > now() + interval '1 minute'`,
    ).toEqual([]);
    await until(() => begun.includes('second'));
  });

  it('waits at stop for the work to end', async () => {
    let ended = false;
    const holder = hold('wait', async (signal) => {
      await aborted(signal);
      await sleep(100);
      ended = true;
    });
    await until(async () => (await database.pool`select 1 from leases where key = 'wait'`).length === 1);
    await holder.stop();
    expect(ended).toBe(true);
    expect(await database.pool`select 1 from leases where key = 'wait'`).toHaveLength(0);
  });

  it('aborts the signal when another took it', async () => {
    let lost: AbortSignal | undefined;
    hold('taken', async (signal) => {
      lost ??= signal;
      await aborted(signal);
    });
    await until(() => lost !== undefined);
    await database.pool`
      update leases set token = gen_random_uuid(), expires_at = now() + interval '1 minute' where key = 'taken'`;
    await until(() => lost?.aborted === true);
    expect(await database.pool`select 1 from leases where key = 'taken'`).toHaveLength(1);
  });

  it('is taken over after its time to live when the holder died', async () => {
    await database.pool`
      insert into leases (key, token, expires_at)
      values ('dead', gen_random_uuid(), now() + interval '400 milliseconds')`;
    const since = Date.now();
    let begun = false;
    hold('dead', async (signal) => {
      begun = true;
      await aborted(signal);
    });
    await until(() => begun);
    expect(Date.now() - since).toBeGreaterThanOrEqual(390);
  });

  it('aborts the signal when it could not be renewed in time', async () => {
    let signal: AbortSignal | undefined;
    hold('stuck', async (given) => {
      signal ??= given;
      await aborted(given);
    });
    await until(() => signal !== undefined);
    // A lock on the row: no renewal gets through while it is held.
    await database.pool.begin(async (tx) => {
      await tx`select 1 from leases where key = 'stuck' for update`;
      await until(() => signal?.aborted === true);
    });
  });

  it('is begun again after work that failed or ended', async () => {
    let runs = 0;
    hold('again', async () => {
      runs += 1;
      if (runs === 1) throw new Error('no luck');
    });
    await until(() => runs >= 3);
  });
});

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve());
  });
}
