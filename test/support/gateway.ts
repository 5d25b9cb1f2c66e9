import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, readConfig } from '../../src/core/config.ts';
import type { Pool } from '../../src/core/database/connect.ts';
import { createLog } from '../../src/core/log.ts';
import { type Gateway, startGateway } from '../../src/gateway.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { describedBy } from './described.ts';
import { expectDescribedEvents } from './described-events.ts';

export interface Answer<T = unknown> {
  status: number;
  headers: Headers;
  body: T;
}

export interface TestGateway {
  url: string;
  pool: Pool;
  database: TestDatabase;
  businessId: string;
  agentId: string;
  /** Where it takes mail, when it was started with `smtp`. */
  smtpPort: number;
  /** The web chat that the first start makes. */
  channelId: string;
  /** The owner's key. */
  apiKey: string;
  /** A request with the owner's key, or another, or none; the answer's JSON is parsed. */
  call<T = never>(method: string, path: string, body?: unknown, options?: CallOptions): Promise<Answer<T>>;
  stop(): Promise<void>;
}

interface CallOptions {
  key?: string | null;
  headers?: Record<string, string>;
}

interface GatewayOptions extends Partial<Config> {
  /** Share another gateway's database: the second process of a pair. */
  database_?: TestDatabase;
}

/** A whole gateway in this process, on a database of its own and a random port. */
export async function startTestGateway({
  database_,
  ...overrides
}: GatewayOptions = {}): Promise<TestGateway> {
  const database = database_ ?? (await createTestDatabase());
  const dataDir = overrides.dataDir ?? (await mkdtemp(join(tmpdir(), 'tributary-test-')));
  const config: Config = {
    ...readConfig({ PORT: '0', EGRESS_ALLOW: '127.0.0.0/8', LOG_LEVEL: 'silent', DATA_DIR: dataDir }),
    database: { kind: 'external', url: database.url },
    secretKeys: ['a secret of the tests, long enough'],
    ...overrides,
  };
  const gateway = await startGateway(config, createLog(process.env['TEST_LOG_LEVEL'] ?? config.logLevel));
  const known = await knownBusiness(database.pool, gateway);
  const url = gateway.url ?? '';
  return {
    url,
    smtpPort: gateway.smtpPort ?? 0,
    pool: database.pool,
    database,
    ...known,
    async call(method, path, body, options) {
      const answer = await call(`${url}${path}`, { method, body, key: known.apiKey, ...options });
      const contentType = answer.headers.get('content-type');
      const isAsDescribed = await describedBy(async () => (await fetch(`${url}/openapi.json`)).json());
      isAsDescribed({ method, path, status: answer.status, contentType, body: answer.body });
      return answer as Answer<never>;
    },
    async stop() {
      await gateway.stop();
      const astray = await expectDescribedEvents(database.pool).catch((error: unknown) => error);
      if (database_ === undefined) await database.drop();
      if (overrides.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
      if (astray !== undefined) throw astray;
    },
  };
}

/** The second gateway on a database finds the business made; whoever starts it brings the first one's key. */
async function knownBusiness(pool: Pool, { firstRun }: Gateway) {
  if (firstRun !== undefined) {
    const { business_id, agent_id, channel_id, api_key } = firstRun;
    return { businessId: business_id, agentId: agent_id, channelId: channel_id, apiKey: api_key };
  }
  const [row] = await pool<{ id: string }[]>`select id from businesses order by id limit 1`;
  return { businessId: row?.id ?? '', agentId: '', channelId: '', apiKey: '' };
}

interface Call extends CallOptions {
  method: string;
  body: unknown;
}

async function call<T>(url: string, { method, body, key, headers = {} }: Call): Promise<Answer<T>> {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array || body instanceof FormData;
  const response = await fetch(url, {
    method,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined || isRaw ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isRaw ? (body as string) : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: parsed(text) as T };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Waits until the check holds, neither throws nor answers false; fails with the last thing it threw. */
export async function eventually<T>(check: () => T | Promise<T>, withinMs = 30_000): Promise<Awaited<T>> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    try {
      const result = await check();
      if (result === false) throw new Error(`did not happen within ${withinMs} ms: ${check}`);
      return result;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
