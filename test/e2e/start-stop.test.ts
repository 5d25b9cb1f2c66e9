import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { connect as connectTo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { failToStart, type Program, ROOT, startProgram } from '../support/program.ts';
import { freePort, redisMissing, startRedis } from '../support/redis.ts';
import type { Credentials } from '../support/server.ts';

// Each test starts whole processes, some of them three, on machines of any speed.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

const SECRET_KEY = 'a secret key of this test';

let dataDir: string;
const running: Program[] = [];
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tributary-start-'));
  await chmod(dataDir, 0o711);
});
afterEach(async () => {
  for (const program of running.splice(0)) await program.stop();
  await rm(dataDir, { recursive: true, force: true });
});

async function start(env: Record<string, string> = {}, options = {}): Promise<Program> {
  const program = await startProgram({ DATA_DIR: dataDir, ...env }, options);
  running.push(program);
  return program;
}

const credentials = async (): Promise<Credentials> =>
  JSON.parse(await readFile(join(dataDir, 'credentials.json'), 'utf8'));

async function businessOf(url: string, key: string): Promise<string | undefined> {
  const answer = await fetch(`${url}/api/v1/business`, { headers: { authorization: `Bearer ${key}` } });
  const body = (await answer.json()) as { id?: string };
  return body.id;
}

describe('the first start', () => {
  it('prints where it is and the credentials, which work and are kept for their owner only', async () => {
    const { url, output } = await start();
    const made = await credentials();
    for (const shown of [url, made.business_id, made.api_key, made.channel_id])
      expect(output()).toContain(shown);
    const demoKey = new RegExp(`${url}/demo#(\\S+)`).exec(output())?.[1] ?? '';
    expect(await businessOf(url, made.api_key)).toBe(made.business_id);
    expect(await businessOf(url, demoKey)).toBe(made.business_id);
    for (const file of ['credentials.json', 'secret.key']) {
      expect((await stat(join(dataDir, file))).mode & 0o777).toBe(0o600);
    }
    const channels = await fetch(`${url}/api/v1/channels`, { headers: { 'x-api-key': made.api_key } });
    expect(await channels.json()).toMatchObject({
      data: [{ id: made.channel_id, type: 'webchat', is_default: true }],
    });
  });

  it('takes BOOTSTRAP_API_KEY for the owner key', async () => {
    const key = 'the-owner-key-that-was-chosen-elsewhere';
    const { url } = await start({ BOOTSTRAP_API_KEY: key });
    expect(await credentials()).toMatchObject({ api_key: key });
    expect(await businessOf(url, key)).toBe((await credentials()).business_id);
  });

  it('happens once, in however many processes at once', async () => {
    const database = await createTestDatabase({ migrated: false });
    const env = { DATABASE_URL: database.url, SECRET_KEY, DRAIN_DELAY: '0' };
    const programs = await Promise.all([start(env), start(env)]);
    expect(programs.filter(({ output }) => output().includes('API key'))).toHaveLength(1);
    expect(await database.pool`select count(*) as n from businesses`).toEqual([{ n: 1 }]);
    expect(await database.pool`select count(*) as n from channels`).toEqual([{ n: 1 }]);
    for (const { url } of programs) {
      expect(await businessOf(url, (await credentials()).api_key)).toBe((await credentials()).business_id);
    }
    for (const program of running.splice(0)) expect(await program.stop()).toBe(0);
    await database.drop();
  });
});

describe('a start with SMTP_PORT', () => {
  it('takes mail there, and lets the port go when it stops', async () => {
    const port = await freePort();
    await start({ SMTP_PORT: String(port) });
    const socket = connectTo({ host: '127.0.0.1', port });
    const [greeting] = await once(socket, 'data');
    expect(String(greeting)).toMatch(/^220 /);
    socket.destroy();
    expect(await running.pop()?.stop()).toBe(0);
    const refused = connectTo({ host: '127.0.0.1', port });
    const [error] = await once(refused, 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('a later start', () => {
  it('finds data and keys, and prints no credentials', async () => {
    await start();
    const made = await credentials();
    expect(await running.pop()?.stop()).toBe(0);
    const again = await start();
    expect(await businessOf(again.url, made.api_key)).toBe(made.business_id);
    expect(again.output()).not.toContain(made.api_key);
    expect(await credentials()).toEqual(made);
  });

  it('goes on after a kill -9, with the Postgres that was left running', async () => {
    await start();
    const made = await credentials();
    await running.pop()?.stop('SIGKILL');
    const again = await start();
    expect(again.output()).toContain('took over the running Postgres');
    expect(await businessOf(again.url, made.api_key)).toBe(made.business_id);
  });
});

describe('a start that cannot be', () => {
  let database: TestDatabase | undefined;
  afterEach(async () => {
    await database?.drop();
    database = undefined;
  });

  it('says that the port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const said = await failToStart({ DATA_DIR: dataDir, PORT: String(port) });
    server.close();
    expect(said).toEqual({ code: 1, said: `Port ${port} on 127.0.0.1 is taken: set PORT to a free one.\n` });
  });

  it('says that the DATA_DIR is in use, and disturbs nobody', async () => {
    const { url } = await start();
    const said = await failToStart({ DATA_DIR: dataDir });
    expect(said).toEqual({ code: 1, said: `Another Tributary uses this DATA_DIR (${dataDir}).\n` });
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  });

  it('says that the SECRET_KEY is another one', async () => {
    database = await createTestDatabase({ migrated: false });
    await start({ DATABASE_URL: database.url, SECRET_KEY, DRAIN_DELAY: '0' });
    await running.pop()?.stop();
    const said = await failToStart({
      DATABASE_URL: database.url,
      SECRET_KEY: `not ${SECRET_KEY}`,
      DATA_DIR: dataDir,
    });
    const sentence = 'SECRET_KEY is not the key that this database was written with.\n';
    expect(said).toEqual({ code: 1, said: sentence });
  });

  it('says which variable is missing', async () => {
    const said = await failToStart({ DATABASE_URL: 'postgres://db.test/tributary', DATA_DIR: dataDir });
    expect(said).toEqual({ code: 1, said: 'SECRET_KEY is missing: DATABASE_URL needs it.\n' });
  });

  it('says that the database does not answer', async () => {
    const url = `postgres://user:pass@127.0.0.1:${await freePort()}/tributary`;
    const said = await failToStart({ DATABASE_URL: url, SECRET_KEY, DATA_DIR: dataDir });
    const sentence = 'The database at DATABASE_URL does not answer (ECONNREFUSED).\n';
    expect(said).toEqual({ code: 1, said: sentence });
  });
});

describe('a stop', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('by %s ends the gateway and its Postgres', async (signal) => {
    await start();
    expect(await running.pop()?.stop(signal)).toBe(0);
    await expect(stat(join(dataDir, 'postgres/data/postmaster.pid'))).rejects.toThrow('ENOENT');
  });

  it.each([
    ['SIGTERM', ['SIGTERM']],
    // The terminal signals everybody in the foreground, and npm forwards what it got itself.
    ['Ctrl-C', ['SIGINT', 'SIGINT']],
  ] as const)('by %s through npm start has ended everything when npm ends', async (_, signals) => {
    const program = await start({}, { command: ['npm', 'start', '--silent'] });
    for (const signal of signals) program.signal(signal);
    await running.pop()?.ended;
    await expect(stat(join(dataDir, 'postgres/data/postmaster.pid'))).rejects.toThrow('ENOENT');
  });

  it('answers ready with 503 while a balancer may still send requests', async () => {
    const { url } = await start({ DRAIN_DELAY: '2' });
    running[0]?.signal('SIGTERM');
    await expect.poll(async () => (await fetch(`${url}/health/ready`)).status).toBe(503);
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    expect(await running.pop()?.ended).toBe(0);
  });

  it('is at once on the second signal', async () => {
    const program = await start({ DRAIN_DELAY: '10' });
    running.pop();
    program.signal('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    const askedAt = Date.now();
    expect(await program.stop()).toBe(1);
    // Of the ten seconds that it would have waited.
    expect(Date.now() - askedAt).toBeLessThan(6_000);
    // The Postgres that such an end leaves running is taken over.
    expect((await start()).output()).toContain('took over the running Postgres');
  });
});

describe.skipIf(redisMissing())('the roles', () => {
  it('run as processes of their own', async () => {
    const [database, redis] = [await createTestDatabase({ migrated: false }), await startRedis()];
    const env = { DATABASE_URL: database.url, REDIS_URL: redis.url, SECRET_KEY, DRAIN_DELAY: '0' };
    const [api] = await Promise.all([start({ ...env, ROLE: 'api' }), start({ ...env, ROLE: 'worker' })]);
    expect(await businessOf(api.url, (await credentials()).api_key)).toBe((await credentials()).business_id);
    for (const program of running.splice(0)) expect(await program.stop()).toBe(0);
    await database.drop();
    await redis.stop();
  });
});

describe('the project', () => {
  it('starts from any folder', async () => {
    const { url } = await start({}, { command: [process.execPath, join(ROOT, 'src/main.ts')], cwd: dataDir });
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  });
});
