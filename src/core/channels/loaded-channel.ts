import type { Channel, ChannelAdapter, ChannelRegistry } from '../adapter.ts';
import type { Sql } from '../database/connect.ts';
import { AppError } from '../errors.ts';
import type { Secrets } from '../secrets.ts';
import type { ChannelRow, ChannelView } from '../views/channel.ts';
import { isoOrNull } from '../views/time.ts';
import { joinSecrets, maskSecrets } from './channel-settings.ts';

/** A channel with the adapter that works it. */
export interface LoadedChannel {
  row: ChannelRow;
  adapter: ChannelAdapter;
  /** As the adapter sees it, settings decrypted and typed. */
  channel: Channel;
}

/** Decrypts and types a channel's settings. */
export function openChannel(row: ChannelRow, registry: ChannelRegistry, secrets: Secrets): LoadedChannel {
  const registered = registry.get(row.type);
  if (registered === undefined)
    throw new AppError('unavailable', `Channels of type ${row.type} are not supported here.`);
  const settings = registered.settings.parse(joinSecrets(row.config, decryptSecrets(row, secrets)));
  const adapter = registered.variant?.(settings) ?? registered;
  return { row, adapter, channel: { id: row.id, businessId: row.business_id, settings } };
}

interface Replacement {
  id: string;
  key: string;
  value: string;
}

/** Puts another value in place of one stored secret; a channel that is gone by then has none. */
export async function replaceSecret(
  tx: Sql,
  secrets: Secrets,
  { id, key, value }: Replacement,
): Promise<void> {
  const [row] = await tx<
    ChannelRow[]
  >`select * from channels where id = ${id} and deleted_at is null for update`;
  if (row === undefined) return;
  const stored = JSON.stringify({ ...decryptSecrets(row, secrets), [key]: value });
  const scope = { businessId: row.business_id, rowId: id, field: 'secrets' };
  await tx`update channels set secrets = ${secrets.encrypt(stored, scope)} where id = ${id}`;
}

function decryptSecrets(row: ChannelRow, secrets: Secrets): Record<string, string> {
  if (row.secrets === null) return {};
  return JSON.parse(
    secrets.decrypt(row.secrets, { businessId: row.business_id, rowId: row.id, field: 'secrets' }),
  );
}

/** The channel as the API shows it, its secrets masked. */
export function viewChannel(
  { row, adapter, channel }: LoadedChannel,
  webhookUrl: string | null,
): ChannelView {
  return {
    id: row.id,
    business_id: row.business_id,
    type: row.type,
    name: row.name,
    config: maskSecrets(channel.settings as Record<string, unknown>, adapter.secretKeys),
    is_active: row.is_active,
    is_default: row.is_default,
    reopen: row.reopen,
    assignment: row.assignment,
    auto_resolve_after_minutes: row.auto_resolve_after_minutes,
    retention_messages_days: row.retention_messages_days,
    csat: row.csat,
    greeting: row.greeting,
    out_of_hours: row.out_of_hours,
    webhook_url: webhookUrl,
    setup: row.setup,
    broken_at: isoOrNull(row.broken_at),
    broken_reason: row.broken_reason,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}
