import type { Actor } from './actor.ts';
import type { ChannelRegistry, Health } from './adapter.ts';
import { createAccounts } from './channels/accounts.ts';
import {
  type Changed,
  type ChannelChanges,
  changeChannel,
  createChannel,
  lockBusiness,
  type NewChannel,
  removeChannel,
} from './channels/change-channel.ts';
import { cacheChannels } from './channels/channel-cache.ts';
import { connectChannel } from './channels/connect-channel.ts';
import { type LoadedChannel, openChannel, viewChannel } from './channels/loaded-channel.ts';
import type { Pool, Sql } from './database/connect.ts';
import type { Transact } from './database/transact.ts';
import type { EgressGuard } from './egress.ts';
import { AppError } from './errors.ts';
import { isUuid } from './id.ts';
import type { ListWindow } from './list-window.ts';
import type { Secrets } from './secrets.ts';
import type { ChannelRow, ChannelView } from './views/channel.ts';
import type { Wake } from './wake.ts';

export type { LoadedChannel } from './channels/loaded-channel.ts';
export type { ChannelRow } from './views/channel.ts';

export interface ChannelsOptions {
  pool: Pool;
  transact: Transact;
  secrets: Secrets;
  registry: ChannelRegistry;
  wake: Wake;
  egress: EgressGuard;
  /** PUBLIC_URL, or where this server listens. */
  publicUrl(): string | undefined;
}

export interface ChannelFilter {
  businessId: string;
  type: string | undefined;
  isActive: boolean | undefined;
}

export interface Channels {
  /** The channel for a door or a send, cached for seconds; undefined when unknown or deleted. Inside a transaction, give it. */
  load(id: string, tx?: Sql): Promise<LoadedChannel | undefined>;
  /** The active channel of the first of these accounts that has one, whoever's it is. */
  byAccount(...accountKeys: string[]): Promise<LoadedChannel | undefined>;
  /** The business's own channel, fresh. Throws `not_found` for any other id. */
  find(sql: Sql, businessId: string, id: string): Promise<LoadedChannel>;
  list(sql: Sql, filter: ChannelFilter, page: ListWindow): Promise<LoadedChannel[]>;
  create(tx: Sql, actor: Actor, input: NewChannel): Promise<Changed>;
  change(tx: Sql, actor: Actor, input: ChannelChanges & { id: string }): Promise<Changed>;
  remove(tx: Sql, actor: Actor, id: string): Promise<void>;
  /** Registers our door with the provider; gives the channel as it stands then. Never inside a transaction. */
  connect(loaded: LoadedChannel, options: { isNew: boolean }): Promise<LoadedChannel>;
  /** Asks the provider; a healthy answer ends a broken state. */
  health(loaded: LoadedChannel): Promise<Health>;
  /** The provider refuses the account: noted once, with the event `channel.error`. */
  markBroken(id: string, reason: string): Promise<void>;
  markHealthy(id: string): Promise<void>;
  /** Replaces one secret by another that the provider gave in its place. */
  keepSecret(id: string, key: string, value: string): Promise<void>;
  /** Where the provider reaches us: undefined without a public https address or without a door. */
  doorUrl(row: Pick<ChannelRow, 'id' | 'type'>): string | undefined;
  view(loaded: LoadedChannel): ChannelView;
}

/** The channels of all businesses, as doors, lanes and routes need them. */
export function createChannels(options: ChannelsOptions): Channels {
  const { pool, registry, secrets, wake, publicUrl } = options;
  function open(row: ChannelRow): LoadedChannel {
    const { adapter, channel } = openChannel(row, registry, secrets);
    return { row, adapter, channel: { ...channel, doorUrl: doorUrl(row) } };
  }

  const isKnown = (row: ChannelRow) => registry.has(row.type);

  async function read(id: string, sql: Sql = pool): Promise<LoadedChannel | undefined> {
    const [row] = await sql<ChannelRow[]>`select * from channels where id = ${id} and deleted_at is null`;
    return row === undefined || !isKnown(row) ? undefined : open(row);
  }

  const load = cacheChannels(read, wake);

  async function byAccount(...accountKeys: string[]): Promise<LoadedChannel | undefined> {
    const [row] = await pool<{ id: string }[]>`
      select id from channels where account_key = any(${accountKeys}) and is_active and deleted_at is null
      order by array_position(${accountKeys}, account_key) limit 1`;
    return row && load(row.id);
  }

  async function find(sql: Sql, businessId: string, id: string): Promise<LoadedChannel> {
    const [row] = isUuid(id)
      ? await sql<ChannelRow[]>`
          select * from channels where id = ${id} and business_id = ${businessId} and deleted_at is null`
      : [];
    if (row === undefined) throw new AppError('not_found', 'There is no such channel.');
    return open(row);
  }

  async function lock(tx: Sql, actor: Actor, id: string): Promise<LoadedChannel> {
    if (isUuid(id))
      await tx`select 1 from channels where id = ${id} and business_id = ${actor.businessId} for update`;
    return find(tx, actor.businessId, id);
  }

  function urlOf({ type, id }: Pick<ChannelRow, 'id' | 'type'>): string | null {
    const base = publicUrl();
    return base === undefined || registry.get(type)?.door === undefined
      ? null
      : `${base}/webhooks/${type}/${id}`;
  }

  function doorUrl(row: Pick<ChannelRow, 'id' | 'type'>): string | undefined {
    const url = urlOf(row);
    return url?.startsWith('https://') ? url : undefined;
  }

  const accounts = createAccounts(options, doorUrl);

  async function connect(loaded: LoadedChannel, { isNew }: { isNew: boolean }): Promise<LoadedChannel> {
    const { id, business_id } = loaded.row;
    const refusal = await connectChannel(pool, loaded, { doorUrl: doorUrl(loaded.row), isNew }).finally(() =>
      wake.notify('channel', id),
    );
    if (refusal !== undefined) await accounts.markBroken(id, refusal);
    return find(pool, business_id, id);
  }

  return {
    load,
    byAccount,
    find,
    list: async (sql, filter, page) => (await listRows(sql, filter, page)).filter(isKnown).map(open),
    create: (tx, actor, input) => createChannel(tx, actor, { ...options, open, input }),
    async change(tx, actor, input) {
      // The business before its channels, for the default moves from one to another: else two such changes deadlock.
      if (input.is_default === true) await lockBusiness(tx, actor.businessId);
      return changeChannel(tx, actor, { ...options, open, input, before: await lock(tx, actor, input.id) });
    },
    remove: (tx, actor, id) => removeChannel(tx, actor, id),
    connect,
    ...accounts,
    doorUrl,
    view: (loaded) => viewChannel(loaded, urlOf(loaded.row)),
  };
}

function listRows(
  sql: Sql,
  { businessId, type, isActive }: ChannelFilter,
  { after, offset, fetch }: ListWindow,
) {
  return sql<ChannelRow[]>`
    select * from channels where business_id = ${businessId} and deleted_at is null
      ${type === undefined ? sql`` : sql`and type = ${type}`}
      ${isActive === undefined ? sql`` : sql`and is_active = ${isActive}`}
      ${after === undefined ? sql`` : sql`and id > ${after[0] ?? null}::uuid`}
    order by id limit ${fetch} offset ${offset}`;
}
