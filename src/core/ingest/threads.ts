import type { Inbound } from '../envelope.ts';
import { type Item, keyOf, sortedByKey } from './item.ts';

export interface ThreadState {
  channel_id: string;
  thread_key: string;
  conversation_id: string | null;
  customer_id: string | null;
}

export interface ThreadRow {
  channel_id: string;
  business_id: string;
  thread_key: string;
}

/** Every thread that the items touch, in lock order. */
export function sortedThreads(items: Item[]): ThreadRow[] {
  const rows = new Map<string, ThreadRow>();
  for (const { channel, inbound } of items) {
    for (const thread_key of threadKeysOf(inbound)) {
      rows.set(keyOf(channel.id, thread_key), {
        channel_id: channel.id,
        business_id: channel.businessId,
        thread_key,
      });
    }
  }
  return sortedByKey(rows);
}

/** A message's thread under all its keys, its own first. */
export function threadKeysOfMessage({ threadKey, threadAliases }: Inbound): string[] {
  return threadAliases === undefined ? [threadKey] : [threadKey, ...threadAliases];
}

function threadKeysOf(inbound: Inbound): string[] {
  if (inbound.kind === 'message') return threadKeysOfMessage(inbound);
  if (inbound.kind === 'identity_change' && inbound.newThreadKey !== undefined) {
    return [inbound.threadKey, inbound.newThreadKey];
  }
  return [];
}
