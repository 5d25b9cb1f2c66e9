import type { AdapterContext, Channel, ChannelAdapter, DoorRequest, Download } from '../../core/adapter.ts';
import type { AttachmentRef, Inbound, OutboundMessage, Part } from '../../core/envelope.ts';
import { type Authenticator, createAuthenticator } from './authenticate.ts';
import { notedVerdict } from './authentication.ts';
import { inboundOf } from './inbound.ts';
import { isAddress } from './mime.ts';
import { readPosted } from './posted.ts';
import { accountKey, type EmailSettings, emailSettings } from './settings.ts';
import { addressThread } from './threading.ts';
import { createTokens, type Tokens } from './tokens.ts';
import { probe, verify } from './verify.ts';

const MEGABYTE = 1024 * 1024;

interface EmailOptions {
  authenticate?: Authenticator;
}

/** Email: in by SMTP, IMAP and HTTP, out by SMTP. */
export function emailAdapter(
  { signatures }: AdapterContext,
  { authenticate = createAuthenticator('tributary') }: EmailOptions = {},
): ChannelAdapter<EmailSettings> {
  const tokens = createTokens(signatures);
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
    hostKeys: ['smtp.host', 'imap.host', 'oauth.token_url'],
    limits: { textLength: 500_000, inboundBytes: 50 * MEGABYTE, outboundBytes: 25 * MEGABYTE },
    opensThreads: true,
    // The same Message-ID on every try: mailboxes show it once.
    sendIsIdempotent: true,
    accountKey: ({ address }) => accountKey(address),
    threadKeyFor,
    split: onePart,
    door: { verify, parse: (request, channel) => parse(request, channel, { tokens, authenticate }), probe },
    readAttachment,
  };
}

function threadKeyFor(address: string): string | undefined {
  const clean = address.trim().toLowerCase();
  return isAddress(clean) ? addressThread(clean) : undefined;
}

function onePart(message: OutboundMessage): Part[] {
  return [{ n: 0, threadKey: message.threadKey, payload: {}, attachments: message.attachments }];
}

interface Reading {
  tokens: Tokens;
  authenticate: Authenticator;
}

async function parse(
  request: DoorRequest,
  channel: Channel<EmailSettings>,
  { tokens, authenticate }: Reading,
): Promise<Inbound[]> {
  const posted = await readPosted(request);
  if (posted === undefined) return [];
  const { mail, raw } = posted;
  const noted = notedVerdict(mail, [channel.id, channel.settings.authserv_id]) ?? posted.verdict;
  const verdict = noted ?? (raw === undefined ? undefined : await authenticate(raw));
  return inboundOf(mail, { channel, tokens, verdict });
}

async function readAttachment(ref: AttachmentRef, request: DoorRequest): Promise<Download> {
  const posted = await readPosted(request);
  if (posted === undefined) throw new Error('the mail is empty');
  return { body: await posted.open(String(ref.ref['part'])) };
}
