import { groupKeyOf, type Item, keyOf, sortedByKey } from './item.ts';

export interface KeyRow {
  channel_id: string;
  external_event_id: string;
  message_id: string | null;
}

/** One key per event, and one per album, which remembers the album's message; in lock order. */
export function sortedKeys(items: Item[]): KeyRow[] {
  const rows = new Map<string, KeyRow>();
  for (const row of items.flatMap(keysOf)) {
    const key = keyOf(row.channel_id, row.external_event_id);
    if (!rows.has(key)) rows.set(key, row);
  }
  return sortedByKey(rows);
}

function keysOf({ channel, inbound, proposedId }: Item): KeyRow[] {
  const event = { channel_id: channel.id, external_event_id: inbound.externalEventId, message_id: null };
  if (inbound.kind !== 'message') return [event];
  const message = { ...event, message_id: proposedId };
  const groupKey = groupKeyOf(inbound);
  return groupKey === undefined ? [message] : [message, { ...message, external_event_id: groupKey }];
}
