import ipaddr from 'ipaddr.js';
import type { SMTPServerDataStream, SMTPServerSession } from 'smtp-server';
import type { Channel, DoorAnswer, DoorRequest } from '../../core/adapter.ts';
import type { Slots } from '../../core/slots.ts';
import type { Authenticator } from './authenticate.ts';
import { authenticationHeader, type Verdict } from './authentication.ts';
import { accountKey, type EmailSettings } from './settings.ts';
import { type Answer, refusal, refuse } from './smtp-answers.ts';
import { withoutTag } from './tokens.ts';

/** From this size on a mail counts: some of them at a time fit into memory, many do not. */
const LARGE_BYTES = 512 * 1024;
export const MAX_BYTES = 25 * 1024 * 1024;

export interface Mailboxes {
  channels: {
    /** The active channel of the first of these accounts that has one. */
    byAccount(...accountKeys: string[]): Promise<{ channel: Channel } | undefined>;
  };
  receiver: {
    /** The door in: resolves after the commit, throws AppError when nothing was stored. */
    request(type: string, channelId: string, request: DoorRequest): Promise<DoorAnswer>;
  };
}

export interface Delivering extends Mailboxes {
  /** For large mails, from their first bytes until they are stored. */
  room: Slots;
  /** For one of them at a time, which is put together to be stored. */
  turns: Slots;
  authenticate: Authenticator;
}

/** One answer a recipient. The envelope is read first: the server forgets it once it was answered. */
export async function deliver(
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  options: Delivering,
): Promise<Answer[]> {
  const { mailFrom, rcptTo } = session.envelope;
  const envelope = {
    session,
    sender: mailFrom === false ? '' : mailFrom.address,
    recipients: rcptTo.map(({ address }) => address),
  };
  const { chunks, giveBack } = await readBody(stream, options);
  try {
    return await store(chunks, envelope, options);
  } finally {
    giveBack();
  }
}

/** One after the other: a large mail for many is in memory once. */
async function store(chunks: Buffer[], envelope: Envelope, options: Delivering): Promise<Answer[]> {
  const verdict = await verdictOf(chunks, envelope, options);
  // Two addresses of one mailbox get the mail once.
  const answers = new Map<string, Answer>();
  const storeFor = async (recipient: string): Promise<Answer> => {
    const channel = await channelFor(recipient, options);
    if (channel === undefined) return refuse(550, 'No such mailbox here');
    const known = answers.get(channel.id);
    if (known !== undefined) return known;
    const trace = Buffer.from(traceOf({ ...envelope, recipient, channel, verdict }));
    const answer = await receiveOne(channel, [trace, ...chunks], options).catch(refusal);
    answers.set(channel.id, answer);
    return answer;
  };
  const all: Answer[] = [];
  for (const recipient of envelope.recipients) all.push(await storeFor(recipient).catch(refusal));
  return all;
}

async function receiveOne(
  { id, settings }: Channel<EmailSettings>,
  chunks: Buffer[],
  { receiver, turns }: Delivering,
): Promise<Answer> {
  const endTurn = sizeOf(chunks) > LARGE_BYTES ? await turns.take() : undefined;
  try {
    const headers = { 'content-type': 'message/rfc822', authorization: `Bearer ${settings.inbound_secret}` };
    await receiver.request('email', id, { method: 'POST', url: '', headers, body: Buffer.concat(chunks) });
    return 'stored';
  } finally {
    endTurn?.();
  }
}

function sizeOf(chunks: Buffer[]): number {
  return chunks.reduce((size, { length }) => size + length, 0);
}

interface Received {
  chunks: Buffer[];
  /** To be called once the mail is out of memory. */
  giveBack(): void;
}

/** The whole mail, while no more large ones are in memory than there is room for. */
async function readBody(stream: SMTPServerDataStream, { room }: Delivering): Promise<Received> {
  const chunks: Buffer[] = [];
  let size = 0;
  let giveBack: (() => void) | undefined;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_BYTES) chunks.length = 0;
      else chunks.push(chunk);
      if (size > LARGE_BYTES) giveBack ??= await room.take();
    }
    if (stream.sizeExceeded || size > MAX_BYTES)
      throw refuse(552, `A mail may have up to ${MAX_BYTES} bytes`);
    return { chunks, giveBack: giveBack ?? (() => {}) };
  } catch (error) {
    giveBack?.();
    throw error;
  }
}

interface Envelope {
  session: SMTPServerSession;
  sender: string;
  recipients: string[];
}

/** Only a stranger's own address says anything of the sender; from our own network comes a relay. */
async function verdictOf(
  chunks: Buffer[],
  { session, sender }: Envelope,
  { authenticate }: Delivering,
): Promise<Verdict | undefined> {
  const ip = session.remoteAddress.replace(/^::ffff:/i, '');
  if (!ipaddr.isValid(ip) || ipaddr.parse(ip).range() !== 'unicast') return undefined;
  return authenticate(Buffer.concat(chunks), { ip, helo: session.hostNameAppearsAs || ip, sender });
}

interface Trace extends Envelope {
  recipient: string;
  channel: Channel<EmailSettings>;
  verdict: Verdict | undefined;
}

/** What a mail server puts in front of a mail; so all that is known of it stands in the mail itself, which is kept. */
function traceOf({ session, sender, recipients, recipient, channel, verdict }: Trace): string {
  const own = recipients.filter((one) => withoutTag(one) === withoutTag(recipient));
  const from = `${plain(session.hostNameAppearsAs || 'unknown')} ([${session.remoteAddress}])`;
  return [
    ...(verdict === undefined ? [] : [authenticationHeader(channel.settings, verdict)]),
    `Return-Path: <${plain(sender)}>\r\n`,
    ...own.map((one) => `Delivered-To: ${plain(one)}\r\n`),
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
  const found = await channels.byAccount(accountKey(address), accountKey(withoutTag(address)));
  return found?.channel as Channel<EmailSettings> | undefined;
}
