import ipaddr from 'ipaddr.js';
import type { SMTPServerDataStream, SMTPServerSession } from 'smtp-server';
import type { Channel, DoorAnswer, DoorRequest } from '../../core/adapter.ts';
import type { Authenticator } from './authenticate.ts';
import { authenticationHeader, type Verdict } from './authentication.ts';
import { LARGE_BYTES, type Slots } from './large-mails.ts';
import { accountKey, type EmailSettings } from './settings.ts';
import { type Answer, refusal, refuse } from './smtp-answers.ts';
import { withoutTag } from './tokens.ts';

export const MAX_BYTES = 25 * 1024 * 1024;

export interface Mailboxes {
  channels: {
    /** The active channel of an account. */
    byAccount(accountKey: string): Promise<{ channel: Channel } | undefined>;
  };
  receiver: {
    /** The door in: resolves after the commit, throws AppError when nothing was stored. */
    request(type: string, channelId: string, request: DoorRequest): Promise<DoorAnswer>;
  };
}

export interface Delivering extends Mailboxes {
  slots: Slots;
  authenticate: Authenticator;
}

/** One answer a recipient. The envelope is read first: the server forgets it once it was answered. */
export async function deliver(
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  options: Delivering,
): Promise<Answer[]> {
  const { mailFrom, rcptTo } = session.envelope;
  const sender = mailFrom === false ? '' : mailFrom.address;
  const recipients = rcptTo.map(({ address }) => address);
  const { body, release } = await readBody(stream, options);
  try {
    const verdict = await verdictOf(body, { session, sender }, options);
    const deliveries = new Map<string, Promise<Answer>>();
    const answers = recipients.map(async (recipient) => {
      const channel = await channelFor(recipient, options);
      if (channel === undefined) return refuse(550, 'No such mailbox here');
      // Two addresses of one mailbox get the mail once.
      const known = deliveries.get(channel.id);
      if (known !== undefined) return known;
      const trace = traceOf({
        session,
        sender,
        recipients: recipients.filter((one) => withoutTag(one) === withoutTag(recipient)),
        channel,
        verdict,
      });
      const delivery = receiveOne(channel, Buffer.concat([Buffer.from(trace), body]), options);
      deliveries.set(channel.id, delivery);
      return delivery;
    });
    return await Promise.all(answers.map((answer) => answer.catch(refusal)));
  } finally {
    release();
  }
}

async function receiveOne(
  { id, settings }: Channel<EmailSettings>,
  body: Buffer,
  { receiver }: Delivering,
): Promise<Answer> {
  const headers = { 'content-type': 'message/rfc822', authorization: `Bearer ${settings.inbound_secret}` };
  await receiver.request('email', id, { method: 'POST', url: '', headers, body });
  return 'stored';
}

/** The whole mail, while no more large ones are in memory than there is room for. */
async function readBody(
  stream: SMTPServerDataStream,
  { slots }: Delivering,
): Promise<{ body: Buffer; release: () => void }> {
  const chunks: Buffer[] = [];
  let size = 0;
  let release: (() => void) | undefined;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_BYTES) chunks.length = 0;
      else chunks.push(chunk);
      if (size > LARGE_BYTES) release ??= await slots.take();
    }
    if (stream.sizeExceeded || size > MAX_BYTES)
      throw refuse(552, `A mail may have up to ${MAX_BYTES} bytes`);
    return { body: Buffer.concat(chunks), release: release ?? (() => {}) };
  } catch (error) {
    release?.();
    throw error;
  }
}

interface From {
  session: SMTPServerSession;
  sender: string;
}

/** Only a stranger's own address says anything of the sender; from our own network comes a relay. */
async function verdictOf(
  body: Buffer,
  { session, sender }: From,
  { authenticate }: Delivering,
): Promise<Verdict | undefined> {
  const ip = session.remoteAddress.replace(/^::ffff:/i, '');
  if (!ipaddr.isValid(ip) || ipaddr.parse(ip).range() !== 'unicast') return undefined;
  return authenticate(body, { ip, helo: session.hostNameAppearsAs || ip, sender });
}

interface Trace extends From {
  recipients: string[];
  channel: Channel<EmailSettings>;
  verdict: Verdict | undefined;
}

/** What a mail server puts in front of a mail; so all that is known of it stands in the mail itself, which is kept. */
function traceOf({ session, sender, recipients, channel, verdict }: Trace): string {
  const from = `${plain(session.hostNameAppearsAs || 'unknown')} ([${session.remoteAddress}])`;
  return [
    ...(verdict === undefined ? [] : [authenticationHeader(channel.id, verdict)]),
    `Return-Path: <${plain(sender)}>\r\n`,
    ...recipients.map((recipient) => `Delivered-To: ${plain(recipient)}\r\n`),
    `Received: from ${from} by tributary with ${session.transmissionType}; ${new Date().toUTCString()}\r\n`,
  ].join('');
}

function plain(text: string): string {
  return text.replace(/[\r\n\0]+/g, ' ');
}

/** `support+anything@…` is the mailbox of `support@…`, unless there is one of just that name. */
export async function channelFor(
  address: string,
  { channels }: Mailboxes,
): Promise<Channel<EmailSettings> | undefined> {
  const found =
    (await channels.byAccount(accountKey(address))) ??
    (await channels.byAccount(accountKey(withoutTag(address))));
  return found?.channel as Channel<EmailSettings> | undefined;
}
