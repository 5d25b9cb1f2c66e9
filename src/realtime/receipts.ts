import type { Receipt } from '../core/envelope.ts';
import type { RealtimeContext } from './context.ts';

interface Seen {
  status: 'delivered' | 'read';
  messages: { messageId: string; threadKey: string | null }[];
}

/**
 * Receives what a visitor's socket tells of our messages as the receipts that they are, so statuses move forward only
 * and several sockets or processes saying the same are one. Web chat has no provider ids: the message's own stands in.
 */
export function noteReceipts(context: RealtimeContext, channelId: string, seen: Seen): void {
  if (seen.messages.length === 0) return;
  const inbound = seen.messages.map(({ messageId, threadKey }) =>
    receipt(seen.status, messageId, threadKey ?? ''),
  );
  const raw = { body: Buffer.from(JSON.stringify(inbound)), contentType: 'application/json' };
  const work = context.receiver.accept({ id: channelId }, raw, inbound).then(
    () => {},
    (error: unknown) => context.log.warn({ err: error, channel: channelId }, 'noting receipts failed'),
  );
  context.track(work);
}

function receipt(status: Seen['status'], messageId: string, threadKey: string): Receipt {
  return {
    kind: 'receipt',
    externalEventId: `${messageId}:${status}`,
    threadKey,
    externalId: messageId,
    status,
    occurredAt: new Date(),
  };
}
