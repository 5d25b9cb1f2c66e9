import type { Inbound, InboundMessage } from '../envelope.ts';
import { newId } from '../id.ts';

/** One request of a provider or one update of a source, verified and parsed, on its way into the database. */
export interface IngestRequest {
  id: string;
  receivedAt: Date;
  channel: IngestChannel;
  raw: RawRequest;
  inbound: Inbound[];
  /** Kept before: what becomes of it now is noted on its row. */
  isReplay?: boolean;
  /** Something of it was left out, since its sender is blocked. */
  isBlocked?: boolean;
  /** The channels of those items that are for another one than the one that was called. */
  channelOf?: ReadonlyMap<Inbound, IngestChannel>;
  /** Why some of its items are for nobody here. */
  leftOut?: string | undefined;
}

export interface IngestChannel {
  id: string;
  businessId: string;
  type: string;
  reopen: string;
  /** How long after a customer's message the provider lets us answer freely. */
  replyWindowMs?: number | undefined;
}

/** What was received, byte for byte, so that it can be looked at and replayed. */
export interface RawRequest {
  body: Uint8Array;
  headers: Record<string, string>;
  url: string | undefined;
}

/** What became of one inbound item. */
export interface Accepted {
  duplicate: boolean;
  /** Its sender is blocked: nothing was stored of it. */
  isBlocked?: boolean;
  messageId: string | undefined;
  conversationId: string | undefined;
  seq: number | undefined;
}

/** What became of an item whose sender is blocked. */
export const BLOCKED: Accepted = {
  duplicate: false,
  isBlocked: true,
  messageId: undefined,
  conversationId: undefined,
  seq: undefined,
};

/** One inbound item of a batch, with the id that its message gets if it is new. */
export interface Item {
  request: IngestRequest;
  channel: IngestChannel;
  inbound: Inbound;
  proposedId: string;
}

/** An item that is a message. */
export type MessageItem = Item & { inbound: InboundMessage };

/** A message; all else changes one, or whom it is with. */
export function isMessage(item: Item): item is MessageItem {
  return item.inbound.kind === 'message';
}

/** The items of all requests in order, their texts made storable. */
export function itemsOf(requests: IngestRequest[]): Item[] {
  return requests.flatMap((request) =>
    request.inbound.map((inbound) => ({
      request,
      channel: request.channelOf?.get(inbound) ?? request.channel,
      inbound: storable(inbound),
      proposedId: newId(),
    })),
  );
}

/** A key of a row that belongs to a channel; ids have one length, so the parts cannot run into each other. */
export function keyOf(channelId: string, rest: string): string {
  return `${channelId} ${rest}`;
}

/** The rows in the order in which every batch locks them. */
export function sortedByKey<T>(rows: Map<string, T>): T[] {
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

/** The key by which the items of one album find their message. */
export function groupKeyOf(inbound: { threadKey: string; groupKey?: string }): string | undefined {
  return inbound.groupKey === undefined ? undefined : `group:${inbound.threadKey}:${inbound.groupKey}`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: NUL is what it looks for.
const UNSTORABLE = /[\u0000\ud800-\udfff]/;

/** Postgres stores neither NUL nor half a surrogate pair: the first goes, the second becomes U+FFFD. */
export function storable<T>(value: T): T {
  return isStorable(value) ? value : cleaned(value);
}

function isStorable(value: unknown): boolean {
  if (typeof value === 'string')
    return !UNSTORABLE.test(value) || (value.isWellFormed() && !value.includes('\u0000'));
  if (value === null || typeof value !== 'object' || value instanceof Date) return true;
  for (const key in value) {
    if (!isStorable(key) || !isStorable(value[key as keyof typeof value])) return false;
  }
  return true;
}

function cleaned<T>(value: T): T {
  if (typeof value === 'string') return value.replaceAll('\u0000', '').toWellFormed() as T;
  if (Array.isArray(value)) return value.map(cleaned) as T;
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [cleaned(key), cleaned(inner)])) as T;
}
