import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../log.ts';
import type { Home } from './home.ts';
import { isRunning, readPostmaster } from './postmaster.ts';

interface SuperviseOptions {
  home: Home;
  log: Log;
  /** Starts Postgres again, on the port it had. Throws when it does not start, and once the signal aborts. */
  relaunch(signal: AbortSignal): Promise<void>;
}

const LOOK_MS = 250;
const QUICK_STARTS = 5;
const QUICK_WITHIN_MS = 60_000;
const SLOW_PAUSE_MS = 30_000;

/** Starts a Postgres again that ended without us (killed, out of memory): at once, and slowly once it keeps ending. */
export function supervise({ home, log, relaunch }: SuperviseOptions): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const starts: number[] = [];
  const watching = watch();

  async function watch(): Promise<void> {
    while (!stopping.signal.aborted) {
      await pause(LOOK_MS);
      if (!stopping.signal.aborted && !(await runs(home))) await restart();
    }
  }

  async function restart(): Promise<void> {
    const recent = starts.filter((at) => at > Date.now() - QUICK_WITHIN_MS);
    if (recent.length < QUICK_STARTS) {
      log.error('Postgres ended by itself: starting it again');
    } else {
      log.error(
        `Postgres ended ${recent.length} times within a minute (see ${join(home.path, 'postgres.log')}): trying again in 30 s`,
      );
      await pause(SLOW_PAUSE_MS);
    }
    if (stopping.signal.aborted) return;
    starts.push(Date.now());
    try {
      await forgetReusedNumber(home);
      await relaunch(stopping.signal);
      log.info('Postgres runs again');
    } catch (error) {
      if (!stopping.signal.aborted) log.error({ err: error }, 'Postgres did not start again');
    }
  }

  async function pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: stopping.signal }).catch(() => {});
  }

  return {
    async stop() {
      stopping.abort();
      await watching;
    },
  };
}

async function runs(home: Home): Promise<boolean> {
  const postmaster = await readPostmaster(home.path);
  return postmaster !== undefined && (await isRunning(postmaster.pid));
}

/** Postgres refuses to start while the number in its lock file belongs to anybody, be it another program by now. */
async function forgetReusedNumber(home: Home): Promise<void> {
  const postmaster = await readPostmaster(home.path);
  if (postmaster?.alive) await rm(join(home.path, 'data', 'postmaster.pid'), { force: true });
}
