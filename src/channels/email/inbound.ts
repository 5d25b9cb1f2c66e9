import { createHash } from 'node:crypto';
import type { Channel } from '../../core/adapter.ts';
import type {
  AttachmentRef,
  Inbound,
  InboundMessage,
  MailFacts,
  Receipt,
  Sender,
} from '../../core/envelope.ts';
import { notedVerdict, type Verdict } from './authentication.ts';
import { type AutomaticReason, automaticReason, refusesAutoReply } from './automatic.ts';
import { fileNameOf } from './file-name.ts';
import { originalSender } from './forwarded.ts';
import { header, type Mail } from './mail.ts';
import { readable } from './readable.ts';
import { receiptOf, reportFacts } from './receipt.ts';
import { sanitiseHtml } from './sanitise.ts';
import { isAmbiguous, senderOf } from './sender.ts';
import type { EmailSettings } from './settings.ts';
import { isEcho, type Place, placeOf } from './threading.ts';
import { type Tokens, withoutTag } from './tokens.ts';

interface Reading {
  channel: Channel<EmailSettings>;
  tokens: Tokens;
  /** What we found out ourselves of where the mail comes from. */
  verdict?: Verdict | undefined;
}

/** What a mail means: a message, and of a delivery report also what became of the message it is about. */
export function inboundOf(mail: Mail, reading: Reading): Inbound[] {
  const { channel, tokens } = reading;
  if (isEcho(mail, channel.settings)) return [];
  const place = placeOf(mail, channel, tokens);
  const base = { externalEventId: eventKey(mail), threadKey: place.threadKey };
  const receipt = receiptOf(mail, place);
  return [
    ...(receipt === undefined
      ? []
      : [{ ...receipt, ...base, externalEventId: `${base.externalEventId}:report` } satisfies Receipt]),
    { ...base, ...messageOf(mail, place, reading) },
  ];
}

function messageOf(
  mail: Mail,
  place: Place,
  { channel, verdict }: Reading,
): Omit<InboundMessage, 'externalEventId' | 'threadKey'> {
  const { settings } = channel;
  const attachments = mail.attachments.map(attachmentOf);
  const texts = textsOf(mail, settings);
  const authentication = notedVerdict(mail, channel) ?? verdict;
  const sender = provenSender(mail, channel, authentication?.dmarc);
  const reason = automaticReason(mail, settings.address) ?? writtenByUs(sender, settings);
  return {
    kind: 'message',
    sender,
    type: attachments.length > 0 ? 'attachment' : 'text',
    content: texts.content,
    ...present({ html: texts.html, textFull: texts.textFull, occurredAt: mail.date }),
    ...present({ externalId: mail.messageId, subject: mail.subject?.slice(0, 998) }),
    email: factsOf(mail),
    attachments,
    references: place.references,
    ...present({ replyToExternalId: place.references[0], conversation: place.conversation }),
    ...(reason === undefined ? {} : { automatic: true }),
    // Of what we never sent there is nothing to report: it is no conversation.
    ...(reason === 'bounce' ? { opens: false as const } : {}),
    metadata: present({
      automatic_reason: reason,
      no_auto_reply: refusesAutoReply(mail) ? true : undefined,
      authentication,
      ambiguous_sender: isAmbiguous(mail) ? true : undefined,
      original_sender: originalSender(mail, texts.textFull ?? texts.content),
      delivery_report: reportFacts(mail),
    }),
  };
}

/** A colleague's own program, or a form that names nobody: whoever it was, no customer waits for an answer there. */
function writtenByUs({ address }: Sender, settings: EmailSettings): AutomaticReason | undefined {
  return withoutTag(address) === withoutTag(settings.address) ? 'own_address' : undefined;
}

/** DMARC is about the address in From, and about nobody else whom the mail names. */
function provenSender(mail: Mail, { settings }: Channel<EmailSettings>, dmarc: string | undefined): Sender {
  const sender = senderOf(mail, settings.address);
  const isProven = dmarc === 'pass' && sender.address === mail.from[0]?.address;
  return isProven ? { ...sender, isProven } : sender;
}

function textsOf(mail: Mail, { remote_content: remote }: EmailSettings) {
  const positions = new Map(
    mail.attachments.flatMap(({ contentId }, position) =>
      contentId === undefined ? [] : [[contentId.toLowerCase(), position]],
    ),
  );
  const { content, textFull } = readable(
    present({ text: mail.text, html: mail.html, subject: mail.subject }),
  );
  const html =
    mail.html === undefined
      ? undefined
      : sanitiseHtml(mail.html, { cid: (cid) => positions.get(cid.toLowerCase()), remote });
  const isEmpty = content.trim() === '' && mail.attachments.length === 0;
  return { content: isEmpty ? (mail.subject ?? '') : content, textFull, html };
}

function attachmentOf(attachment: Mail['attachments'][number], position: number): AttachmentRef {
  return {
    name: fileNameOf(attachment, position),
    contentType: attachment.contentType,
    sizeBytes: attachment.sizeBytes,
    ref: { part: attachment.part },
    inRequest: true,
  };
}

const MOST_ADDRESSES = 100;

function factsOf(mail: Mail): MailFacts {
  const list = (addresses: Mail['to']) => addresses.slice(0, MOST_ADDRESSES).map(({ address }) => address);
  return present({
    subject: mail.subject?.slice(0, 998),
    from: mail.from[0]?.address,
    to: list(mail.to),
    cc: list(mail.cc),
    reply_to: mail.replyTo[0]?.address,
    message_id: mail.messageId,
    in_reply_to: mail.inReplyTo[0],
    references: mail.references,
  });
}

/**
 * The same mail by another way (a list, an alias, IMAP beside SMTP) is the same event. A message id alone does not
 * tell: some programs give every mail the same one.
 */
function eventKey(mail: Mail): string {
  const hash = createHash('sha256');
  const facts = [mail.messageId, header(mail, 'from'), header(mail, 'date')];
  if (mail.messageId === undefined)
    facts.push(
      header(mail, 'subject'),
      mail.text,
      mail.html,
      ...mail.attachments.map(({ sizeBytes }) => String(sizeBytes)),
    );
  for (const fact of facts) hash.update(`${fact ?? ''}\0`);
  return `mail:${hash.digest('base64url')}`;
}

type Present<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

function present<T extends object>(values: T): Present<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Present<T>;
}
