import type { Health } from '../adapter.ts';
import type { Pool } from '../database/connect.ts';
import type { Transact } from '../database/transact.ts';
import type { Secrets } from '../secrets.ts';
import type { Wake } from '../wake.ts';
import { breakChannel } from './break-channel.ts';
import { type LoadedChannel, replaceSecret } from './loaded-channel.ts';

interface AccountsOptions {
  pool: Pool;
  transact: Transact;
  secrets: Secrets;
  wake: Wake;
}

/** What is learned of the accounts behind channels while they are used: whether they work, and newer secrets. */
export function createAccounts(
  { pool, transact, secrets, wake }: AccountsOptions,
  doorUrl: (row: LoadedChannel['row']) => string | undefined,
) {
  async function health(loaded: LoadedChannel): Promise<Health> {
    if (loaded.adapter.health === undefined)
      return { ok: true, detail: 'There is no account at a provider to ask.' };
    const answer = await loaded.adapter.health(loaded.channel, doorUrl(loaded.row));
    if (answer.ok) await markHealthy(loaded.row.id);
    return answer;
  }

  async function markBroken(id: string, reason: string): Promise<void> {
    await transact((tx) => breakChannel(tx, id, reason));
    wake.notify('channel', id);
  }

  async function keepSecret(id: string, key: string, value: string): Promise<void> {
    await transact((tx) => replaceSecret(tx, secrets, { id, key, value }));
    wake.notify('channel', id);
  }

  async function markHealthy(id: string): Promise<void> {
    const healed = await pool`
      update channels set broken_at = null, broken_reason = null where id = ${id} and broken_at is not null returning id`;
    if (healed.length > 0) wake.notify('channel', id);
  }

  return { health, markBroken, markHealthy, keepSecret };
}
