import type { Twilio } from 'twilio';
import type { Channel } from '../../../core/adapter.ts';
import type { OutboundAttachment, Part, SentPart } from '../../../core/envelope.ts';
import { SendRejected } from '../../../core/errors.ts';
import { type SentFrom, statusCallbackUrl } from './callback.ts';
import type { Call } from './client.ts';
import { actionFor, meaningOf, ourWords } from './error-codes.ts';
import { sendError } from './errors.ts';
import type { TwilioSettings } from './settings.ts';

/** What one part says: a text with its files, or a template with what fills it. */
export interface Payload {
  text: string;
  from: SentFrom;
  contentSid?: string;
  contentVariables?: Record<string, string>;
}

interface SendOptions {
  channel: Channel<TwilioSettings>;
  signal: AbortSignal;
  /** As Twilio wants it: the number, or the number on a channel of its. */
  to: string;
  mostBytes: number;
  /** A template made for this message, where the payload cannot name one yet. */
  contentSid?: string | undefined;
}

/** Hands one part to Twilio. */
export async function sendPart(call: Call, part: Part, options: SendOptions): Promise<SentPart> {
  refuseTooLarge(part.attachments, options.mostBytes);
  try {
    const message = await call(options.channel.settings, (twilio) => create(twilio, part, options), options);
    refuseFailed(message);
    return { externalId: message.sid };
  } catch (error) {
    throw sendError(error);
  }
}

type NewMessage = Parameters<Twilio['messages']['create']>[0];

function create(twilio: Twilio, part: Part, { channel, to, contentSid }: SendOptions) {
  const payload = part.payload as unknown as Payload;
  const { from, messaging_service_sid } = channel.settings;
  const sid = contentSid ?? payload.contentSid;
  const request: NewMessage = {
    to,
    ...(from === undefined ? {} : { from }),
    ...(messaging_service_sid === undefined ? {} : { messagingServiceSid: messaging_service_sid }),
    ...(payload.text === '' ? {} : { body: payload.text }),
    ...(part.attachments.length === 0 ? {} : { mediaUrl: part.attachments.map(({ url }) => url) }),
    ...(sid === undefined ? {} : { contentSid: sid }),
    ...(payload.contentVariables === undefined
      ? {}
      : { contentVariables: JSON.stringify(payload.contentVariables) }),
    ...(channel.doorUrl === undefined
      ? {}
      : { statusCallback: statusCallbackUrl(channel.doorUrl, payload.from) }),
  };
  return twilio.messages.create(request);
}

function refuseTooLarge(attachments: OutboundAttachment[], mostBytes: number): void {
  const bytes = attachments.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
  if (bytes <= mostBytes) return;
  const names = attachments.map(({ name }) => `"${name}"`).join(', ');
  throw new SendRejected(`${names}: more than the ${mostBytes / 1_000_000} MB that one message takes.`);
}

/** Some messages are taken and refused in one answer. */
function refuseFailed({ status, errorCode, errorMessage }: Awaited<ReturnType<typeof create>>): void {
  if (status !== 'failed' && status !== 'undelivered') return;
  const code = errorCode ?? undefined;
  throw new SendRejected(meaningOf(code, errorMessage), {
    ...(code ? { providerCode: String(code) } : {}),
    ...ourWords(code),
    channelBroken: actionFor(code) === 'account',
    optedOut: actionFor(code) === 'stop',
  });
}
