import type { ChannelAdapter } from '../../core/adapter.ts';
import type { OutboundMessage, Part } from '../../core/envelope.ts';
import { type WebchatSettings, webchatSettings } from './settings.ts';

const MEGABYTE = 1024 * 1024;
const VISITOR_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Web chat: visitors are reached over our own sockets, so there is no provider to send to and no door. */
export const webchatAdapter: ChannelAdapter<WebchatSettings> = {
  type: 'webchat',
  settings: webchatSettings,
  secretKeys: ['identity_secret'],
  hostKeys: [],
  limits: { textLength: 20_000, inboundBytes: 25 * MEGABYTE, outboundBytes: 25 * MEGABYTE },
  opensThreads: true,
  // Storing a message is what sends it, and a message is stored once.
  sendIsIdempotent: true,
  // Visitors have ids of ours: an email or a phone number is nobody's address here.
  threadKeyFor: (address) => (VISITOR_ID.test(address) ? `visitor:${address}` : undefined),
  split: onePart,
};

function onePart(message: OutboundMessage): Part[] {
  return [{ n: 0, threadKey: message.threadKey, payload: {}, attachments: message.attachments }];
}
