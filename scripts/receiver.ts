import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createSigner } from '../src/webhooks/sign.ts';

/*
 * A subscriber's server to try webhooks with: verifies and prints what arrives. Without a secret it subscribes itself at the
 * gateway that runs here, and unsubscribes when it ends.
 */
const HELP = `npm run receiver -- [options]
  --port 4000       where to listen
  --secret whsec_…  verify with this and subscribe nothing
  --gateway URL     where to subscribe (http://127.0.0.1:3000)
  --key KEY         an admin's API key (that of .data/credentials.json)
  --events a,b.*    what to subscribe to (*)
  --status 204      what to answer
  --delay 0         how many milliseconds to wait before it
  --body            print whole payloads`;

const TOLERANCE_SECONDS = 300;

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '4000' },
    secret: { type: 'string' },
    gateway: { type: 'string', default: 'http://127.0.0.1:3000' },
    key: { type: 'string' },
    events: { type: 'string', default: '*' },
    status: { type: 'string', default: '204' },
    delay: { type: 'string', default: '0' },
    body: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) console.log(HELP);
else await receive();

async function receive(): Promise<void> {
  let secret = options.secret;
  const server = createServer(async (request, response) => {
    const body = await textOf(request);
    const isGenuine = secret !== undefined && verifies(request.headers, body, secret);
    print(request.headers, body, isGenuine);
    await sleep(Number(options.delay));
    response.writeHead(isGenuine ? Number(options.status) : 401).end();
  });
  server.listen(Number(options.port), '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/`;
  const endpoint = secret === undefined ? await subscribe(url) : undefined;
  secret ??= endpoint?.secret;
  console.log(`Listening at ${url}`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await endpoint?.unsubscribe();
  server.closeAllConnections();
  server.close();
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function verifies(headers: IncomingHttpHeaders, body: string, secret: string): boolean {
  const id = String(headers['webhook-id']);
  const timestamp = Number(headers['webhook-timestamp']);
  if (!(Math.abs(Date.now() / 1_000 - timestamp) <= TOLERANCE_SECONDS)) return false;
  const expected = Buffer.from(createSigner(secret)({ id, timestamp, body }));
  return String(headers['webhook-signature'])
    .split(' ')
    .map((signature) => Buffer.from(signature))
    .some((given) => given.length === expected.length && timingSafeEqual(given, expected));
}

function print(headers: IncomingHttpHeaders, body: string, isGenuine: boolean): void {
  const payload = parsed(body);
  const type = payload['type'] ?? payload['event'] ?? 'no JSON';
  const attempt = headers['webhook-attempt'] ?? '1';
  const text = payload['data']?.message?.content ?? payload['message']?.content ?? '';
  const verdict = isGenuine ? 'verified' : 'NOT VERIFIED';
  console.log(`${verdict}  ${type}  ${headers['webhook-id']}  try ${attempt}  ${JSON.stringify(text)}`);
  if (options.body) console.log(JSON.stringify(payload, null, 2));
}

interface Payload {
  [field: string]: { message?: { content?: unknown }; content?: unknown } | undefined;
}

function parsed(body: string): Payload {
  try {
    return JSON.parse(body) as Payload;
  } catch {
    return {};
  }
}

async function subscribe(url: string) {
  const key = options.key ?? (await ownKey());
  const call = (method: string, path: string, body?: object) =>
    fetch(`${options.gateway}/api/v1/webhook-endpoints${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const answer = await call('POST', '', { url, events: options.events.split(',') });
  const text = await answer.text();
  if (!answer.ok) {
    console.error(`${options.gateway} answers ${answer.status}: ${text}`);
    if (answer.status === 422)
      console.error('Start it with EGRESS_ALLOW=127.0.0.0/8, so that it may call this machine.');
    process.exit(1);
  }
  const { id, secret } = JSON.parse(text) as { id: string; secret: string };
  return { secret, unsubscribe: () => call('DELETE', `/${id}`) };
}

async function ownKey(): Promise<string> {
  const file = join(process.env['DATA_DIR'] ?? '.data', 'credentials.json');
  const { api_key } = JSON.parse(await readFile(file, 'utf8')) as { api_key: string };
  return api_key;
}
