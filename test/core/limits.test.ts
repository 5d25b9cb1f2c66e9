import { describe, expect, it } from 'vitest';
import { createRateLimits } from '../../src/core/limits.ts';
import { createLog } from '../../src/core/log.ts';
import { limitsContract } from '../contracts/limits.ts';
import { redisMissing, startRedis } from '../support/redis.ts';
import { startRelay } from '../support/relay.ts';
import { until } from '../support/until.ts';

const log = createLog('silent');

limitsContract('in memory', async () => createRateLimits(undefined, log));

describe.skipIf(redisMissing())('with Redis', () => {
  limitsContract('on Redis', async () => {
    const redis = await startRedis();
    const limits = createRateLimits(redis, log);
    return { ...limits, close: () => limits.close().then(redis.stop) };
  });

  it('counts the requests of all processes together', async () => {
    const redis = await startRedis();
    const processes = [createRateLimits(redis, log), createRateLimits(redis, log)];
    const four = { points: 4, durationSeconds: 60 };
    for (const each of processes)
      await until(async () => (await each.consume('ready', 'x', four)).limit === 4);
    await until(async () => {
      // Counted in Redis as soon as both are connected.
      const [a, b] = await Promise.all(
        processes.map((each) => each.consume(`probe-${Date.now()}`, 'x', four)),
      );
      return Math.min(a?.remaining ?? 4, b?.remaining ?? 4) === 2;
    });
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => processes[n % 2]?.consume('api', 'shared', four)),
    );
    expect(answers.filter((answer) => answer?.allowed)).toHaveLength(4);
    for (const each of processes) await each.close();
    await redis.stop();
  });

  it('goes on counting in memory while Redis is away', async () => {
    const redis = await startRedis();
    const relay = await startRelay(redis.url);
    const limits = createRateLimits({ url: relay.url }, log);
    const two = { points: 2, durationSeconds: 60 };
    await limits.consume('api', 'before', two);
    await relay.cut();
    const allowed: boolean[] = [];
    for (let n = 0; n < 3; n++) {
      const askedAt = Date.now();
      allowed.push((await limits.consume('api', 'away', two)).allowed);
      expect(Date.now() - askedAt).toBeLessThan(5_000);
    }
    expect(allowed).toEqual([true, true, false]);
    await relay.restore();
    await limits.close();
    await relay.stop();
    await redis.stop();
  });
});
