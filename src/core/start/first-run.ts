import { join } from 'node:path';
import { type Actor, createApiKey } from '../api-keys.ts';
import { createBusiness } from '../businesses.ts';
import type { Channels } from '../channels.ts';
import type { Config } from '../config.ts';
import type { Sql } from '../database/connect.ts';
import type { Transact } from '../database/transact.ts';
import { writePrivate } from '../secret-key.ts';

/** What is kept in credentials.json. */
interface Credentials {
  business_id: string;
  api_key: string;
  agent_id: string;
  channel_id: string;
}

/** What the first start made, with the keys that are shown only now. */
export interface FirstRun extends Credentials {
  /** For the page that shows the whole loop: a key that ends in a day. */
  demo_key: string;
}

interface FirstRunDeps {
  config: Config;
  transact: Transact;
  channels: Channels;
}

/** Creates the first business with its owner and a web chat, while there is none; undefined when there is one. */
export async function prepareFirstRun(deps: FirstRunDeps): Promise<FirstRun | undefined> {
  // Its terminal and folder are not where anybody would look for the credentials.
  if (deps.config.role === 'worker') return undefined;
  return deps.transact(async (tx) => {
    // Of several processes that start at once, one creates and the others find.
    await tx`select pg_advisory_xact_lock(${LOCK})`;
    const [existing] = await tx`select 1 from businesses limit 1`;
    if (existing) return undefined;
    const created = await create(tx, deps);
    // Before the commit: a crash in between would leave a business whose key nobody knows.
    await writePrivate(join(deps.config.dataDir, 'credentials.json'), text(created.credentials));
    return { ...created.credentials, demo_key: created.demoKey };
  });
}

const LOCK = 7_305_814;
const DEMO_KEY_MS = 24 * 3_600_000;

async function create(tx: Sql, { config, channels }: FirstRunDeps) {
  const created = await createBusiness(tx, { name: 'My business' }, config.bootstrapApiKey);
  const owner: Actor = {
    businessId: created.business.id,
    apiKeyId: created.apiKey.id,
    agentId: created.ownerId,
    role: 'owner',
  };
  const webchat = { type: 'webchat', name: 'Web chat', config: {}, is_default: true };
  const { loaded } = await channels.create(tx, owner, webchat);
  const credentials: Credentials = {
    business_id: owner.businessId,
    api_key: created.key,
    agent_id: created.ownerId,
    channel_id: loaded.row.id,
  };
  return { credentials, demoKey: await createDemoKey(tx, owner) };
}

async function createDemoKey(tx: Sql, { businessId, agentId }: Actor): Promise<string> {
  const expiresAt = new Date(Date.now() + DEMO_KEY_MS);
  const { key } = await createApiKey(tx, businessId, {
    name: 'Demo page',
    role: 'agent',
    agentId,
    expiresAt,
  });
  return key;
}

function text(credentials: Credentials): string {
  return `${JSON.stringify(credentials, null, 2)}\n`;
}
