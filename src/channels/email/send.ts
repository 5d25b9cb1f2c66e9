import type { SendMailOptions } from 'nodemailer';
import type { Channel, ChannelAdapter, Health, Setup } from '../../core/adapter.ts';
import type { Part, SentPart } from '../../core/envelope.ts';
import { SendDeferred, SendRejected } from '../../core/errors.ts';
import { compose, type Letter } from './compose.ts';
import { partType } from './part-type.ts';
import type { EmailSettings } from './settings.ts';
import { refusedRecipients, type SmtpError, sendError } from './smtp-errors.ts';
import type { Tokens } from './tokens.ts';
import { createTransports, type Sending, type Sent, type Transport } from './transports.ts';

export type Outgoing = Required<Pick<ChannelAdapter<EmailSettings>, 'split' | 'send'>> & {
  /** Whether the mail server lets us in. */
  health(channel: Channel<EmailSettings>): Promise<Health>;
  /** The same when a mailbox is connected; throws when the server refuses the credentials. */
  connect(channel: Channel<EmailSettings>): Promise<Setup>;
};

/** The way out of a mailbox: over SMTP, the same mail with the same Message-ID on every try. */
export function createOutgoing({ tokens, ...sending }: Sending & { tokens: Tokens }): Outgoing {
  const transportOf = createTransports(sending);

  /** A server refuses a token when somebody has taken the consent back; then the next try asks for another. */
  function failure(error: unknown, channel: Channel<EmailSettings>): Error {
    if ((error as SmtpError).code === 'EAUTH') sending.accessTokens.forget(channel);
    return sendError(error);
  }

  async function refusal(channel: Channel<EmailSettings>): Promise<Error | undefined> {
    try {
      await (await transportOf(channel)).verify();
      return undefined;
    } catch (error) {
      return failure(error, channel);
    }
  }

  return {
    split: (message, channel) => compose(message, channel, tokens),
    async send(part, channel, signal) {
      try {
        const mail = await mailOf(part);
        return sentPart(await sendMail(await transportOf(channel), mail, signal));
      } catch (error) {
        throw failure(error, channel);
      }
    },
    async health(channel) {
      const error = await refusal(channel);
      return error === undefined
        ? { ok: true, detail: leaves(channel) }
        : { ok: false, detail: error.message };
    },
    async connect(channel) {
      const error = await refusal(channel);
      if (error instanceof SendRejected && error.channelBroken) throw error;
      return error === undefined
        ? { done: [leaves(channel)], todo: [] }
        : { done: [], todo: [`No mail can be sent yet: ${error.message}`] };
    },
  };
}

function leaves({ settings }: Channel<EmailSettings>): string {
  return `Mail leaves over ${settings.smtp.host}.`;
}

async function mailOf({ payload, attachments }: Part): Promise<SendMailOptions & { messageId: string }> {
  const letter = payload as unknown as Letter;
  const { envelopeFrom, inline, bcc, to, cc, ...headers } = letter;
  return {
    ...headers,
    to,
    cc,
    envelope: {
      from: envelopeFrom,
      size: leastBytes(letter, attachments),
      to: [...to.map(({ address }) => address), ...cc, ...bcc],
    },
    attachments: await Promise.all(
      attachments.map(async (one) => {
        const content = Buffer.from(await one.open());
        const cid = inline[one.id];
        return {
          filename: one.name,
          contentType: partType(one.contentType, content),
          content,
          ...(cid === undefined
            ? { contentDisposition: 'attachment' as const }
            : { cid, contentDisposition: 'inline' as const }),
        };
      }),
    ),
  };
}

/** A server that names the size it takes refuses a larger mail before it is sent. */
function leastBytes({ text, html = '' }: Letter, attachments: Part['attachments']): number {
  const files = attachments.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0);
  return Buffer.byteLength(text) + Buffer.byteLength(html) + Math.ceil((files * 4) / 3);
}

/** The library ends its calls by itself; where the lane is lost before, nobody waits for it any longer. */
async function sendMail(transport: Transport, mail: SendMailOptions, signal: AbortSignal): Promise<Sent> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(new SendDeferred('The mail server took too long.'));
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([transport.sendMail(mail), aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function sentPart(info: Sent): SentPart {
  const refused = refusedRecipients(info);
  return {
    externalId: info.messageId,
    alsoKnownAs: otherNames(info),
    ...(refused.length === 0 ? {} : { refused }),
  };
}

const AMAZON = /^250 (?:2\.0\.0 )?Ok ([0-9a-f]{16}-[0-9a-f-]{36,60}-\d{6})\b/i;

/** Some services give a mail another Message-ID, and replies name that one. */
function otherNames({ response, messageId }: Sent): string[] {
  const id = AMAZON.exec(response)?.[1];
  const named = response.match(/<[^<>\s@]+@[^<>\s@]+>/g) ?? [];
  const given = id === undefined ? [] : [`<${id}@email.amazonses.com>`];
  return [...new Set([...named, ...given])].filter((one) => one !== messageId);
}
