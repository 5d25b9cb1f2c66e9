import { isDeepStrictEqual } from 'node:util';
import type { Actor } from '../actor.ts';
import type { ChannelAdapter, ChannelRegistry } from '../adapter.ts';
import { audit } from '../audit.ts';
import type { CsatSettings } from '../csat/settings.ts';
import type { Sql } from '../database/connect.ts';
import { isTaken } from '../database/taken.ts';
import type { EgressGuard } from '../egress.ts';
import { AppError } from '../errors.ts';
import { newId } from '../id.ts';
import type { Secrets } from '../secrets.ts';
import { type ChannelAssignment, checkAssignment } from '../team/assignment.ts';
import type { ChannelRow } from '../views/channel.ts';
import { checkAutomaticTexts, refuseWithoutHours } from './automatic-texts.ts';
import {
  type Config,
  changeConfig,
  maskedKeys,
  parseConfig,
  splitSecrets,
  valueAt,
} from './channel-settings.ts';
import { channelTypeOf, refuseUnknownType } from './channel-type.ts';
import type { LoadedChannel } from './loaded-channel.ts';

export interface NewChannel extends Omit<ChannelChanges, 'config'> {
  type: string;
  config: Config;
}

export interface ChannelChanges {
  name?: string | undefined;
  config?: Config | undefined;
  is_active?: boolean | undefined;
  is_default?: boolean | undefined;
  reopen?: string | undefined;
  assignment?: ChannelAssignment | undefined;
  auto_resolve_after_minutes?: number | null | undefined;
  retention_messages_days?: number | null | undefined;
  csat?: CsatSettings | null | undefined;
  greeting?: string | null | undefined;
  out_of_hours?: string | null | undefined;
}

/** A stored change, with the secrets that were generated for it. */
export interface Changed {
  loaded: LoadedChannel;
  generated: Record<string, string>;
}

interface Tools<Input> {
  registry: ChannelRegistry;
  secrets: Secrets;
  egress: EgressGuard;
  open(row: ChannelRow): LoadedChannel;
  input: Input;
}

/** Stores a new channel; the business's first one becomes its default unless it says no. */
export async function createChannel(tx: Sql, actor: Actor, tools: Tools<NewChannel>): Promise<Changed> {
  const { input, registry } = tools;
  const adapter = adapterFor(registry, input.type);
  refuseMasked(adapter, input.config);
  const settings = parseConfig(adapter, input.config);
  checkAutomaticTexts(input);
  const id = newId();
  const values = {
    id,
    business_id: actor.businessId,
    type: adapter.type,
    name: input.name ?? adapter.type,
    ...storable(adapter, settings, { ...tools, actor, id }),
    is_active: input.is_active ?? true,
    is_default: await decideDefault(tx, actor.businessId, input.is_default),
    reopen: input.reopen ?? 'always',
    assignment: await checkedAssignment(tx, actor, input),
    auto_resolve_after_minutes: input.auto_resolve_after_minutes ?? null,
    retention_messages_days: input.retention_messages_days ?? null,
    csat: input.csat ?? null,
    greeting: input.greeting ?? null,
    out_of_hours: input.out_of_hours ?? null,
    connect_at: laterIfCut(adapter),
  };
  const row = await orConflict(tx<ChannelRow[]>`insert into channels ${tx(values as never)} returning *`);
  await refuseWithoutHours(tx, id);
  await audit(tx, actor, { action: 'channel.created', subjectId: id, detail: { type: adapter.type } });
  return { loaded: tools.open(row), generated: generatedOf(adapter, settings, [input.config]) };
}

/** Changes a channel that this transaction has locked; a changed config starts with a clean bill of health. */
export async function changeChannel(
  tx: Sql,
  actor: Actor,
  tools: Tools<ChannelChanges & { id: string }> & { before: LoadedChannel },
): Promise<Changed> {
  const { adapter, channel } = tools.before;
  const { id, config, ...plain } = tools.input;
  const before = channel.settings as Config;
  const settings = config === undefined ? undefined : changeConfig(adapter, before, config);
  checkAutomaticTexts(plain);
  if (plain.assignment !== undefined) await checkAssignment(tx, actor.businessId, plain.assignment);
  if (plain.is_default === true) await clearDefault(tx, actor.businessId);
  const stored =
    settings === undefined
      ? {}
      : {
          ...storable(adapter, settings, { ...tools, actor, id }),
          ...(isSame(settings, before) ? {} : HEALTHY),
        };
  const connecting =
    settings === undefined && plain.is_active !== true ? {} : { connect_at: laterIfCut(adapter) };
  const set = { ...withoutUndefined(plain), ...stored, ...connecting, updated_at: new Date() };
  const row = await orConflict(
    tx<ChannelRow[]>`update channels set ${tx(set as never)} where id = ${id} returning *`,
  );
  await refuseWithoutHours(tx, id);
  await audit(tx, actor, { action: 'channel.updated', subjectId: id, detail: { fields: Object.keys(set) } });
  return {
    loaded: tools.open(row),
    generated: generatedOf(adapter, settings ?? before, [before, config ?? {}]),
  };
}

async function checkedAssignment(
  tx: Sql,
  { businessId }: Actor,
  { assignment = { mode: 'manual' } }: ChannelChanges,
): Promise<ChannelAssignment> {
  await checkAssignment(tx, businessId, assignment);
  return assignment;
}

const HEALTHY = { broken_at: null, broken_reason: null };

/** What was refused is refused still when the same is saved again. */
function isSame(settings: Config, before: Config): boolean {
  return isDeepStrictEqual(settings, before);
}

const CONNECT_WITHIN_MS = 60_000;

/** Connecting follows the commit; a crash in between leaves it to the worker. */
function laterIfCut(adapter: ChannelAdapter): Date | null {
  return adapter.connect === undefined ? null : new Date(Date.now() + CONNECT_WITHIN_MS);
}

/** Takes a channel away from its business; what was said on it stays readable. */
export async function removeChannel(tx: Sql, actor: Actor, id: string): Promise<void> {
  const removed = await tx`
    update channels set deleted_at = now(), is_active = false, is_default = false, updated_at = now()
    where id = ${id} and business_id = ${actor.businessId} and deleted_at is null returning id`;
  if (removed.length === 0) throw new AppError('not_found', 'There is no such channel.');
  await audit(tx, actor, { action: 'channel.deleted', subjectId: id });
}

function adapterFor(registry: ChannelRegistry, type: string): ChannelAdapter {
  refuseUnknownType(registry, type, 'type');
  return registry.get(channelTypeOf(type)) as ChannelAdapter;
}

function refuseMasked(adapter: ChannelAdapter, config: Config): void {
  const details = maskedKeys(config, adapter.secretKeys).map((key) => {
    return { field: `config.${key}`, message: 'is masked: give the secret itself' };
  });
  if (details.length > 0)
    throw new AppError('validation_error', 'A new channel needs its secrets.', { details });
}

interface StorableOptions {
  secrets: Secrets;
  egress: EgressGuard;
  actor: Actor;
  id: string;
}

function storable(
  adapter: ChannelAdapter,
  settings: Config,
  { secrets, egress, actor, id }: StorableOptions,
) {
  vetHosts(adapter, settings, egress);
  const { open, secret } = splitSecrets(settings, adapter.secretKeys);
  const scope = { businessId: actor.businessId, rowId: id, field: 'secrets' };
  return {
    config: open,
    secrets: Object.keys(secret).length === 0 ? null : secrets.encrypt(JSON.stringify(secret), scope),
    account_key: adapter.accountKey?.(settings) ?? null,
  };
}

/** Hosts that are URLs are refused here already; the rest meets the guard when it is dialled. */
function vetHosts(adapter: ChannelAdapter, settings: Config, egress: EgressGuard): void {
  for (const key of adapter.hostKeys) {
    const value = valueAt(settings, key);
    if (typeof value === 'string' && value.includes('://')) egress.vetUrl(value, `config.${key}`);
  }
}

/** The business is locked, so that two first channels agree on one default. */
async function decideDefault(tx: Sql, businessId: string, wanted: boolean | undefined): Promise<boolean> {
  if (wanted === false) return false;
  await lockBusiness(tx, businessId);
  if (wanted === true) {
    await clearDefault(tx, businessId);
    return true;
  }
  const [other] =
    await tx`select 1 from channels where business_id = ${businessId} and deleted_at is null limit 1`;
  return other === undefined;
}

/** One decision at a time on which channel is the default. */
export async function lockBusiness(tx: Sql, id: string): Promise<void> {
  await tx`select 1 from businesses where id = ${id} for no key update`;
}

async function clearDefault(tx: Sql, businessId: string): Promise<void> {
  await lockBusiness(tx, businessId);
  await tx`update channels set is_default = false where business_id = ${businessId} and is_default and deleted_at is null`;
}

/** An account that another channel holds is a conflict; whose channel that is stays untold. */
async function orConflict(query: PromiseLike<ChannelRow[]>): Promise<ChannelRow> {
  try {
    const [row] = await query;
    if (row === undefined) throw new AppError('not_found', 'There is no such channel.');
    return row;
  } catch (error) {
    if (!isTaken(error)) throw error;
    throw new AppError('conflict', 'This account is connected to another active channel already.', {
      cause: error,
    });
  }
}

/** The secrets in the settings that came from nowhere else. */
function generatedOf(adapter: ChannelAdapter, settings: Config, sources: Config[]): Record<string, string> {
  const { secret } = splitSecrets(settings, adapter.secretKeys);
  const isNew = ([key, value]: [string, string]) => sources.every((source) => valueAt(source, key) !== value);
  return Object.fromEntries(Object.entries(secret).filter(isNew));
}

function withoutUndefined<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}
