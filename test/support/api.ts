import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../../src/api/app.ts';
import type { ApiDeps } from '../../src/api/deps.ts';
import { createMetrics } from '../../src/api/metrics.ts';
import type { Role } from '../../src/core/actor.ts';
import { createApiKey } from '../../src/core/api-keys.ts';
import { createFiles } from '../../src/core/attachments/files.ts';
import { createDiskStorage } from '../../src/core/attachments/storage/disk.ts';
import { createAttachments } from '../../src/core/attachments.ts';
import { createBusiness } from '../../src/core/businesses.ts';
import { type Config, readConfig } from '../../src/core/config.ts';
import { createRateLimits } from '../../src/core/limits.ts';
import { createReplies } from '../../src/core/messages/replies.ts';
import { createPayloadUrls } from '../../src/webhooks/payload-urls.ts';
import { startCore } from './core.ts';
import { createTestDatabase } from './database.ts';
import { describedBy } from './described.ts';

export const ADMIN_API_KEY = 'operator-of-the-tests-long-enough';

export interface TestAnswer {
  status: number;
  headers: Headers;
  // Tests read what they expect; a wrong shape fails there.
  // biome-ignore lint/suspicious/noExplicitAny: an answer of any route
  body: any;
  text: string;
}

export interface CallOptions {
  key?: string;
  body?: unknown;
  /** Bytes, text or a form to send as they are. */
  raw?: string | Uint8Array | FormData;
  headers?: Record<string, string>;
}

export interface TestBusiness {
  id: string;
  ownerId: string;
  key: string;
}

export type TestApi = Awaited<ReturnType<typeof startApi>>;

/** The HTTP app on a database of its own, without lanes and dispatcher: what routes do by themselves. */
export async function startApi({
  config: overrides = {},
  deps: replaced = {},
}: {
  config?: Partial<Config>;
  deps?: Partial<ApiDeps>;
} = {}) {
  const database = await createTestDatabase();
  const { pool } = database;
  const dataDir = await mkdtemp(join(tmpdir(), 'tributary-api-'));
  const read = readConfig({
    DATA_DIR: dataDir,
    EGRESS_ALLOW: '127.0.0.0/8',
    ADMIN_API_KEY,
    PUBLIC_URL: 'http://tributary.test',
  });
  const config: Config = { ...read, ...overrides };
  const { egress: rules, publicUrl } = config;
  const core = await startCore(pool, { egress: rules, publicUrl });
  const { log, secrets, wake, egress, transact, registry, channels, placing, receiver } = core;
  const files = createFiles({
    storage: createDiskStorage(join(dataDir, 'files')),
    incoming: join(dataDir, 'files', 'incoming'),
  });
  const attachments = createAttachments({ pool, secrets, files, baseUrl: () => config.publicUrl ?? '' });
  const writing = { secrets, egress, attachments, channels };
  const rateLimits = createRateLimits(undefined, log);
  const deps: ApiDeps = {
    config,
    pool,
    transact,
    secrets,
    registry,
    channels,
    receiver,
    wake,
    rateLimits,
    log,
    attachments,
    writeReply: createReplies({ pool, transact, ...placing, ...writing }),
    egress,
    payloads: createPayloadUrls({ attachments, secrets, baseUrl: () => config.publicUrl }),
    metrics: createMetrics(pool),
    isReady: () => true,
    ...replaced,
  };
  const app = createApp(deps);

  async function call(method: string, path: string, options: CallOptions = {}): Promise<TestAnswer> {
    const { key, body, raw = body === undefined ? undefined : JSON.stringify(body), headers = {} } = options;
    const response = await app.request(path, {
      method,
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(raw === undefined ? {} : { body: raw as string }),
    });
    const text = await response.text();
    const { status, headers: answered } = response;
    const isAsDescribed = await describedBy(async () => (await app.request('/openapi.json')).json());
    isAsDescribed({ method, path, status, contentType: answered.get('content-type'), body: parsed(text) });
    return { status, headers: answered, text, body: parsed(text) };
  }

  async function business(name = 'Acme'): Promise<TestBusiness> {
    const { business, key, ownerId } = await pool.begin((tx) => createBusiness(tx, { name }));
    return { id: business.id, key, ownerId };
  }

  async function keyFor(businessId: string, role: Role, agentId: string | null = null): Promise<string> {
    return (await createApiKey(pool, businessId, { name: role, role, agentId })).key;
  }

  async function stop(): Promise<void> {
    await rateLimits.close();
    await core.stop();
    await database.drop();
    await rm(dataDir, { recursive: true, force: true });
  }

  return { app, pool, deps, call, business, keyFor, stop };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
