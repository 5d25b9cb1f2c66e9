import type { Channel } from '../../core/adapter.ts';
import type { Correspondence, EarlierMessage, OutboundMessage, Part } from '../../core/envelope.ts';
import { SendRejected } from '../../core/errors.ts';
import { isAddress } from './mail.ts';
import { quotedHistory } from './quoted-history.ts';
import { refuseAutomatic } from './restraint.ts';
import type { EmailSettings } from './settings.ts';
import { addressOfThread, sentMessageId } from './threading.ts';
import { type Tokens, withoutTag } from './tokens.ts';

/** A mail as it is kept from the first try to the last: every try sends the same one. */
export interface Letter {
  from: { name: string; address: string };
  to: { name: string; address: string }[];
  cc: string[];
  bcc: string[];
  replyTo: string;
  /** Where its bounces go: the address says which message they are of. */
  envelopeFrom: string;
  subject: string;
  messageId: string;
  inReplyTo?: string;
  references: string[];
  headers: Record<string, string>;
  text: string;
  html?: string;
  /** The content ids of those attachments that the HTML shows. */
  inline: Record<string, string>;
}

/** One mail for one message, whatever its length. */
export function compose(
  message: OutboundMessage,
  { settings }: Channel<EmailSettings>,
  tokens: Tokens,
): Part[] {
  const correspondence = message.correspondence ?? NONE;
  refuseAutomatic(correspondence, settings);
  refuseTooLarge(message, settings);
  const answered = answeredBy(correspondence.earlier);
  const withToken = settings.plus_addressing;
  const letter: Letter = {
    from: { name: settings.from_name ?? '', address: settings.address },
    ...recipientsOf(message, { answered, settings }),
    replyTo: withToken ? tokens.replyAddress(settings.address, message.conversationId) : settings.address,
    envelopeFrom: withToken ? tokens.bounceAddress(settings.address, message.id) : settings.address,
    subject: subjectOf(message),
    messageId: sentMessageId(message.id, settings.address),
    ...chainOf(message, answered),
    headers: automaticHeaders(correspondence),
    ...bodiesOf(message, settings),
  };
  return [{ n: 0, threadKey: message.threadKey, payload: { ...letter }, attachments: message.attachments }];
}

const NONE: Correspondence = {
  subject: undefined,
  recipient: undefined,
  writtenBy: 'agent',
  writtenAt: new Date(0),
  lastAutomaticAt: undefined,
  earlier: [],
};

/** The message that an agent answers, else the newest that a person wrote. */
function answeredBy(earlier: EarlierMessage[]): EarlierMessage | undefined {
  const letters = earlier.filter((one) => one.isInbound && one.metadata['automatic'] !== true);
  return letters.find((one) => one.isAnswered) ?? letters[0];
}

interface Answering {
  answered: EarlierMessage | undefined;
  settings: EmailSettings;
}

/** Who wrote last gets the answer, and the customer too, should somebody else have joined. */
function recipientsOf(message: OutboundMessage, { answered, settings }: Answering) {
  const customer = message.correspondence?.recipient;
  const opened = addressOfThread(message.threadKey);
  const wrote = answered?.email?.reply_to ?? answered?.email?.from;
  const first = wrote ?? opened ?? customer?.address;
  const isCustomer = first === customer?.address || answered?.email?.from === customer?.address;
  const addresses = [first, isCustomer || opened !== undefined ? undefined : customer?.address];
  const isOurs = (address: string) => withoutTag(address.toLowerCase()) === withoutTag(settings.address);
  const to = unique(addresses.flatMap((one) => one ?? []))
    .filter((address) => isAddress(address) && !isOurs(address))
    .map((address) => ({ name: nameOf(address, message, answered), address }));
  if (to.length === 0) throw new SendRejected('There is no address to send it to.', { code: 'no_recipient' });
  const taken = to.map(({ address }) => address);
  const copies = (list: string[] = []) =>
    unique(list.map(checked)).filter((one) => !taken.includes(one) && !isOurs(one));
  return { to, cc: copies(message.email?.cc), bcc: copies(message.email?.bcc) };
}

function nameOf(address: string, message: OutboundMessage, answered: EarlierMessage | undefined): string {
  if (address === answered?.email?.from) return answered.senderName ?? '';
  const customer = message.correspondence?.recipient;
  return address === customer?.address ? (customer.name ?? '') : '';
}

function checked(address: string): string {
  const clean = address.trim().toLowerCase();
  if (isAddress(clean)) return clean;
  throw new SendRejected(`${address.slice(0, 100)} is no email address.`);
}

function unique(list: string[]): string[] {
  return [...new Set(list.map((one) => one.trim().toLowerCase()))];
}

const ANSWER = /^\s*(re|aw|sv|vs|antw|odp|ynt|ref|rif|回复|回覆|답장)\s*(\[\d+\])?\s*[:：]/iu;
const LONGEST_SUBJECT = 500;

function subjectOf({ email, correspondence }: OutboundMessage): string {
  const own = email?.subject ?? '';
  const given = own !== '' ? own : (correspondence?.subject ?? '');
  const subject = given.replace(/\s+/g, ' ').trim().slice(0, LONGEST_SUBJECT);
  const isFirst = (correspondence?.earlier.length ?? 0) === 0;
  if (subject === '') return isFirst ? 'Message' : 'Re:';
  return own !== '' || isFirst || ANSWER.test(subject) ? subject : `Re: ${subject}`;
}

const KEPT_AT_THE_END = 10;

/** The chain by which mail programs put the mails of a conversation together. */
function chainOf({ correspondence }: OutboundMessage, answered: EarlierMessage | undefined) {
  const earlier = correspondence?.earlier ?? [];
  const inReplyTo = answered?.externalId ?? earlier[0]?.externalId;
  const known = earlier.toReversed().flatMap(({ externalId }) => externalId ?? []);
  const chain = [...(answered?.email?.references ?? []), ...known.filter((id) => id !== inReplyTo)];
  const references = [...new Set([...chain, inReplyTo ?? []].flat())].filter((id) => /^<[^<>\s]+>$/.test(id));
  const isLong = references.length > KEPT_AT_THE_END + 1;
  return {
    ...(inReplyTo === undefined ? {} : { inReplyTo }),
    references: isLong ? [...references.slice(0, 1), ...references.slice(-KEPT_AT_THE_END)] : references,
  };
}

/** By these other programs know not to answer. */
function automaticHeaders({ writtenBy, earlier }: Correspondence): Record<string, string> {
  if (writtenBy === 'agent') return {};
  const isAnswer = earlier.some(({ isInbound }) => isInbound);
  return {
    'Auto-Submitted': isAnswer ? 'auto-replied' : 'auto-generated',
    'X-Auto-Response-Suppress': 'All',
  };
}

function bodiesOf(message: OutboundMessage, settings: EmailSettings) {
  const quoted = settings.quote_history ? quotedHistory(message.correspondence?.earlier ?? []) : undefined;
  const text = [message.content, quoted?.text ?? ''].filter((part) => part !== '').join('\n\n');
  if (message.html === undefined) return { text, inline: {} };
  const { html, inline } = withInlineImages(message.html, message);
  return { text, html: `${html}${quoted?.html ?? ''}`, inline };
}

const OWN_IMAGE = /(["'])(?:attachment|cid):([^"']{1,255})\1/gi;

/** Images of the message itself, named `attachment:0` by their place, or `cid:` and their name or id. */
function withInlineImages(html: string, { id, attachments }: OutboundMessage) {
  const inline: Record<string, string> = {};
  const rewritten = html.replace(OWN_IMAGE, (whole, quote: string, wanted: string) => {
    const attachment =
      attachments[/^\d+$/.test(wanted) ? Number(wanted) : -1] ??
      attachments.find((one) => one.id === wanted || one.name === wanted);
    if (attachment === undefined) return whole;
    inline[attachment.id] = `${attachment.id}@${id}`;
    return `${quote}cid:${inline[attachment.id]}${quote}`;
  });
  return { html: rewritten, inline };
}

/** What base64 and its line ends make of bytes. */
const ON_THE_WIRE = 1.37;
const HEADERS_BYTES = 4_096;

/** Said before a byte is sent: mail servers refuse what is too large only when they have it all. */
export function sizeRefusal(bytes: number, { max_message_bytes: most }: EmailSettings): string | undefined {
  const encoded = Math.ceil(bytes * ON_THE_WIRE) + HEADERS_BYTES;
  if (encoded <= most) return undefined;
  const megabytes = (count: number) => `${(count / 1024 / 1024).toFixed(1)} MB`;
  return `The mail would have ${megabytes(encoded)}; at most ${megabytes(most)} may be sent.`;
}

function refuseTooLarge({ content, html = '', attachments }: OutboundMessage, settings: EmailSettings): void {
  const files = attachments.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0);
  const refusal = sizeRefusal(files + Buffer.byteLength(content) + Buffer.byteLength(html), settings);
  if (refusal !== undefined) throw new SendRejected(refusal, { code: 'too_large' });
}
