import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type {
  AddressObject,
  AttachmentStream,
  HeaderLines,
  Headers,
  MailParser,
  MessageText,
} from 'mailparser';
import { withCharset } from './eight-bit.ts';
import { headerLinesOf, readHeaderLines } from './header-lines.ts';
import {
  header,
  headersNamed,
  isAddress,
  type Mail,
  type MailAddress,
  type MailAttachment,
  messageIds,
} from './mail.ts';
import { createParser } from './mime-parser.ts';

/** The part that stands for the mail as a whole. */
const WHOLE = 'whole';

/** Reads a mail; attachments' bytes are counted and let go. One that no parser can read is its headers and itself as a file. */
export async function readMime(raw: Uint8Array): Promise<Mail> {
  if (hasTooManyLines(raw)) return asFile(raw);
  try {
    const mail = await withCharset(await parse(raw), raw, parse);
    return isUnread(mail) ? { ...mail, attachments: [wholeOf(raw)] } : mail;
  } catch {
    return asFile(raw);
  }
}

// Half again what the largest file has: over the millions that fit into a mail the parser would hold up everybody.
const MOST_LINES = 500_000;
const LINE_END = 10;

function hasTooManyLines(raw: Uint8Array): boolean {
  let lines = 0;
  for (let at = raw.indexOf(LINE_END); at !== -1 && lines <= MOST_LINES; lines += 1)
    at = raw.indexOf(LINE_END, at + 1);
  return lines > MOST_LINES;
}

/** Parts that no boundary tells apart come out as none. */
function isUnread({ headers, text, html, attachments }: Mail): boolean {
  const isOfParts = /^multipart\//i.test(header({ headers }, 'content-type') ?? '');
  return isOfParts && text === undefined && html === undefined && attachments.length === 0;
}

const CHUNK_BYTES = 64 * 1024;
const LONGEST_TEXT = 1024 * 1024;
const READ_HERE =
  /^(message\/(delivery-status|global-delivery-status|rfc822|global|disposition-notification)|text\/rfc822-headers)$/;
const START_BYTES = 64 * 1024;
const MOST_ATTACHMENTS = 200;
const MOST_HEADERS = 500;

async function parse(raw: Uint8Array): Promise<Mail> {
  const { parser, unflowed } = createParser();
  const attachments: MailAttachment[] = [];
  let text: MessageText | undefined;
  let headers: Headers = new Map();
  let lines: HeaderLines = [];
  parser.on('headers', (read: Headers) => {
    headers = read;
  });
  parser.on('headerLines', (read: HeaderLines) => {
    lines = read;
  });
  parser.on('data', (part: AttachmentStream | MessageText) => {
    if (part.type === 'text') text = part;
    else keepFacts(part, String(attachments.length), attachments);
  });
  await run(parser, raw);
  return {
    ...fromHeaders(readHeaderLines(lines.map(({ line }) => line))),
    from: addresses(headers.get('from')),
    to: addresses(headers.get('to')),
    cc: addresses(headers.get('cc')),
    replyTo: addresses(headers.get('reply-to')),
    subject: textOf(headers.get('subject')),
    text: unflowed(bounded(text?.text)),
    html: bounded(typeof text?.html === 'string' ? text.html : undefined),
    attachments: attachments.slice(0, MOST_ATTACHMENTS),
  };
}

async function run(parser: MailParser, raw: Uint8Array): Promise<void> {
  const done = finished(parser);
  Readable.from(chunksOf(raw)).pipe(parser);
  await done;
}

function* chunksOf(raw: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < raw.length; at += CHUNK_BYTES) yield raw.subarray(at, at + CHUNK_BYTES);
}

function keepFacts(part: AttachmentStream, number: string, attachments: MailAttachment[]): void {
  const fact: MailAttachment = {
    part: number,
    name: part.filename || undefined,
    contentType: part.contentType?.toLowerCase() ?? 'application/octet-stream',
    sizeBytes: 0,
    contentId: part.cid || undefined,
    isInline: part.contentDisposition === 'inline' || part.related === true,
    start: undefined,
  };
  attachments.push(fact);
  const starts: Buffer[] = [];
  part.content.on('data', (chunk: Buffer) => {
    if (READ_HERE.test(fact.contentType) && fact.sizeBytes < START_BYTES) starts.push(chunk);
    fact.sizeBytes += chunk.length;
  });
  part.content.on('error', () => part.release());
  part.content.on('end', () => {
    if (starts.length > 0) fact.start = Buffer.concat(starts).subarray(0, START_BYTES).toString();
    part.release();
  });
}

/** Opens one attachment of a mail for reading. */
export async function openPart(raw: Uint8Array, wanted: string): Promise<AsyncIterable<Uint8Array>> {
  if (wanted === WHOLE) return Readable.from(chunksOf(raw));
  const { parser } = createParser();
  const { promise, resolve, reject } = Promise.withResolvers<AsyncIterable<Uint8Array>>();
  let number = 0;
  parser.on('data', (part: AttachmentStream | MessageText) => {
    if (part.type === 'text') return;
    part.content.once('end', () => part.release());
    if (String(number++) === wanted) resolve(part.content as Readable);
    else (part.content as Readable).resume();
  });
  run(parser, raw).then(() => reject(new Error('the mail has no such part')), reject);
  return promise;
}

function fromHeaders(headers: Mail['headers']): Mail {
  const mail = { headers };
  return {
    headers,
    from: [],
    to: [],
    cc: [],
    replyTo: [],
    subject: header(mail, 'subject'),
    date: dateOf(header(mail, 'date')),
    messageId: messageIds(headersNamed(mail, 'message-id')[0])[0],
    inReplyTo: messageIds(header(mail, 'in-reply-to')),
    references: messageIds(headersNamed(mail, 'references').join(' ')),
    text: undefined,
    html: undefined,
    attachments: [],
  };
}

function dateOf(value: string | undefined): Date | undefined {
  const date = new Date(value ?? '');
  return Number.isNaN(date.getTime()) || date.getUTCFullYear() < 1971 || date.getUTCFullYear() > 9998
    ? undefined
    : date;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function addresses(value: unknown): MailAddress[] {
  const objects = (Array.isArray(value) ? value : [value]) as (AddressObject | undefined)[];
  return objects
    .flatMap((one) => one?.value ?? [])
    .flatMap((one) => one.group ?? [one])
    .flatMap(({ name, address }) => {
      const clean = address?.trim().toLowerCase() ?? '';
      return isAddress(clean) ? [{ address: clean, name: name.trim() || undefined }] : [];
    });
}

/** The rest stays in the mail itself, which is kept raw. */
function bounded(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  return text.length > LONGEST_TEXT ? text.slice(0, LONGEST_TEXT).toWellFormed() : text;
}

function asFile(raw: Uint8Array): Mail {
  const lines = headerLinesOf(Buffer.from(raw.subarray(0, CHUNK_BYTES)).toString('latin1'));
  const mail = fromHeaders(readHeaderLines(lines).slice(0, MOST_HEADERS));
  return {
    ...mail,
    from: plainAddresses(header(mail, 'from')),
    to: plainAddresses(header(mail, 'to')),
    attachments: [wholeOf(raw)],
  };
}

function wholeOf(raw: Uint8Array): MailAttachment {
  const whole = { part: WHOLE, name: 'message.eml', contentType: 'message/rfc822', sizeBytes: raw.length };
  return { ...whole, contentId: undefined, isInline: false, start: undefined };
}

function plainAddresses(value: string | undefined): MailAddress[] {
  const found = value?.slice(0, 10_000).match(/[^\s@<>"(),;:\\]{1,64}@[^\s@<>"(),;:\\]{1,190}/g) ?? [];
  return found.map((address) => ({ address: address.toLowerCase(), name: undefined }));
}
