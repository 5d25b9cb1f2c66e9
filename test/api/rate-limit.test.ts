import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { redisMissing, startRedis } from '../support/redis.ts';

const PER_MINUTE = 1_000;

describe.skipIf(redisMissing())('the requests of one key', () => {
  let redis: Awaited<ReturnType<typeof startRedis>>;
  let database: TestDatabase;
  let gateways: TestGateway[];

  beforeAll(async () => {
    redis = await startRedis();
    database = await createTestDatabase();
    const first = await startTestGateway({ database_: database, redis: { url: redis.url } });
    const second = await startTestGateway({ database_: database, redis: { url: redis.url } });
    gateways = [first, second];
  });
  afterAll(async () => {
    for (const gateway of gateways) await gateway.stop();
    await database.drop();
    await redis.stop();
  });

  async function newKey(): Promise<string> {
    const { body } = await (gateways[0] as TestGateway).call<{ key: string }>('POST', '/api/v1/api-keys', {
      name: 'A key',
    });
    return body.key;
  }

  const ask = (n: number, key: string) =>
    fetch(`${gateways[n % 2]?.url}/api/v1/business`, { headers: { 'x-api-key': key } });

  it('are counted by all processes together, and another key has its own', async () => {
    // Each process counts for itself until it has reached Redis.
    await eventually(async () => {
      const probe = await newKey();
      const left = [await ask(0, probe), await ask(1, probe)].map((it) =>
        it.headers.get('x-ratelimit-remaining'),
      );
      expect(left).toEqual([String(PER_MINUTE - 1), String(PER_MINUTE - 2)]);
    });
    const key = await newKey();
    const statuses: number[] = [];
    let refused: Response | undefined;
    for (let round = 0; round < 11; round++) {
      const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => ask(n, key)));
      statuses.push(...answers.map(({ status }) => status));
      refused ??= answers.find(({ status }) => status === 429);
      for (const answer of answers) await answer.arrayBuffer();
    }
    expect(statuses.filter((status) => status === 200)).toHaveLength(PER_MINUTE);
    expect(statuses.filter((status) => status === 429)).toHaveLength(100);
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused?.headers.get('x-ratelimit-remaining')).toBe('0');
    expect((await ask(0, await newKey())).status).toBe(200);
  }, 60_000);
});
