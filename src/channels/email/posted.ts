import { z } from 'zod';
import type { DoorRequest } from '../../core/adapter.ts';
import { AppError } from '../../core/errors.ts';
import type { Verdict } from './authentication.ts';
import { type Form, readForm } from './form.ts';
import type { Mail } from './mail.ts';
import { openPart, readMime } from './mime.ts';

/** A mail that somebody posted to the door, in whichever form. */
export interface Posted {
  mail: Mail;
  /** The mail as it was on the wire, where it was posted so. */
  raw: Uint8Array | undefined;
  /** What the provider found out of the sender. */
  verdict: Verdict | undefined;
  open(part: string): Promise<AsyncIterable<Uint8Array>>;
}

/** Reads what Mailgun, SendGrid, Postmark or anybody's own mail server posts; undefined where no mail is in it. */
export async function readPosted({
  headers,
  body,
}: Pick<DoorRequest, 'headers' | 'body'>): Promise<Posted | undefined> {
  if (body.length === 0) return undefined;
  const contentType = headers['content-type'] ?? '';
  if (/^\s*(multipart\/form-data|application\/x-www-form-urlencoded)/i.test(contentType))
    return fromForm(await readForm(body, contentType));
  if (/^\s*application\/json/i.test(contentType)) return fromPostmark(body);
  return fromRaw(body);
}

async function fromRaw(raw: Uint8Array, verdict?: Verdict): Promise<Posted> {
  return { mail: await readMime(raw), raw, verdict, open: (part) => openPart(raw, part) };
}

/** Mailgun (`body-mime`) and SendGrid (`email`) can post the mail as it was; else they post what they read in it. */
async function fromForm(form: Form): Promise<Posted | undefined> {
  const raw = (await form.bytes('body-mime')) ?? (await form.bytes('email'));
  const envelope = envelopeOf(form);
  const verdict = formVerdict(form);
  if (raw !== undefined) return fromRaw(Buffer.concat([Buffer.from(traceOf(envelope)), raw]), verdict);
  if (form.text('from') === undefined && form.text('headers') === undefined) return undefined;
  const mail = await mailOf(traceOf(envelope) + headersOf(form));
  const files = formFiles(form);
  return {
    mail: {
      ...mail,
      subject: mail.subject ?? form.text('subject'),
      text: form.text('body-plain') ?? form.text('text'),
      html: form.text('body-html') ?? form.text('html'),
      attachments: files,
    },
    raw: undefined,
    verdict,
    async open(part) {
      const bytes = await form.bytes(part);
      if (bytes === undefined) throw new Error('the form has no such file');
      return inOnePiece(bytes);
    },
  };
}

async function* inOnePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

interface Envelope {
  from: string | undefined;
  to: string[];
}

const sendgridEnvelope = z.object({ from: z.string().optional(), to: z.array(z.string()).default([]) });

function envelopeOf(form: Form): Envelope {
  const parsed = sendgridEnvelope.safeParse(jsonOf(form.text('envelope')));
  if (parsed.success) return { from: parsed.data.from, to: parsed.data.to };
  const recipient = form.text('recipient');
  return { from: form.text('sender'), to: recipient === undefined ? [] : recipient.split(',') };
}

/** The envelope as the header lines that a mail server would have put in front. */
function traceOf({ from, to }: Envelope): string {
  const lines = [
    ...(from === undefined ? [] : [`Return-Path: <${from}>`]),
    ...to.map((one) => `Delivered-To: ${one}`),
  ];
  return lines.map((line) => `${line.replace(/[\r\n]+/g, ' ')}\r\n`).join('');
}

const pairs = z.array(z.tuple([z.string(), z.string()]));

function headersOf(form: Form): string {
  const block = form.text('headers');
  if (block !== undefined) return block;
  const listed = pairs.safeParse(jsonOf(form.text('message-headers')));
  if (listed.success) return listed.data.map(([name, value]) => line(name, value)).join('');
  return ['from', 'to', 'cc', 'subject'].map((name) => line(name, form.text(name) ?? '')).join('');
}

function line(name: string, value: string): string {
  return /^[\w-]+$/.test(name) && value !== '' ? `${name}: ${value.replace(/\r?\n[ \t]*|\r/g, ' ')}\r\n` : '';
}

/** A mail of headers only. Its content type speaks of a body that is not here, so that the parser must not see it. */
async function mailOf(block: string): Promise<Mail> {
  const lines = block
    .replace(/\r?\n/g, '\r\n')
    .split(/\r\n(?![ \t])/)
    .filter((one) => one !== '');
  const isOfBody = (one: string) => /^content-(type|transfer-encoding|disposition):/i.test(one);
  const mail = await readMime(Buffer.from(`${lines.filter((one) => !isOfBody(one)).join('\r\n')}\r\n\r\n`));
  const ofBody = lines.filter(isOfBody).map((one) => {
    const colon = one.indexOf(':');
    return {
      name: one.slice(0, colon).toLowerCase(),
      value: one
        .slice(colon + 1)
        .replace(/\s+/g, ' ')
        .trim(),
    };
  });
  return { ...mail, headers: [...mail.headers, ...ofBody], attachments: [] };
}

const infos = z.record(
  z.string(),
  z.object({
    filename: z.string().optional(),
    type: z.string().optional(),
    'content-id': z.string().optional(),
  }),
);
const contentIds = z.record(z.string(), z.string());

function formFiles(form: Form): Mail['attachments'] {
  const info = infos.safeParse(jsonOf(form.text('attachment-info'))).data ?? {};
  const ids = contentIds.safeParse(jsonOf(form.text('content-id-map'))).data ?? {};
  const idOf = new Map(Object.entries(ids).map(([id, name]) => [name, id]));
  return [...new Set(form.names)].flatMap((part) => {
    const file = form.file(part);
    if (file === undefined) return [];
    const contentId = (info[part]?.['content-id'] ?? idOf.get(part))?.replace(/^<|>$/g, '');
    return [
      {
        part,
        name: info[part]?.filename ?? file.name,
        contentType: (info[part]?.type ?? file.type) || 'application/octet-stream',
        sizeBytes: file.size,
        contentId,
        isInline: contentId !== undefined,
        start: undefined,
      },
    ];
  });
}

function formVerdict(form: Form): Verdict | undefined {
  const listed = pairs.safeParse(jsonOf(form.text('message-headers'))).data ?? [];
  const named = (wanted: string) => listed.find(([name]) => name.toLowerCase() === wanted)?.[1];
  const spf = form.text('SPF') ?? form.text('X-Mailgun-Spf') ?? named('x-mailgun-spf');
  const dkim =
    form.text('dkim') ?? form.text('X-Mailgun-Dkim-Check-Result') ?? named('x-mailgun-dkim-check-result');
  if (spf === undefined && dkim === undefined) return undefined;
  return {
    spf: word(spf),
    dkim: word(dkim),
    dmarc: 'none',
    by: form.text('SPF') === undefined ? 'mailgun' : 'sendgrid',
  };
}

function word(text: string | undefined): string {
  return (
    /\b(pass|fail|softfail|neutral|temperror|permerror|none)\b/i.exec(text ?? '')?.[1]?.toLowerCase() ??
    'none'
  );
}

const person = z.object({ Email: z.string().default(''), Name: z.string().default('') });
const postmark = z.object({
  RawEmail: z.string().optional(),
  From: z.string().optional(),
  FromFull: person.optional(),
  ToFull: z.array(person).default([]),
  CcFull: z.array(person).default([]),
  OriginalRecipient: z.string().optional(),
  ReplyTo: z.string().optional(),
  Subject: z.string().optional(),
  Date: z.string().optional(),
  TextBody: z.string().optional(),
  HtmlBody: z.string().optional(),
  Headers: z.array(z.object({ Name: z.string(), Value: z.string() })).default([]),
  Attachments: z
    .array(
      z.object({
        Name: z.string().default(''),
        Content: z.string().default(''),
        ContentType: z.string().default('application/octet-stream'),
        ContentID: z.string().optional(),
      }),
    )
    .default([]),
});
type Postmark = z.infer<typeof postmark>;

async function fromPostmark(body: Uint8Array): Promise<Posted | undefined> {
  const parsed = postmark.safeParse(parseJson(Buffer.from(body).toString()));
  if (!parsed.success) return undefined;
  const { data } = parsed;
  const trace = traceOf({
    from: undefined,
    to: data.OriginalRecipient === undefined ? [] : [data.OriginalRecipient],
  });
  if (data.RawEmail)
    return fromRaw(Buffer.concat([Buffer.from(trace), Buffer.from(data.RawEmail)]), postmarkVerdict(data));
  if (data.FromFull === undefined && data.From === undefined) return undefined;
  const mail = await mailOf(trace + postmarkHeaders(data));
  return {
    mail: {
      ...mail,
      text: data.TextBody || undefined,
      html: data.HtmlBody || undefined,
      attachments: postmarkFiles(data),
    },
    raw: undefined,
    verdict: postmarkVerdict(data),
    async open(part) {
      const file = data.Attachments[Number(part)];
      if (file === undefined) throw new Error('the mail has no such file');
      return inOnePiece(Buffer.from(file.Content, 'base64'));
    },
  };
}

function postmarkHeaders(data: Postmark): string {
  const people = (list: z.infer<typeof person>[]) =>
    list.map(({ Name, Email }) => `${JSON.stringify(Name)} <${Email}>`).join(', ');
  const own = [
    line('From', data.FromFull ? people([data.FromFull]) : (data.From ?? '')),
    line('To', people(data.ToFull)),
    line('Cc', people(data.CcFull)),
    line('Reply-To', data.ReplyTo ?? ''),
    line('Subject', data.Subject ?? ''),
    line('Date', data.Date ?? ''),
  ];
  return [...own, ...data.Headers.map(({ Name, Value }) => line(Name, Value))].join('');
}

function postmarkFiles({ Attachments }: Postmark): Mail['attachments'] {
  return Attachments.map(({ Name, Content, ContentType, ContentID }, index) => ({
    part: String(index),
    name: Name || undefined,
    contentType: ContentType.split(';', 1)[0]?.trim().toLowerCase() || 'application/octet-stream',
    sizeBytes: Buffer.byteLength(Content, 'base64'),
    contentId: ContentID?.replace(/^<|>$/g, '') || undefined,
    isInline: Boolean(ContentID),
    start: undefined,
  }));
}

function postmarkVerdict({ Headers }: Postmark): Verdict | undefined {
  const spf = Headers.find(({ Name }) => /^received-spf$/i.test(Name))?.Value;
  return spf === undefined
    ? undefined
    : { spf: word(spf.split(/\s/, 1)[0]), dkim: 'none', dmarc: 'none', by: 'postmark' };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AppError('invalid_request', 'The body is no JSON.', { cause: error });
  }
}

function jsonOf(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
