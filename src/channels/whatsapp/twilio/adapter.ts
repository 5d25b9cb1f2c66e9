import type { AdapterContext, Channel, ChannelAdapter } from '../../../core/adapter.ts';
import type { Part, SentPart } from '../../../core/envelope.ts';
import { OutcomeUnknown, SendDeferred, SendRejected } from '../../../core/errors.ts';
import { askSender, connectSender } from '../../shared/twilio/account.ts';
import { catchUp } from '../../shared/twilio/catch-up.ts';
import { type Call, createCall } from '../../shared/twilio/client.ts';
import { type ContentFor, createContents } from '../../shared/twilio/content.ts';
import { readListed, twilioDoor } from '../../shared/twilio/door.ts';
import { rethrow, sendError } from '../../shared/twilio/errors.ts';
import { fetchMedia } from '../../shared/twilio/media.ts';
import { sendPart } from '../../shared/twilio/send.ts';
import { senderKey, TWILIO_HOSTS, TWILIO_SECRETS } from '../../shared/twilio/settings.ts';
import { listTemplates } from '../../shared/twilio/template.ts';
import { REPLY_WINDOW_MS } from '../cloud/limits.ts';
import { threadKeyFor } from '../cloud/people.ts';
import { LIMITS } from './limits.ts';
import { readMessage } from './parse.ts';
import { addressOf, threadKeyIn } from './people.ts';
import { findSender } from './sender.ts';
import { type TwilioWhatsAppSettings, twilioWhatsAppSettings } from './settings.ts';
import { split, type WhatsAppPayload } from './split.ts';

const READING = { threadKeyIn, readMessage, isTextMessage: false };

/** WhatsApp numbers that Twilio holds. */
export function twilioWhatsAppAdapter({ egress }: AdapterContext): ChannelAdapter<TwilioWhatsAppSettings> {
  const call = createCall(egress);
  const contentFor = createContents(call);
  return {
    type: 'whatsapp',
    settings: twilioWhatsAppSettings,
    secretKeys: TWILIO_SECRETS,
    hostKeys: TWILIO_HOSTS,
    limits: LIMITS,
    opensThreads: false,
    sendIsIdempotent: false,
    replyWindowMs: REPLY_WINDOW_MS,
    accountKey: senderKey,
    threadKeyFor: personAt,
    split,
    send: (part, channel, signal) => send({ call, contentFor }, part, { channel, signal }),
    door: twilioDoor(READING),
    connect: (channel) => connectSender(call, channel, findSender),
    health: (channel) => askSender(call, channel, findSender),
    fetchAttachment: (ref, channel, signal) =>
      fetchMedia(ref, { egress, channel, signal, mostBytes: LIMITS.inboundBytes }),
    catchUp: (channel, context) => catchUp(call, channel, { context, read: readListed(READING) }),
    templates: ({ settings }) =>
      call(settings, (twilio) => listTemplates(twilio, { needsApproval: true })).catch(rethrow),
    typing: (_threadKey, channel, { lastInboundId }) => showTyping(call, channel, lastInboundId),
  };
}

/** Twilio has no groups of WhatsApp. */
function personAt(address: string): string | undefined {
  const threadKey = threadKeyFor(address);
  return threadKey !== undefined && addressOf(threadKey) !== undefined ? threadKey : undefined;
}

interface Sending {
  channel: Channel<TwilioWhatsAppSettings>;
  signal: AbortSignal;
}

/** A card goes as a content, which has to be there before it can be named. */
async function send(
  { call, contentFor }: { call: Call; contentFor: ContentFor },
  part: Part,
  { channel, signal }: Sending,
): Promise<SentPart> {
  const to = addressOf(part.threadKey);
  if (to === undefined) throw new SendRejected(`"${part.threadKey}" is nobody on WhatsApp.`);
  const options = { channel, signal, to, mostBytes: LIMITS.outboundBytes };
  const { card } = part.payload as unknown as WhatsAppPayload;
  if (card === undefined) return sendPart(call, part, options);
  const contentSid = await contentFor(channel.settings, card.content, signal).catch(notSent);
  const payload = { ...part.payload, contentVariables: card.ids };
  return sendPart(call, { ...part, payload }, { ...options, contentSid });
}

/** Whatever became of the content: the message itself was not sent yet. */
function notSent(error: unknown): never {
  const failure = sendError(error);
  throw failure instanceof OutcomeUnknown ? new SendDeferred(failure.message, { cause: error }) : failure;
}

/** Twilio shows it for 25 seconds as the answer to the customer's newest message, which it marks as read. */
async function showTyping(
  call: Call,
  { settings }: Channel<TwilioWhatsAppSettings>,
  messageId: string | undefined,
): Promise<void> {
  if (messageId === undefined) return;
  await call(settings, (twilio) =>
    twilio.messaging.v2.typingIndicator.create({ channel: 'whatsapp', messageId }),
  );
}
