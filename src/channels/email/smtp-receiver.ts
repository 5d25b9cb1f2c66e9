import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import ipaddr from 'ipaddr.js';
import {
  SMTPServer,
  type SMTPServerAddress,
  type SMTPServerDataStream,
  type SMTPServerSession,
} from 'smtp-server';
import type { Channel, DoorAnswer, DoorRequest } from '../../core/adapter.ts';
import { AppError } from '../../core/errors.ts';
import { type Authenticator, createAuthenticator } from './authenticate.ts';
import { authenticationHeader, type Verdict } from './authentication.ts';
import { createSlots, LARGE_BYTES, type Slots } from './large-mails.ts';
import { accountKey, type EmailSettings } from './settings.ts';
import { withoutTag } from './tokens.ts';

export interface SmtpReceiverOptions {
  host: string;
  port: number;
  /** Behind a mail server of one's own: it queues, and is answered for each recipient. */
  lmtp: boolean;
  tls: { keyFile: string; certFile: string } | undefined;
  channels: {
    /** The active channel of an account. */
    byAccount(accountKey: string): Promise<{ channel: Channel } | undefined>;
  };
  receiver: {
    /** The door in: resolves after the commit, throws AppError when nothing was stored. */
    request(type: string, channelId: string, request: DoorRequest): Promise<DoorAnswer>;
  };
  log: { info(facts: object, message: string): void; warn(facts: object, message: string): void };
  authenticate?: Authenticator;
}

export interface SmtpReceiver {
  port: number;
  /** Takes no new mail and waits for the commits under way. */
  stop(): Promise<void>;
}

const MAX_BYTES = 25 * 1024 * 1024;
const MOST_CLIENTS = 200;
const MOST_RECIPIENTS = 100;
const LARGE_AT_ONCE = 4;
const IDLE_MS = 5 * 60_000;
const CLOSING_MS = 5_000;

/** Receives mail by SMTP or LMTP: 250 once it is stored, 451 while it cannot be, 550 for an address that is nobody's, 552 when too large. */
export async function startSmtpReceiver(options: SmtpReceiverOptions): Promise<SmtpReceiver> {
  const { host, port, tls, lmtp, log } = options;
  const slots = createSlots(LARGE_AT_ONCE);
  const authenticate = options.authenticate ?? createAuthenticator('tributary');
  const deliveries = new Set<Promise<void>>();
  const server = new SMTPServer({
    ...(await certificateOf(tls)),
    lmtp,
    size: MAX_BYTES,
    banner: 'Tributary',
    authOptional: true,
    disabledCommands: tls === undefined ? ['AUTH', 'STARTTLS'] : ['AUTH'],
    disableReverseLookup: true,
    hideENHANCEDSTATUSCODES: false,
    maxClients: MOST_CLIENTS,
    socketTimeout: IDLE_MS,
    closeTimeout: CLOSING_MS,
    logger: false,
    onRcptTo(address, session, done) {
      checkRecipient(address, session, options).then(() => done(), done);
    },
    onData(stream, session, done) {
      const delivery = deliver(stream, session, { ...options, slots, authenticate }).then(
        (answers) => (lmtp ? done(null, answers as never) : done(worstOf(answers), 'stored')),
        (error: unknown) => done(refusal(error)),
      );
      deliveries.add(delivery);
      void delivery.finally(() => deliveries.delete(delivery));
    },
  });
  // A client that goes away in the middle is no trouble of ours.
  server.on('error', (error: NodeJS.ErrnoException) =>
    log.info({ code: error.code }, 'an SMTP client was cut off'),
  );
  const listening = server.listen(port, host);
  await once(listening, 'listening');
  return {
    port: (listening.address() as AddressInfo).port,
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.all(deliveries);
      await closed;
    },
  };
}

async function certificateOf(tls: SmtpReceiverOptions['tls']) {
  return tls && { key: await readFile(tls.keyFile), cert: await readFile(tls.certFile) };
}

interface Refusal extends Error {
  responseCode: number;
}

function refuse(responseCode: number, text: string): Refusal {
  return Object.assign(new Error(text), { responseCode });
}

/** What a sender is told; whatever we do not know may pass, so that the mail stays in the sender's queue. */
function refusal(error: unknown): Refusal {
  if (error instanceof Error && 'responseCode' in error) return error as Refusal;
  if (error instanceof AppError && error.code === 'not_found') return refuse(550, 'No such mailbox here');
  return refuse(451, 'Not stored, please try again later');
}

async function checkRecipient(
  { address }: SMTPServerAddress,
  { envelope }: SMTPServerSession,
  options: SmtpReceiverOptions,
): Promise<void> {
  if (envelope.rcptTo.length >= MOST_RECIPIENTS) throw refuse(452, 'Too many recipients');
  const channel = await channelFor(address, options).catch((error) => Promise.reject(refusal(error)));
  if (channel === undefined) throw refuse(550, 'No such mailbox here');
}

/** `support+anything@…` is the mailbox of `support@…`, unless there is one of just that name. */
async function channelFor(
  address: string,
  { channels }: SmtpReceiverOptions,
): Promise<Channel<EmailSettings> | undefined> {
  const found =
    (await channels.byAccount(accountKey(address))) ??
    (await channels.byAccount(accountKey(withoutTag(address))));
  return found?.channel as Channel<EmailSettings> | undefined;
}

interface Delivering extends SmtpReceiverOptions {
  slots: Slots;
  authenticate: Authenticator;
}

type Answer = Refusal | string;

/** One answer a recipient. The envelope is read first: the server forgets it once it was answered. */
async function deliver(
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

/** SMTP has one answer for all recipients: where one could not be stored all are sent again, and the others know it. */
function worstOf(answers: Answer[]): Refusal | null {
  const refusals = answers.filter((answer) => typeof answer !== 'string');
  const [first] = refusals;
  if (first === undefined) return null;
  const temporary = refusals.find(({ responseCode }) => responseCode < 500);
  return temporary ?? (refusals.length === answers.length ? first : null);
}
