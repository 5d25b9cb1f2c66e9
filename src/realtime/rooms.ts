/** Everybody of a business who holds an API key. Visitors are never in it. */
export function businessRoom(businessId: string): string {
  return `business_${businessId}`;
}

/** Agents who joined the conversation. Visitors are never in it. */
export function conversationRoom(conversationId: string): string {
  return `conversation_${conversationId}`;
}

/** Whom a web-chat conversation belongs to: a visitor's thread, or a verified person on whatever devices. */
export interface Owner {
  channelId: string;
  threadKey: string | null;
  externalId: string | null;
  /** Ids of customers who were merged into theirs. */
  mergedExternalIds?: string[];
  /** Their further threads that merges led here. */
  mergedThreadKeys?: string[];
}

/** The rooms of a conversation's own visitor. */
export function visitorRooms({ channelId, threadKey, externalId, ...merged }: Owner): string[] {
  const threadKeys = [...(threadKey === null ? [] : [threadKey]), ...(merged.mergedThreadKeys ?? [])];
  const externalIds = [...(externalId === null ? [] : [externalId]), ...(merged.mergedExternalIds ?? [])];
  return [
    ...threadKeys.map((key) => `visitor_${channelId}_${key}`),
    ...externalIds.map((id) => `person_${channelId}_${id}`),
  ];
}

/** Agents' sockets that are catching up: live events pass them by and wait at their gate. */
export const HELD_ROOM = 'held';
