import { createHash } from 'node:crypto';
import type { Channel } from '../../core/adapter.ts';
import type { InboundMessage } from '../../core/envelope.ts';
import { isBounce } from './automatic.ts';
import { headersNamed, type Mail } from './mail.ts';
import { reportedIds } from './report.ts';
import type { EmailSettings } from './settings.ts';
import { type Token, type Tokens, withoutTag } from './tokens.ts';

/** Where a mail belongs. */
export interface Place {
  /** The root of the mail's chain: mails of one chain wait for each other, whatever order they come in. */
  threadKey: string;
  /** Message ids that it answers, the nearest first. */
  references: string[];
  conversation?: Exclude<InboundMessage['conversation'], 'new'>;
  /** The message of ours that a bounce names by the address it came to. */
  bounced?: string;
}

/** A signed token in any recipient header, then In-Reply-To, then References; never the subject. */
export function placeOf(mail: Mail, { settings }: Channel<EmailSettings>, tokens: Tokens): Place {
  const found = tokensIn(mail, tokens);
  const reply = found.find(({ kind }) => kind === 'reply');
  const bounce = found.find(({ kind }) => kind === 'bounce');
  const bounced = bounce && sentMessageId(bounce.id, settings.address);
  const answered = [...mail.inReplyTo.toReversed(), ...mail.references.toReversed()];
  const references = [
    ...new Set([bounced ?? [], isBounce(mail) ? reportedIds(mail) : answered].flat().flatMap(namesOf)),
  ].slice(0, MOST_REFERENCES);
  return {
    threadKey: keyOf(mail.references[0] ?? mail.inReplyTo[0] ?? mail.messageId) ?? anonymousKey(mail),
    references,
    ...(reply === undefined ? {} : { conversation: { id: reply.id, isSigned: true } }),
    ...(bounced === undefined ? {} : { bounced }),
  };
}

const MOST_REFERENCES = 50;

/** Amazon names its region in the ids that it gives to mails, and leaves it out where it tells us of them. */
export function withoutRegion(messageId: string): string {
  return messageId.replace(/@[a-z0-9-]+\.amazonses\.com>$/i, '@email.amazonses.com>');
}

function namesOf(messageId: string): string[] {
  return [messageId, withoutRegion(messageId)];
}

const RECIPIENTS = [
  'delivered-to',
  'x-original-to',
  'envelope-to',
  'x-envelope-to',
  'x-forwarded-to',
  'x-rcpt-to',
  'resent-to',
  'to',
  'cc',
];
const WITH_PLUS = /[^\s<>",;:@]+\+[^\s<>",;:@]+@[^\s<>",;:@]+/g;
const MOST_ADDRESSES = 200;

function tokensIn(mail: Mail, tokens: Tokens): Token[] {
  const addresses = RECIPIENTS.flatMap((name) => headersNamed(mail, name)).flatMap(
    (value) => value.slice(0, 20_000).match(WITH_PLUS) ?? [],
  );
  return addresses.slice(0, MOST_ADDRESSES).flatMap((address) => tokens.read(address) ?? []);
}

/** What we call a message of ours on the wire: the same on every try. */
export function sentMessageId(messageId: string, address: string): string {
  return `<${messageId}@${address.slice(address.lastIndexOf('@') + 1)}>`;
}

const OUR_ID = /^<[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}@([^@>]+)>$/;

/** A mail that we sent ourselves and that came back to us (a copy, a rule of the mailbox). */
export function isEcho(mail: Mail, { address }: EmailSettings): boolean {
  const domain = OUR_ID.exec(mail.messageId ?? '')?.[1];
  const isOurs = mail.from.some((from) => withoutTag(from.address) === withoutTag(address));
  return isOurs && domain?.toLowerCase() === address.slice(address.lastIndexOf('@') + 1);
}

/** The thread that a first message of ours to this address opens. */
export function addressThread(address: string): string {
  return `to:${address}`;
}

/** The address of a thread that we opened. */
export function addressOfThread(threadKey: string): string | undefined {
  return threadKey.startsWith('to:') ? threadKey.slice('to:'.length) : undefined;
}

const LONGEST_KEY = 200;

function keyOf(id: string | undefined): string | undefined {
  return id !== undefined && id.length > LONGEST_KEY ? hashed(id) : id;
}

function anonymousKey(mail: Mail): string {
  return hashed(
    [...mail.headers.map(({ name, value }) => `${name}:${value}`), mail.text, mail.html].join('\n'),
  );
}

function hashed(text: string): string {
  return `hash:${createHash('sha256').update(text).digest('base64url')}`;
}
