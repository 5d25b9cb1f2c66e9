import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { rename, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Binaries } from './binaries.ts';
import type { Home } from './home.ts';
import { readPostmaster } from './postmaster.ts';
import { asUserOf } from './run.ts';

const START_TIMEOUT_MS = 60_000;
const LOG_KEPT_BYTES = 10 * 1024 * 1024;

/** Starts Postgres on a free port of this machine, detached from us; resolves with the port once it takes connections. */
export async function launch(
  home: Home,
  binaries: Binaries,
  settings: Record<string, string>,
): Promise<number> {
  await rotateLog(home);
  let port = 0;
  await launchUntilItRuns({ home, binaries, settings, within: START_WITHIN_MS }, async () => {
    // Somebody may have taken the port between our look and the start: the next try looks again.
    port = await freePort();
    return port;
  });
  return port;
}

interface Launching {
  home: Home;
  binaries: Binaries;
  settings: Record<string, string>;
  signal?: AbortSignal;
}

const START_WITHIN_MS = 5_000;
const RELAUNCH_WITHIN_MS = 30_000;

/** Starts Postgres on the port that it had; ends early when the signal aborts. */
export async function relaunch(port: number, launching: Launching & { signal: AbortSignal }): Promise<void> {
  await launchUntilItRuns({ ...launching, within: RELAUNCH_WITHIN_MS }, async () => port);
}

/** What is left of a Postgres that was killed holds the data for a moment: it is tried until it lets go. */
async function launchUntilItRuns(
  { within, signal, ...launching }: Launching & { within: number },
  choosePort: () => Promise<number>,
): Promise<void> {
  const deadline = Date.now() + within;
  while (!(await launchOn(await choosePort(), launching))) {
    if (Date.now() > deadline)
      throw new Error(`Postgres did not start; its log is ${logFile(launching.home)}.`);
    await sleep(100, undefined, signal && { signal });
  }
}

function launchOn(port: number, { home, binaries, settings }: Launching): Promise<boolean> {
  return started(home, spawnServer(home, binaries, { ...settings, port: String(port) }));
}

async function freePort(): Promise<number> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.on('error', reject).listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === 'string') throw new Error('No free port on 127.0.0.1.');
  return address.port;
}

// Only warnings are logged, so one old file is enough.
async function rotateLog(home: Home): Promise<void> {
  const size = await stat(logFile(home)).then(
    (file) => file.size,
    () => 0,
  );
  if (size > LOG_KEPT_BYTES) await rename(logFile(home), `${logFile(home)}.old`);
}

function spawnServer(home: Home, binaries: Binaries, settings: Record<string, string>): ServerExit {
  const log = openSync(logFile(home), 'a', 0o600);
  const args = Object.entries({ ...SERVER_SETTINGS, ...settings }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  const child = spawn(binaries.postgres, ['-D', join(home.path, 'data'), ...args], {
    ...asUserOf(home),
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  child.unref();
  const exit: ServerExit = { pid: child.pid, exited: false };
  child.on('error', () => (exit.exited = true)).on('exit', () => (exit.exited = true));
  return exit;
}

interface ServerExit {
  pid: number | undefined;
  exited: boolean;
}

const SERVER_SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '100',
  timezone: 'UTC',
  jit: 'off',
  // Its log must not repeat what people wrote: no statements, no values of rows.
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_checkpoints: 'off',
};

async function started(home: Home, server: ServerExit): Promise<boolean> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!server.exited && Date.now() < deadline) {
    const postmaster = await readPostmaster(home.path);
    if (postmaster?.pid === server.pid && postmaster?.ready) return true;
    await sleep(10);
  }
  return false;
}

function logFile(home: Home): string {
  return join(home.path, 'postgres.log');
}
