import type {
  AcceptedItem,
  AdapterContext,
  Channel,
  ChannelAdapter,
  DoorAnswer,
  Health,
} from '../../core/adapter.ts';
import type { OutboundAttachment, OutboundMessage, Part } from '../../core/envelope.ts';
import { newId } from '../../core/id.ts';
import { type Callback, post } from './callback.ts';
import { parse, typing } from './parse.ts';
import { type ApiSettings, apiSettings } from './settings.ts';
import { probe, verify } from './signature.ts';

const MEGABYTE = 1024 * 1024;
const COURTESY_TIMEOUT_MS = 5_000;
const HOUR_MS = 3_600_000;
// As long as webhooks are tried: their server may be down for a weekend.
const RETRY_AFTER_MS = [5_000, 300_000, 1_800_000, ...[2, 5, 10, 14, 20, 24].map((hours) => hours * HOUR_MS)];

/** A channel of the business's own: its program posts to our door, and is posted what customers are to read. */
export function apiAdapter({ egress }: Pick<AdapterContext, 'egress'>): ChannelAdapter<ApiSettings> {
  function tell(channel: Channel<ApiSettings>, type: Callback['type'], data: Callback['data']) {
    const signal = AbortSignal.timeout(COURTESY_TIMEOUT_MS);
    return post(egress, { id: newId(), type, data }, { channel, signal });
  }
  return {
    type: 'api',
    settings: apiSettings,
    secretKeys: ['secret'],
    hostKeys: ['callback_url'],
    limits: {
      textLength: 100_000,
      inboundBytes: 100 * MEGABYTE,
      outboundBytes: 100 * MEGABYTE,
    },
    opensThreads: true,
    // The id of a delivery stays, however often it is tried.
    sendIsIdempotent: true,
    retryAfterMs: RETRY_AFTER_MS,
    threadKeyFor: (address) => (address.trim() === '' || address.length > 500 ? undefined : address),
    split: (message) => [onePart(message)],
    send: async (part, channel, signal) => {
      await post(egress, { id: deliveryId(part), type: 'message', data: shown(part) }, { channel, signal });
      return { externalId: String(part.payload['id']) };
    },
    edit: ({ part }, channel) => tell(channel, 'edit', shown(part)),
    remove: ({ threadKey, externalIds: [message_id] }, channel) =>
      tell(channel, 'delete', { thread_id: threadKey, message_id }),
    react: ({ threadKey, externalId, emoji }, channel) =>
      tell(channel, 'reaction', {
        thread_id: threadKey,
        external_id: externalId,
        emojis: emoji === undefined ? [] : [emoji],
      }),
    door: { verify, parse, typing, probe, answer, tellsMistakes: true },
    connect: async () => ({
      done: [],
      todo: [
        'Post what customers write to webhook_url, with the secret as Bearer or signed as Standard Webhooks say.',
      ],
    }),
    health: (channel) => health(tell(channel, 'ping', {})),
    typing: (threadKey, channel) => tell(channel, 'typing', { thread_id: threadKey, is_typing: true }),
    markRead: (threadKey, externalId, channel) =>
      tell(channel, 'read', { thread_id: threadKey, external_id: externalId }),
  };
}

/** The message as it is, whatever its length: their program knows best what to make of it. */
function onePart(message: OutboundMessage): Part {
  const { id, type, content, html, card, email, replyToExternalId } = message;
  const payload = {
    id,
    type,
    content,
    ...(html === undefined ? {} : { html }),
    ...(card === undefined ? {} : { card }),
    ...(email === undefined ? {} : { email }),
    ...(replyToExternalId === undefined ? {} : { reply_to: replyToExternalId }),
  };
  return { n: 0, threadKey: message.threadKey, payload, attachments: message.attachments };
}

/** The message's own id; another one where somebody has it sent again, since their program may drop what it knows. */
function deliveryId({ payload, generation = 1 }: Part): string {
  return generation === 1 ? String(payload['id']) : `${payload['id']}-${generation}`;
}

function shown({ threadKey, payload, attachments }: Part): Callback['data'] {
  return { thread_id: threadKey, message: { ...payload, attachments: attachments.map(viewAttachment) } };
}

function viewAttachment({ id, name, contentType, sizeBytes, url }: OutboundAttachment) {
  return { id, name, type: contentType, size: sizeBytes ?? null, url };
}

function answer(accepted: AcceptedItem[]): DoorAnswer {
  const data = accepted.map(({ messageId, conversationId, seq, duplicate }) => ({
    message_id: messageId ?? null,
    conversation_id: conversationId ?? null,
    seq: seq ?? null,
    duplicate,
  }));
  return { status: 200, contentType: 'application/json', body: JSON.stringify({ data }) };
}

function health(ping: Promise<void>): Promise<Health> {
  return ping.then(
    () => ({ ok: true, detail: 'The callback address takes what we sign.' }),
    (error: Error) => ({ ok: false, detail: error.message }),
  );
}
