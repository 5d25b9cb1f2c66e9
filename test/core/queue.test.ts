import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLog } from '../../src/core/log.ts';
import { openQueue } from '../../src/core/queue.ts';
import { queueContract } from '../contracts/queue.ts';
import { createTestDatabase } from '../support/database.ts';
import { redisMissing, startRedis, type TestRedis } from '../support/redis.ts';
import { startRelay } from '../support/relay.ts';
import { until } from '../support/until.ts';

queueContract('Postgres', async () => {
  const database = await createTestDatabase({ migrated: false, max: 1 });
  const relay = await startRelay(database.url);
  return {
    options: { redis: undefined, databaseUrl: relay.url },
    cut: relay.cut,
    restore: relay.restore,
    async stop() {
      await relay.stop();
      await database.drop();
    },
  };
});

describe.skipIf(redisMissing())('with Redis', () => {
  queueContract('Redis', async () => {
    const redis = await startRedis();
    const relay = await startRelay(redis.url);
    return {
      options: { redis: { url: relay.url }, databaseUrl: 'postgres://unused' },
      cut: relay.cut,
      restore: relay.restore,
      async stop() {
        await relay.stop();
        await redis.stop();
      },
    };
  });

  describe('a flushed Redis', () => {
    let redis: TestRedis;
    beforeAll(async () => {
      redis = await startRedis();
    });
    afterAll(() => redis.stop());

    it('does not stop a worker, whether it waits or works', async () => {
      const queue = await openQueue({ redis, databaseUrl: 'postgres://unused', log: createLog('silent') });
      const seen: string[] = [];
      let finish = () => {};
      const worker = await queue.work(
        async (key) => {
          seen.push(key);
          if (key === 'send:long') await new Promise<void>((resolve) => (finish = resolve));
        },
        { concurrency: 4 },
      );
      const admin = new Redis(redis.url);
      await queue.wake(['send:long']);
      await until(() => seen.includes('send:long'));
      await admin.flushall();
      await queue.wake(['send:meanwhile']);
      await until(() => seen.includes('send:meanwhile'));
      await admin.flushall();
      finish();
      for (let n = 0; n < 10; n++) {
        await admin.flushall();
        await queue.wake([`send:after-${n}`]);
        await until(() => seen.includes(`send:after-${n}`));
      }
      expect(seen).toHaveLength(12);
      await worker.close();
      await queue.close();
      admin.disconnect();
    });
  });
});
