// Works lanes in a process of its own, for tests that kill it: says when it begins and ends each, and holds it a while.
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../src/core/database/connect.ts';
import { startLanes } from '../../src/core/lanes.ts';
import { createLog } from '../../src/core/log.ts';
import { openQueue } from '../../src/core/queue.ts';
import { createWake } from '../../src/core/wake.ts';

const { databaseUrl, redis, holdMs } = JSON.parse(process.argv[2] ?? '{}');
const log = createLog('silent');
const pool = connect(databaseUrl);
const wake = await createWake(redis, log);
const queue = await openQueue({ redis, databaseUrl, log });
const say = (what: string) => process.stdout.write(`${what}\n`);

const lanes = await startLanes({
  pool,
  queue,
  wake,
  log,
  concurrency: 10,
  kinds: [
    {
      name: 'deliver',
      async work(id, lease) {
        say(`begin ${id} ${Date.now()}`);
        await sleep(holdMs, undefined, { signal: lease.signal }).catch(() => {});
        say(`end ${id} ${Date.now()}`);
        return null;
      },
    },
  ],
});
process.on('SIGTERM', async () => {
  await lanes.stop();
  await queue.close();
  await wake.close();
  await pool.end();
  process.exit(0);
});
say('ready');
