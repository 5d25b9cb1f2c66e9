import type { Sql } from '../database/connect.ts';
import { record } from '../events.ts';
import type { ChannelRow } from '../views/channel.ts';

/** Notes once that the provider refuses the account, with the event `channel.error`. */
export async function breakChannel(tx: Sql, id: string, reason: string): Promise<void> {
  const [row] = await tx<ChannelRow[]>`
    update channels set broken_at = now(), broken_reason = ${reason}
    where id = ${id} and broken_at is null and deleted_at is null returning *`;
  if (row === undefined) return;
  const data = { channel_id: id, channel_type: row.type, reason };
  await record(tx, [{ type: 'channel.error', businessId: row.business_id, data }]);
}
