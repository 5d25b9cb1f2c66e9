// The other side of everything: sends what customers send, hears what agents and subscribers hear.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import { Client } from 'undici';
import { serveJobs } from './child.ts';
import { type DoorRequest, requestsTo, type Target } from './requests.ts';
import { type Spread, spread } from './stats.ts';
import { numberIn } from './updates.ts';

interface Burst extends Target {
  from: number;
  count: number;
  senders: number;
  connections: number;
}

interface Paced extends Burst {
  perSecond: number;
}

export interface Delays extends Spread {
  answered: Spread;
  lost: number;
}

serveJobs({ burst, paced, listen, receive, received, quiet });

const SLOW_MS = 1_000;

const heardAt = new Map<number, number>();
let server: Server | undefined;
let socket: Socket | undefined;
let firstAt: number | undefined;
let count = 0;

/** As fast as the connections carry it, one request at a time on each; the time is from the first send to the last answer. */
async function burst({
  from,
  count,
  senders,
  connections,
  ...target
}: Burst): Promise<{ ms: number; refused: number }> {
  const requests = requestsTo(target, { from, count, senders });
  const clients = await openClients(target, connections);
  let next = 0;
  let refused = 0;
  const begunAt = performance.now();
  await Promise.all(
    clients.map(async (client) => {
      for (let request = requests[next++]; request !== undefined; request = requests[next++]) {
        if ((await post(client, target, request)) !== 200) refused += 1;
      }
    }),
  );
  const ms = performance.now() - begunAt;
  for (const client of clients) await client.close();
  return { ms, refused };
}

/** At an even pace, whatever the answers take; the delays are from each send to its answer, and to the moment its message was heard. */
async function paced({ perSecond, from, count, senders, connections, ...target }: Paced): Promise<Delays> {
  const requests = requestsTo(target, { from, count, senders });
  const clients = await openClients(target, connections);
  const sentAt: number[] = [];
  const answers: Promise<number>[] = [];
  const answered: number[] = [];
  heardAt.clear();
  const begunAt = performance.now();
  for (const [n, request] of requests.entries()) {
    const wait = begunAt + (n * 1_000) / perSecond - performance.now();
    if (wait > 0) await sleep(wait);
    const at = performance.now();
    sentAt.push(at);
    const client = clients[n % clients.length];
    if (client !== undefined)
      answers.push(post(client, target, request).finally(() => answered.push(performance.now() - at)));
  }
  await Promise.all(answers);
  await heardAll({ from, count });
  for (const client of clients) await client.close();
  const delays = sentAt
    .flatMap((at, n) => (heardAt.get(from + n) ?? Number.NaN) - at)
    .filter((ms) => !Number.isNaN(ms));
  return { ...spread(delays), answered: spread(answered), lost: count - delays.length };
}

async function heardAll({ from, count }: { from: number; count: number }): Promise<void> {
  const deadline = Date.now() + 10_000;
  const isHeard = () => Array.from({ length: count }, (_, n) => from + n).every((n) => heardAt.has(n));
  while (!isHeard() && Date.now() < deadline) await sleep(50);
}

/** An agent's socket. */
async function listen({ url, auth }: { url: string; auth: Record<string, string> }): Promise<void> {
  const opened = io(url, { auth, transports: ['websocket'] });
  opened.on('new_message', ({ content }: { content: string }) => heard(content));
  await new Promise<void>((resolve, reject) => {
    opened.on('ready', () => resolve());
    opened.on('connect_error', reject);
  });
  socket = opened;
}

/** A subscriber's server. */
async function receive(): Promise<string> {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      if (request.url === '/black-hole') return;
      if (request.url === '/slow') return void sleep(SLOW_MS).then(() => response.writeHead(200).end());
      response.writeHead(200).end();
      firstAt ??= performance.timeOrigin + performance.now();
      count += 1;
      const text = /"content":"(Message number \d+)/.exec(Buffer.concat(chunks).toString('utf8'))?.[1];
      if (text !== undefined) heard(text);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** How many requests came since the last time this was asked, and when the first of them did. */
function received(): { count: number; firstAt: number | undefined } {
  const answer = { count, firstAt };
  count = 0;
  firstAt = undefined;
  return answer;
}

async function quiet(): Promise<void> {
  socket?.disconnect();
  server?.close();
  server?.closeAllConnections();
  heardAt.clear();
}

function heard(text: string): void {
  const n = numberIn(text);
  if (!heardAt.has(n)) heardAt.set(n, performance.now());
}

async function openClients({ url }: Target, connections: number): Promise<Client[]> {
  const { origin } = new URL(url);
  const clients = Array.from({ length: connections }, () => new Client(origin, { pipelining: 1 }));
  // Connected before the clock starts.
  await Promise.all(
    clients.map((client) =>
      client.request({ path: '/health/live', method: 'GET' }).then(({ body }) => body.dump()),
    ),
  );
  return clients;
}

function post(client: Client, { url }: Target, { headers, body }: DoorRequest): Promise<number> {
  return new Promise((resolve, reject) => {
    let status = 0;
    client.dispatch(
      { path: new URL(url).pathname, method: 'POST', headers, body },
      {
        onRequestStart() {},
        onResponseStart(_controller, statusCode) {
          status = statusCode;
        },
        onResponseData() {},
        onResponseEnd: () => resolve(status),
        onResponseError: (_controller, error) => reject(error),
      },
    );
  });
}
