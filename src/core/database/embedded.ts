import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../log.ts';
import { type Binaries, findBinaries } from './binaries.ts';
import { connect } from './connect.ts';
import { type Home, openHome } from './home.ts';
import { initialise, USER } from './initialise.ts';
import { launch, relaunch } from './launch.ts';
import { lockFolder } from './lock.ts';
import { commandName, readPostmaster } from './postmaster.ts';
import { run } from './run.ts';
import { supervise } from './supervise.ts';

export interface EmbeddedOptions {
  dataDir: string;
  log: Log;
  /** Server settings beside our own, as tests want them. */
  settings?: Record<string, string>;
}

export interface EmbeddedPostgres {
  url: string;
  stop(): Promise<void>;
}

/**
 * Starts the bundled Postgres in `dataDir`, or takes over the one that a killed gateway left running.
 * It is spawned detached, so a dying gateway never takes the database down with it.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const home = await openHome(options.dataDir, options.log);
  const lock = lockFolder(join(home.path, 'gateway.lock'));
  if (!lock) throw new Error(`Another Tributary uses this DATA_DIR (${options.dataDir}).`);
  try {
    const binaries = await findBinaries(home);
    const password = await initialise(home, binaries, options.settings ?? {});
    const settings = options.settings ?? {};
    const port = (await adopt(home, password, options.log)) ?? (await launch(home, binaries, settings));
    const supervision = supervise({
      home,
      log: options.log,
      relaunch: (signal) => relaunch(port, { home, binaries, settings, signal }),
    });
    return {
      url: urlOf(port, password),
      stop: () =>
        supervision
          .stop()
          .then(() => stop(home, binaries))
          .finally(lock.release),
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

const ADOPT_TIMEOUT_MS = 60_000;

function urlOf(port: number, password: string): string {
  return `postgres://${USER}:${password}@127.0.0.1:${port}/postgres`;
}

/** The port of a Postgres that already runs on this data, once it answers us. */
async function adopt(home: Home, password: string, log: Log): Promise<number | undefined> {
  const deadline = Date.now() + ADOPT_TIMEOUT_MS;
  for (;;) {
    const postmaster = await readPostmaster(home.path);
    if (!postmaster) return undefined;
    if (postmaster.alive && postmaster.ready && (await answers(postmaster.port, password))) {
      log.info({ postgres: postmaster.pid }, 'took over the running Postgres');
      return postmaster.port;
    }
    if (!(await stillPostgres(postmaster.pid))) {
      // The machine went down, and its number may belong to another program by now, which would keep Postgres from starting.
      await rm(join(home.path, 'data', 'postmaster.pid'), { force: true });
      return undefined;
    }
    if (Date.now() > deadline)
      throw new Error(`Postgres ${postmaster.pid} holds DATA_DIR and does not answer.`);
    await sleep(50);
  }
}

async function stillPostgres(pid: number): Promise<boolean> {
  const name = await commandName(pid);
  return name?.includes('postgres') ?? false;
}

async function answers(port: number, password: string): Promise<boolean> {
  const pool = connect(urlOf(port, password), { max: 1 });
  try {
    await pool`select 1`;
    return true;
  } catch {
    return false;
  } finally {
    await pool.end({ timeout: 1 });
  }
}

async function stop(home: Home, binaries: Binaries): Promise<void> {
  const postmaster = await readPostmaster(home.path);
  if (!postmaster || !(await stillPostgres(postmaster.pid))) return;
  const data = join(home.path, 'data');
  try {
    await run(home, binaries.pgCtl, ['stop', '--silent', '--mode=fast', '--timeout=10', `--pgdata=${data}`]);
  } catch (error) {
    // One that was killed a moment ago leaves its file behind, which pg_ctl waits for in vain: it is stopped all the same.
    if (await stillPostgres(postmaster.pid)) throw error;
  }
}
