import type { Channels, LoadedChannel } from '../channels.ts';
import type { Sql } from '../database/connect.ts';
import { AppError } from '../errors.ts';

export interface TestStep {
  name: 'settings' | 'active' | 'provider' | 'door' | 'listener';
  ok: boolean;
  detail: string;
}

interface TestOptions {
  pool: Sql;
  channels: Pick<Channels, 'find' | 'health' | 'doorUrl' | 'view'>;
}

/** Tries what a message passes on its way to this channel and back, without sending anybody one. */
export async function testChannel(
  options: TestOptions,
  businessId: string,
  id: string,
): Promise<{ ok: boolean; steps: TestStep[] }> {
  const loaded = await read(options, businessId, id);
  const steps =
    loaded === undefined
      ? [step('settings', false, 'The stored settings cannot be read: give the config again.')]
      : [
          step('settings', true, 'The settings are complete and their secrets can be read.'),
          isActive(loaded),
          ...(await askProvider(options, loaded)),
          ...(await tryDoor(options, loaded)),
          ...(await findListener(options, loaded)),
        ];
  return { ok: steps.every(({ ok }) => ok), steps };
}

function step(name: TestStep['name'], ok: boolean, detail: string): TestStep {
  return { name, ok, detail };
}

async function read({ pool, channels }: TestOptions, businessId: string, id: string) {
  return channels.find(pool, businessId, id).catch((error: unknown) => {
    if (error instanceof AppError) throw error;
    return undefined;
  });
}

function isActive({ row }: LoadedChannel): TestStep {
  const off = 'It is switched off: nothing is received or sent.';
  return step('active', row.is_active, row.is_active ? 'It is switched on.' : off);
}

/** The account, and whether the provider calls us. */
async function askProvider({ channels }: TestOptions, loaded: LoadedChannel): Promise<TestStep[]> {
  if (loaded.adapter.health === undefined) return [];
  const { ok, detail } = await channels.health(loaded);
  return [step('provider', ok, detail)];
}

const DOOR_TIMEOUT_MS = 10_000;

/** A signed request with nothing in it, sent to the address that the provider has. */
async function tryDoor({ channels }: TestOptions, loaded: LoadedChannel): Promise<TestStep[]> {
  const { webhook_url: url } = channels.view(loaded);
  if (url === null) return [];
  const probe = loaded.adapter.door?.probe?.(loaded.channel, url);
  if (probe === undefined) return [];
  const signal = AbortSignal.timeout(DOOR_TIMEOUT_MS);
  const { headers, body } = probe;
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers,
      body: Buffer.from(body),
      signal,
      redirect: 'manual',
    });
    await answer.arrayBuffer();
    return [step('door', answer.ok, `A signed request to ${url} was answered with ${answer.status}.`)];
  } catch (error) {
    return [step('door', false, `${url} cannot be reached from here: ${reasonOf(error)}.`)];
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return 'the request failed';
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}

/** Where we read the source ourselves, some process has to do so right now. */
async function findListener({ pool, channels }: TestOptions, loaded: LoadedChannel): Promise<TestStep[]> {
  const { adapter, channel, row } = loaded;
  if (adapter.shouldListen?.(channel, channels.doorUrl(row)) !== true) return [];
  const held = await pool`select 1 from leases where key = ${`listen:${row.id}`} and expires_at > now()`;
  const isRead = held.length === 1;
  return [step('listener', isRead, isRead ? 'A process of ours reads it.' : 'No process of ours reads it.')];
}
