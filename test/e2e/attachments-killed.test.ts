import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type FileServer, startFileServer } from '../support/file-server.ts';
import { type Program, startProgram } from '../support/program.ts';
import { until } from '../support/until.ts';

const FILES = 1_000;
const BATCH = 100;
const KILL_AT = [400];
const API_KEY = 'the-owner-key-of-the-attachments-killed';

let database: TestDatabase;
let files: FileServer;
let dataDir: string;
let program: Program | undefined;

beforeEach(async () => {
  database = await createTestDatabase();
  files = await startFileServer();
  dataDir = await mkdtemp(join(tmpdir(), 'tributary-killed-'));
});
afterEach(async () => {
  await program?.stop();
  await files.close();
  await database.drop();
  await rm(dataDir, { recursive: true, force: true });
});

const start = () =>
  startProgram({
    DATABASE_URL: database.url,
    SECRET_KEY: 'a secret of the killed which is long enough',
    DATA_DIR: dataDir,
    BOOTSTRAP_API_KEY: API_KEY,
    EGRESS_ALLOW: '127.0.0.0/8',
    LOG_LEVEL: 'error',
    DRAIN_DELAY: '0',
  });

async function post<T>(path: string, key: string, body: unknown): Promise<T> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const response = await fetch(`${program?.url}${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
  expect(response.status).toBeLessThan(300);
  return (await response.json()) as T;
}

const contentOf = (n: number) => Buffer.alloc(10_000, `file ${n} `);

async function readyCount(): Promise<number> {
  const [row] = await database.pool<[{ ready: number }]>`
    select count(*)::int as ready from attachments where state = 'ready'`;
  return row.ready;
}

it('brings every one of a thousand files home once, though the process is killed in between', async () => {
  program = await start();
  const config = { callback_url: files.at('/callback', '') };
  const channel = await post<{ id: string; generated: { secret: string } }>('/api/v1/channels', API_KEY, {
    type: 'api',
    config,
  });
  for (let from = 0; from < FILES; from += BATCH) {
    const items = Array.from({ length: BATCH }, (_, index) => {
      const n = from + index;
      const url = files.at(`/f/${n}`, (response) => setTimeout(() => response.end(contentOf(n)), 5));
      const sender = { external_id: `person-${n % 50}` };
      return { external_id: `m-${n}`, sender, content: String(n), attachments: [{ url, name: `${n}.bin` }] };
    });
    await post(`/webhooks/api/${channel.id}`, channel.generated.secret, items);
  }
  for (const share of KILL_AT) {
    await until(async () => (await readyCount()) >= share, 30_000, 20);
    await program.stop('SIGKILL');
    program = await start();
  }
  await until(async () => (await readyCount()) === FILES, 60_000, 100);

  const rows = await database.pool<{ content: string; storage_key: string; sha256: Buffer }[]>`
    select m.content, a.storage_key, a.sha256 from attachments a join messages m on m.id = a.message_id`;
  expect(rows).toHaveLength(FILES);
  const folder = join(dataDir, 'files');
  for (const { content, storage_key, sha256 } of rows) {
    const expected = createHash('sha256')
      .update(contentOf(Number(content)))
      .digest();
    expect(sha256.equals(expected), content).toBe(true);
    const bytes = await readFile(join(folder, storage_key));
    expect(createHash('sha256').update(bytes).digest().equals(expected), content).toBe(true);
  }
  // No try that was cut short left a file that nothing knows.
  const kept = (await readdir(folder, { recursive: true, withFileTypes: true })).filter(
    (entry) => entry.isFile() && !entry.parentPath.endsWith('incoming'),
  );
  expect(kept).toHaveLength(FILES);
  const told = await database.pool`
    select message_id from events where type = 'message.updated' group by message_id having count(*) = 1`;
  expect(told).toHaveLength(FILES);
}, 150_000);
