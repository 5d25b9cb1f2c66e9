import type {
  AdapterContext,
  Channel,
  ChannelAdapter,
  DoorRequest,
  Download,
  Health,
} from '../../core/adapter.ts';
import type { AttachmentRef } from '../../core/envelope.ts';
import { type Authenticator, createAuthenticator } from './authenticate.ts';
import { sizeRefusal } from './compose.ts';
import { connect, imapHealth } from './connect.ts';
import { listenImap } from './imap.ts';
import { isAddress } from './mail.ts';
import { createAccessTokens } from './oauth.ts';
import type { MailRequest } from './posted.ts';
import type { Reading } from './read.ts';
import { createOutgoing } from './send.ts';
import { accountKey, type EmailSettings, emailSettings } from './settings.ts';
import { addressThread } from './threading.ts';
import { createTokens } from './tokens.ts';
import { probe, verify } from './verify.ts';

const MEGABYTE = 1024 * 1024;

interface EmailOptions {
  authenticate?: Authenticator;
  /** How often a mailbox is asked whose server tells nothing by itself. */
  pollMs?: number;
}

/** Email: in by SMTP, IMAP and HTTP, out by SMTP. */
export function emailAdapter(
  { egress, signatures }: AdapterContext,
  { authenticate = createAuthenticator('tributary'), ...options }: EmailOptions = {},
): ChannelAdapter<EmailSettings> {
  const tokens = createTokens(signatures);
  const accessTokens = createAccessTokens(egress);
  const connecting = { egress, accessTokens };
  const outgoing = createOutgoing({ ...connecting, tokens });
  const read = (mail: MailRequest, channel: Mailbox) => readMail(mail, channel, { tokens, authenticate });
  return {
    type: 'email',
    settings: emailSettings,
    secretKeys: [
      'smtp.pass',
      'imap.pass',
      'inbound_secret',
      'oauth.client_secret',
      'oauth.refresh_token',
      'dkim.private_key',
    ],
    localSecretKeys: ['inbound_secret', 'dkim.private_key'],
    hostKeys: ['smtp.host', 'imap.host', 'oauth.provider', 'oauth.tenant', 'oauth.token_url'],
    limits: { textLength: 500_000, inboundBytes: 50 * MEGABYTE, outboundBytes: 25 * MEGABYTE },
    opensThreads: true,
    asksByLink: true,
    // The same Message-ID on every try: mailboxes show it once.
    sendIsIdempotent: true,
    accountKey: ({ address }) => accountKey(address),
    threadKeyFor,
    writesLetters: true,
    retryAfterMs: RETRY_AFTER_MS,
    sizeRefusal,
    split: outgoing.split,
    send: outgoing.send,
    door: { verify, parse: read, probe },
    listen: (channel, context) =>
      listenImap(channel, context, { ...connecting, ...options, parse: (raw) => read(asMail(raw), channel) }),
    shouldListen: ({ settings }) => settings.imap !== undefined,
    connect: async (channel, doorUrl) => {
      const [out, into] = [await outgoing.connect(channel), await connect(channel, doorUrl, connecting)];
      return { done: [...out.done, ...into.done], todo: [...out.todo, ...into.todo] };
    },
    health: async (channel) =>
      bothWays(await outgoing.health(channel), await imapHealth(channel, connecting)),
    readAttachment,
  };
}

type Mailbox = Channel<EmailSettings>;

/** Loaded with the first mail: what reads it takes thirty megabytes. */
async function readMail(request: MailRequest, channel: Mailbox, reading: Reading) {
  const { readRequest } = await import('./read.ts');
  return readRequest(request, channel, reading);
}

/** Over 24 hours: a server that is away for a night loses no mail. */
const RETRY_AFTER_MS = [2, 10, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 14_400, 21_600, 21_600].map(
  (seconds) => seconds * 1_000,
);

function bothWays(out: Health, into: Health | undefined): Health {
  const ways = into === undefined ? [out] : [out, into];
  return { ok: ways.every(({ ok }) => ok), detail: ways.map(({ detail }) => detail).join(' ') };
}

function asMail(body: Uint8Array): MailRequest {
  return { headers: { 'content-type': 'message/rfc822' }, body };
}

function threadKeyFor(address: string): string | undefined {
  const clean = address.trim().toLowerCase();
  return isAddress(clean) ? addressThread(clean) : undefined;
}

async function readAttachment(ref: AttachmentRef, request: DoorRequest): Promise<Download> {
  const { readPosted } = await import('./posted.ts');
  const posted = await readPosted(request);
  if (posted === undefined) throw new Error('the mail is empty');
  return { body: await posted.open(String(ref.ref['part'])) };
}
