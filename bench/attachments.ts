import { mkdtemp, open, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Pool } from '../src/core/database/connect.ts';
import { type Lab, type Subject, withGateway } from './lab.ts';
import { residentMegabytes } from './measure.ts';
import type { Measured } from './rows.ts';

const FILES = 1_000;
const FILE_BYTES = 100_000;
const BATCH = 100;
const AT_ONCE = 64;
const LARGE_BYTES = 100_000_000;

/** Files of customers, from the door to "ready"; beside it the least that anybody would do with them. */
export async function measureAttachments(lab: Lab): Promise<Measured> {
  const provider = await startProvider();
  try {
    const floor = await lab.withDatabase((url) => measureFloor(url, provider.origin));
    const ours = await lab.withDatabase((url) =>
      withGateway(url, async (subject) => {
        const channel = await openChannel(subject, provider.origin);
        // Compiled code, open connections.
        await bringHome(subject, channel, { provider: provider.origin, from: 0, count: 200 });
        const ms = await bringHome(subject, channel, { provider: provider.origin, from: 200, count: FILES });
        const grown = await measureLarge(subject, channel, provider.origin);
        return { attachments: (FILES * 1_000) / ms, 'memory while streaming': grown };
      }),
    );
    return { ...ours, 'attachments: undici to a file, insert before and update after': floor };
  } finally {
    await provider.close();
  }
}

/** A provider that has every file at once. */
async function startProvider() {
  const small = Buffer.alloc(FILE_BYTES, 'x');
  const large = Buffer.alloc(1_000_000, 'x');
  const server = createServer(async (request, response) => {
    if (!request.url?.startsWith('/large')) return void response.end(small);
    response.writeHead(200, { 'content-length': LARGE_BYTES });
    for (let sent = 0; sent < LARGE_BYTES; sent += large.length) {
      if (!response.write(large)) await new Promise((resolve) => response.once('drain', resolve));
    }
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Door {
  url: string;
  secret: string;
}

async function openChannel({ call, url }: Subject, provider: string): Promise<Door> {
  const config = { callback_url: `${provider}/callback` };
  const made = await call<{ id: string; generated: { secret: string } }>('POST', '/channels', {
    type: 'api',
    config,
  });
  return { url: `${url}/webhooks/api/${made.id}`, secret: made.generated.secret };
}

interface Bringing {
  provider: string;
  from: number;
  count: number;
}

/** Milliseconds from the first post to the last "ready". */
async function bringHome({ sql }: Subject, door: Door, { provider, from, count }: Bringing): Promise<number> {
  const begunAt = performance.now();
  for (let n = from; n < from + count; n += BATCH) {
    const items = Array.from({ length: BATCH }, (_, index) =>
      anItem(n + index, `${provider}/f/${n + index}`),
    );
    await post(door, items);
  }
  for (;;) {
    const [row] = await sql<[{ ready: number }]>`
      select count(*)::int as ready from attachments where state = 'ready'`;
    if (row.ready >= from + count) return performance.now() - begunAt;
    await sleep(10);
  }
}

function anItem(n: number, url: string) {
  const sender = { external_id: `person-${n % 100}` };
  return { external_id: `m-${n}`, sender, content: String(n), attachments: [{ url, name: `${n}.bin` }] };
}

async function post({ url, secret }: Door, body: unknown): Promise<void> {
  const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`the door answered ${answer.status}: ${await answer.text()}`);
}

/** How much more memory the process holds at most while one large file comes in and goes out again. */
async function measureLarge(subject: Subject, door: Door, provider: string): Promise<number> {
  const before = await residentMegabytes(subject.pid);
  let most = before;
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      most = Math.max(most, await residentMegabytes(subject.pid));
      await sleep(20);
    }
  })();
  await post(door, anItem(1_000_000, `${provider}/large`));
  const id = await readyLarge(subject.sql);
  const headers = { authorization: `Bearer ${subject.apiKey}` };
  const attachment = await fetch(`${subject.url}/api/v1/attachments/${id}`, { headers });
  const { url } = (await attachment.json()) as { url: string };
  const { pathname } = new URL(url);
  const served = await fetch(subject.url + pathname);
  let bytes = 0;
  for await (const chunk of served.body ?? []) bytes += chunk.byteLength;
  isOver = true;
  await watching;
  if (bytes !== LARGE_BYTES) throw new Error(`${bytes} bytes were served of ${LARGE_BYTES}`);
  return most - before;
}

async function readyLarge(sql: Pool): Promise<string> {
  for (;;) {
    const [row] = await sql<{ id: string }[]>`
      select id from attachments where state = 'ready' and size_bytes = ${LARGE_BYTES}`;
    if (row !== undefined) return row.id;
    await sleep(10);
  }
}

/** Each file fetched to the disk, with a row before and after: nothing that can be left out. */
async function measureFloor(databaseUrl: string, provider: string): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-bench-floor-'));
  const sql = connect(databaseUrl, { max: 10 });
  await sql`create table floor (id int primary key, state text)`;
  const begunAt = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let n = next++; n < FILES; n = next++) {
        await sql`insert into floor values (${n}, 'pending')`;
        await toDisk(`${provider}/f/${n}`, join(folder, String(n)));
        await sql`update floor set state = 'ready' where id = ${n}`;
      }
    }),
  );
  const ms = performance.now() - begunAt;
  await sql.end();
  await rm(folder, { recursive: true, force: true });
  return (FILES * 1_000) / ms;
}

async function toDisk(url: string, path: string): Promise<void> {
  const response = await fetch(url);
  const file = await open(`${path}.part`, 'wx');
  await file.writeFile(Buffer.from(await response.arrayBuffer()));
  await file.sync();
  await file.close();
  await rename(`${path}.part`, path);
}
