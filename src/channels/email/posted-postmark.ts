import { z } from 'zod';
import { AppError } from '../../core/errors.ts';
import type { Verdict } from './authentication.ts';
import type { Mail } from './mail.ts';
import {
  fromRaw,
  headerLine,
  headerMail,
  inOnePiece,
  type Posted,
  traceOf,
  verdictWord,
} from './posted-mail.ts';

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

/** Postmark posts JSON, with the mail as it was when it is told to. */
export async function fromPostmark(body: Uint8Array): Promise<Posted | undefined> {
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
  const mail = await headerMail(trace + postmarkHeaders(data));
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
    headerLine('From', data.FromFull ? people([data.FromFull]) : (data.From ?? '')),
    headerLine('To', people(data.ToFull)),
    headerLine('Cc', people(data.CcFull)),
    headerLine('Reply-To', data.ReplyTo ?? ''),
    headerLine('Subject', data.Subject ?? ''),
    headerLine('Date', data.Date ?? ''),
  ];
  return [...own, ...data.Headers.map(({ Name, Value }) => headerLine(Name, Value))].join('');
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
    : { spf: verdictWord(spf.split(/\s/, 1)[0]), dkim: 'none', dmarc: 'none', by: 'postmark' };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AppError('invalid_request', 'The body is no JSON.', { cause: error });
  }
}
