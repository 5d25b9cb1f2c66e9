import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLog } from '../../src/core/log.ts';
import { createWake, type Wake } from '../../src/core/wake.ts';
import { wakeContract } from '../contracts/wake.ts';
import { freePort, redisMissing, startRedis, type TestRedis } from '../support/redis.ts';
import { type Relay, startRelay } from '../support/relay.ts';
import { until } from '../support/until.ts';

const log = createLog('silent');

wakeContract('in process', () => createWake(undefined, log));

describe.skipIf(redisMissing())('with Redis', () => {
  wakeContract('over Redis', async () => {
    const redis = await startRedis();
    const wake = await createWake(redis, log);
    return { ...wake, close: () => wake.close().then(redis.stop) };
  });

  describe('between processes', () => {
    let redis: TestRedis;
    let relay: Relay;
    let here: Wake;
    let there: Wake;
    let heard: (string | undefined)[];

    beforeEach(async () => {
      redis = await startRedis();
      relay = await startRelay(redis.url);
      here = await createWake({ url: relay.url }, log);
      there = await createWake({ url: relay.url }, log);
      heard = [];
      there.on('lane', (detail) => heard.push(detail));
    });

    afterEach(async () => {
      await here.close();
      await there.close();
      await relay.stop();
      await redis.stop();
    });

    it('reaches the other process', async () => {
      here.notify('lane', 'send:1');
      await until(() => heard.length === 1);
      expect(heard).toEqual(['send:1']);
    });

    it('says what is repeated in one turn only once to the others', async () => {
      for (let n = 0; n < 100; n++) here.notify('lane', 'send:1');
      here.notify('lane', 'send:2');
      await until(() => heard.includes('send:2'));
      expect(heard).toEqual(['send:1', 'send:2']);
    });

    it('still wakes its own process while Redis is away, and the others when it is back', async () => {
      await relay.cut();
      const own: (string | undefined)[] = [];
      here.on('lane', (detail) => own.push(detail));
      here.notify('lane', 'send:away');
      expect(own).toEqual(['send:away']);
      await relay.restore();
      await until(() => {
        here.notify('lane', 'send:back');
        return heard.includes('send:back');
      });
    });

    it('says at close what it has not said yet', async () => {
      here.notify('lane', 'send:last');
      await here.close();
      await until(() => heard.includes('send:last'));
    });
  });

  it('opens and closes although Redis is away', async () => {
    const wake = await createWake({ url: `redis://127.0.0.1:${await freePort()}` }, log);
    let heard = 0;
    wake.on('outbox', () => heard++);
    wake.notify('outbox');
    expect(heard).toBe(1);
    await wake.close();
  });

  it('keeps the databases of one Redis apart', async () => {
    const redis = await startRedis();
    const one = await createWake({ url: `${redis.url}/1` }, log);
    const two = await createWake({ url: `${redis.url}/2` }, log);
    const oneAgain = await createWake({ url: `${redis.url}/1` }, log);
    const heard: string[] = [];
    two.on('outbox', () => heard.push('two'));
    oneAgain.on('outbox', () => heard.push('one'));
    one.notify('outbox');
    await until(() => heard.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(heard).toEqual(['one']);
    for (const wake of [one, two, oneAgain]) await wake.close();
    await redis.stop();
  });
});
