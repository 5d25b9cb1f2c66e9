import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, type TestContext } from 'vitest';
import { createLog } from '../../src/core/log.ts';
import { type LaneQueue, openQueue } from '../../src/core/queue.ts';
import { until } from '../support/until.ts';

type Options = Omit<Parameters<typeof openQueue>[0], 'log'>;

/** A queue's backend of the test's own, which can go away and come back. */
export interface QueueBackend {
  options: Options;
  cut(): Promise<void>;
  restore(): Promise<void>;
  stop(): Promise<void>;
}

const LANE_WORKER = fileURLToPath(new URL('../support/lane-worker.ts', import.meta.url));

/** What every backend of the lane queue keeps. */
export function queueContract(name: string, openBackend: () => Promise<QueueBackend>): void {
  describe(`the lane queue on ${name}`, () => {
    it('hands a woken lane to the handler', async (context) => {
      const { queue, work } = await rig(openBackend, context);
      const seen: string[] = [];
      await work(queue, async (key) => void seen.push(key));
      await queue.wake(['send:a', 'deliver:b']);
      await until(() => seen.length === 2);
      expect(seen.sort()).toEqual(['deliver:b', 'send:a']);
    });

    it('keeps wake-ups until a worker comes', async (context) => {
      const { queue, open, work } = await rig(openBackend, context);
      await queue.wake(['send:a']);
      const seen: string[] = [];
      await work(await open(), async (key) => void seen.push(key));
      await until(() => seen.length === 1);
    });

    it('names a lane once when one call repeats it', async (context) => {
      const { queue, work } = await rig(openBackend, context);
      const seen: string[] = [];
      await work(queue, async (key) => void seen.push(key));
      await queue.wake(['send:a', 'send:a', 'send:a']);
      await queue.wake(['send:end']);
      await until(() => seen.includes('send:end'));
      expect(seen.filter((key) => key === 'send:a')).toHaveLength(1);
    });

    it('runs the handler again for wake-ups that came during its run', async (context) => {
      const { queue, work } = await rig(openBackend, context);
      const runs: { wokenBefore: number }[] = [];
      let woken = 0;
      await work(queue, async () => {
        runs.push({ wokenBefore: woken });
        await sleep(20);
      });
      for (let n = 0; n < 20; n++) {
        woken += 1;
        await queue.wake(['send:a']);
        await sleep(7);
      }
      await until(() => runs.at(-1)?.wokenBefore === 20);
    });

    it('works many lanes at once, each to its end, none lost', async (context) => {
      const { queue, open, work } = await rig(openBackend, context);
      const keys = Array.from({ length: 500 }, (_, n) => `send:${n}`);
      const seen = new Set<string>();
      let most = 0;
      let now = 0;
      const handler = async (key: string) => {
        most = Math.max(most, ++now);
        await sleep(2);
        now -= 1;
        seen.add(key);
      };
      await work(queue, handler, 8);
      await work(await open(), handler, 8);
      await queue.wake(keys.slice(0, 250));
      for (const key of keys.slice(250)) await queue.wake([key]);
      await until(() => seen.size === keys.length, 20_000);
      expect(most).toBeGreaterThan(4);
      expect(most).toBeLessThanOrEqual(16);
    });

    it('goes on after a handler that failed', async (context) => {
      const { queue, work } = await rig(openBackend, context);
      const seen: string[] = [];
      await work(queue, async (key) => {
        seen.push(key);
        if (key === 'send:bad') throw new Error('no luck');
      });
      await queue.wake(['send:bad']);
      await queue.wake(['send:good']);
      await until(() => seen.includes('send:good'));
    });

    it('waits at close for the handler that runs, and begins no other', async (context) => {
      const { queue, open, work } = await rig(openBackend, context);
      const done: string[] = [];
      const begun: string[] = [];
      const worker = await work(
        queue,
        async (key) => {
          begun.push(key);
          await sleep(400);
          done.push(key);
        },
        1,
      );
      await queue.wake(['send:a', 'send:b']);
      await until(() => begun.length === 1);
      await worker.close();
      expect(done).toEqual(begun);
      expect(done).toHaveLength(1);

      const rest: string[] = [];
      await work(await open(), async (key) => void rest.push(key));
      await until(() => rest.length === 1);
      expect([...done, ...rest].sort()).toEqual(['send:a', 'send:b']);
    });

    it.concurrent('gives the lane of a killed process to another in under 20 s', async (context) => {
      const { backend, queue, work } = await rig(openBackend, context);
      const child = spawn(process.execPath, [LANE_WORKER, JSON.stringify(backend.options)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let output = '';
      child.stdout.on('data', (chunk) => {
        output += chunk;
      });
      await until(() => output.includes('ready'), 10_000);
      await queue.wake(['send:a']);
      await until(() => output.includes('send:a'));
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;

      const seen: string[] = [];
      const killedAt = Date.now();
      await work(queue, async (key) => void seen.push(key));
      await until(() => seen.includes('send:a'), 20_000);
      expect(Date.now() - killedAt).toBeLessThan(20_000);
    }, 40_000);

    it.concurrent('holds a lane longer than its lock while the handler runs', async (context) => {
      const { queue, work } = await rig(openBackend, context);
      let runs = 0;
      await work(queue, async () => {
        runs += 1;
        await sleep(16_000);
      });
      await queue.wake(['send:a']);
      await sleep(15_000);
      expect(runs).toBe(1);
    }, 40_000);

    it('does not throw while the backend is away, answers soon, and works again afterwards', async (context) => {
      const { backend, queue, work } = await rig(openBackend, context);
      const seen: string[] = [];
      await work(queue, async (key) => void seen.push(key));
      await queue.wake(['send:before']);
      await until(() => seen.includes('send:before'));

      await backend.cut();
      for (let n = 0; n < 5; n++) {
        const askedAt = Date.now();
        await queue.wake([`send:away-${n}`]);
        expect(Date.now() - askedAt).toBeLessThan(3_000);
      }
      await backend.restore();
      await until(async () => {
        await queue.wake(['send:after']);
        await sleep(100);
        return seen.includes('send:after');
      }, 15_000);
    }, 40_000);

    it('closes soon while the backend is away', async (context) => {
      const { backend, queue, work } = await rig(openBackend, context);
      const worker = await work(queue, async () => {});
      await backend.cut();
      const askedAt = Date.now();
      await worker.close();
      await queue.close();
      expect(Date.now() - askedAt).toBeLessThan(8_000);
    });
  });
}

/** A queue for one test, with all that the test opens besides closed after it. */
async function rig(
  openBackend: () => Promise<QueueBackend>,
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
) {
  const backend = await openBackend();
  const opened: { close(): Promise<void> }[] = [];
  onTestFinished(async () => {
    for (const each of opened.reverse()) await each.close();
    await backend.stop();
  });

  async function open(): Promise<LaneQueue> {
    const another = await openQueue({ ...backend.options, log: createLog('silent') });
    opened.push(another);
    return another;
  }

  async function work(on: LaneQueue, handler: (laneKey: string) => Promise<void>, concurrency = 10) {
    const worker = await on.work(handler, { concurrency });
    opened.push(worker);
    return worker;
  }

  return { backend, queue: await open(), open, work };
}
