import type { Sql } from '../database/connect.ts';
import { column } from '../database/recordset.ts';
import { type Item, keyOf } from './item.ts';
import { sortedKeys } from './keys.ts';
import { writersOf } from './parties.ts';
import type { State } from './state.ts';

/**
 * The items of somebody blocked who was let in, since the address became theirs just now. Their keys are given back: they can
 * be replayed like all that is kept raw only.
 */
export async function leaveOutBlocked(tx: Sql, items: Item[], state: State): Promise<Set<Item>> {
  const isBlocked = ({ channel, inbound }: Item) =>
    writersOf(inbound).some(
      ({ address }) => state.parties.get(keyOf(channel.id, address))?.customer.blocked_at != null,
    );
  const leftOut = items.filter(isBlocked);
  const keys = sortedKeys(leftOut).filter((key) =>
    state.fresh.has(keyOf(key.channel_id, key.external_event_id)),
  );
  if (keys.length > 0)
    await tx`
      delete from inbound_keys where (channel_id, external_event_id) in (
        select * from unnest(${column(keys, 'channel_id')}::uuid[], ${column(keys, 'external_event_id')}::text[]))`;
  return new Set(leftOut);
}
