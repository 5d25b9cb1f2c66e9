import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type Pool } from '../src/core/database/connect.ts';
import { startEmbedded } from '../src/core/database/embedded.ts';
import { createLog } from '../src/core/log.ts';
import { type Program, startProgram } from '../test/support/program.ts';
import { type FakeTelegram, startTelegram } from '../test/support/telegram.ts';

/** One Postgres, with the settings that the gateway gives its own, for the gateway and for the floors. */
export interface Lab {
  postgresVersion: string;
  /** A database for one run, dropped after it. */
  withDatabase<T>(work: (url: string) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const SECRET = 'bench-door-secret';
const API_KEY = 'bench-key-of-at-least-32-characters';

export async function openLab(): Promise<Lab> {
  const dataDir = await temporaryFolder();
  const postgres = await startEmbedded({ dataDir, log: createLog('silent') });
  const admin = connect(postgres.url, { max: 1 });
  const [row] = await admin<{ server_version: string }[]>`show server_version`;
  return {
    postgresVersion: row?.server_version ?? '',
    async withDatabase(work) {
      const name = `bench_${randomBytes(4).toString('hex')}`;
      await admin`create database ${admin(name)}`;
      const url = new URL(postgres.url);
      url.pathname = name;
      try {
        return await work(url.href);
      } finally {
        await admin`drop database ${admin(name)} with (force)`;
        // What a run leaves to be written is not to be paid by the next.
        await admin`checkpoint`;
      }
    },
    async close() {
      await admin.end();
      await postgres.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** The gateway as a process, with one Telegram channel. */
export interface Subject {
  url: string;
  pid: number;
  sql: Pool;
  businessId: string;
  apiKey: string;
  door: { url: string; headers: Record<string, string> };
  /** Where the channel's messages go. */
  telegram: FakeTelegram;
  call<T>(method: string, path: string, body: unknown): Promise<T>;
}

export async function withGateway<T>(
  databaseUrl: string,
  work: (subject: Subject) => Promise<T>,
  env: Record<string, string> = {},
): Promise<T> {
  const dataDir = await temporaryFolder();
  const telegram = await startTelegram({ token: `${String(Date.now()).slice(-9)}:BENCH-token_abc` });
  const gateway = await startProgram({
    DATA_DIR: dataDir,
    DATABASE_URL: databaseUrl,
    SECRET_KEY: 'a secret key for the benchmark',
    BOOTSTRAP_API_KEY: API_KEY,
    PUBLIC_URL: 'https://bench.example',
    EGRESS_ALLOW: '127.0.0.0/8',
    DRAIN_DELAY: '0',
    LOG_LEVEL: 'warn',
    ...env,
  });
  const sql = connect(databaseUrl, { max: 2 });
  try {
    return await work(await furnish({ gateway, dataDir, sql, telegram }));
  } finally {
    await sql.end();
    await gateway.stop();
    const said = gateway
      .output()
      .replace(/^Tributary is ready[\s\S]*?credentials\.json\.\n/, '')
      .trim();
    if (said !== '') console.warn(`The gateway said:\n${said.slice(0, 2_000)}`);
    await telegram.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

interface Parts {
  gateway: Program;
  dataDir: string;
  sql: Pool;
  telegram: FakeTelegram;
}

async function furnish({ gateway, dataDir, sql, telegram }: Parts): Promise<Subject> {
  const credentials = JSON.parse(await readFile(join(dataDir, 'credentials.json'), 'utf8')) as {
    business_id: string;
  };
  const call = <T>(method: string, path: string, body: unknown) =>
    callApi<T>(`${gateway.url}/api/v1${path}`, method, body);
  const config = { bot_token: telegram.token, secret_token: SECRET, api_root: telegram.url };
  const { id } = await call<{ id: string }>('POST', '/channels', { type: 'telegram', name: 'Bench', config });
  return {
    url: gateway.url,
    pid: gateway.pid,
    sql,
    businessId: credentials.business_id,
    apiKey: API_KEY,
    call,
    telegram,
    door: {
      url: `${gateway.url}/webhooks/telegram/${id}`,
      headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': SECRET },
    },
  };
}

async function callApi<T>(url: string, method: string, body: unknown): Promise<T> {
  const headers = { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' };
  const answer = await fetch(url, { method, headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** A folder that Postgres may reach as the unprivileged user it runs as. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-bench-'));
  await chmod(folder, 0o711);
  return folder;
}
