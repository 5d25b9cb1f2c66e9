import { type Attachments, LONG_URL_MS } from '../core/attachments.ts';
import { encodeCursor, positionOf } from '../core/events.ts';
import type { Secrets } from '../core/secrets.ts';
import type { FanOutOptions } from './fanout.ts';

interface PayloadUrlOptions {
  attachments: Attachments;
  secrets: Secrets;
  /** The address that subscribers reach us at. */
  baseUrl(): string | undefined;
}

/** The addresses that payloads carry: of attachments, and of the event as a whole. */
export function createPayloadUrls({ attachments, secrets, baseUrl }: PayloadUrlOptions): FanOutOptions {
  return {
    mintUrls: (data) => attachments.mintUrls(data, LONG_URL_MS),
    eventUrl(event) {
      const before = encodeCursor({ ...positionOf(event), seq: event.seq - 1 }, secrets);
      return `${baseUrl() ?? ''}/api/v1/events?after=${before}&limit=1`;
    },
  };
}
