import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where tests may find Redis: `REDIS_URL`, or a `redis-server` on the PATH. */
const redisAvailable: boolean =
  process.env['REDIS_URL'] !== undefined || spawnSync('redis-server', ['--version']).status === 0;

/**
 * Whether the suites that need Redis must be skipped, as in `describe.skipIf(redisMissing())`. Says so loudly,
 * and fails instead under CI, where a skipped test would look like a passed one.
 */
export function redisMissing(): boolean {
  if (redisAvailable) return false;
  const why = 'no redis-server on the PATH and no REDIS_URL';
  if (process.env['CI'] === 'true') throw new Error(`Tests that need Redis cannot run: ${why}.`);
  process.stderr.write(`\n!!! SKIPPED: the tests of this file that need Redis (${why}) !!!\n`);
  return true;
}

export interface TestRedis {
  url: string;
  stop(): Promise<void>;
}

/** A Redis of the test's own on a random port; with `REDIS_URL`, that server instead, which tests must then share. */
export async function startRedis(): Promise<TestRedis> {
  const given = process.env['REDIS_URL'];
  return given === undefined ? startOwnRedis(await freePort()) : { url: given, stop: async () => {} };
}

/** One that a test may stop and start again, on this port and with nothing in it. */
export async function startOwnRedis(port: number): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-redis-'));
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--save',
    '',
    '--appendonly',
    'no',
  ];
  const server = spawn('redis-server', args, { stdio: 'ignore' });
  await answering(port);
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      const ended = once(server, 'exit');
      if (server.exitCode === null && server.kill('SIGTERM')) await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

async function answering(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const socket = createConnection(port, '127.0.0.1');
    const connected = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (connected) return;
    await sleep(25);
  }
  throw new Error(`Redis does not answer on port ${port}`);
}
