import { groupKeyOf, type Item, keyOf, sortedByKey } from './item.ts';

export interface KeyRow {
  channel_id: string;
  external_event_id: string;
  message_id: string | null;
}

/** One key per event, and one per album, which remembers the album's message; in lock order. */
export function sortedKeys(items: Item[]): KeyRow[] {
  const rows = new Map<string, KeyRow>();
  for (const { channel, inbound, proposedId } of items) {
    const message_id = inbound.kind === 'message' ? proposedId : null;
    const groupKey = inbound.kind === 'message' ? groupKeyOf(inbound) : undefined;
    for (const external_event_id of [inbound.externalEventId, groupKey]) {
      if (external_event_id === undefined) continue;
      const key = keyOf(channel.id, external_event_id);
      if (!rows.has(key)) rows.set(key, { channel_id: channel.id, external_event_id, message_id });
    }
  }
  return sortedByKey(rows);
}
