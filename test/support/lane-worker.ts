// A worker process of its own, for tests that kill it: takes any lane, says so, and never ends.
import { createLog } from '../../src/core/log.ts';
import { openQueue } from '../../src/core/queue.ts';

const options = JSON.parse(process.argv[2] ?? '{}');
const queue = await openQueue({ ...options, log: createLog('silent') });
await queue.work(
  async (laneKey) => {
    process.stdout.write(`${laneKey}\n`);
    await new Promise(() => {});
  },
  { concurrency: 4 },
);
process.stdout.write('ready\n');
