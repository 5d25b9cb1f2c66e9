import { z } from 'zod';
import type { Verdict } from './authentication.ts';
import type { Form } from './form.ts';
import type { Mail } from './mail.ts';
import {
  type Envelope,
  fromRaw,
  headerLine,
  headerMail,
  inOnePiece,
  type Posted,
  traceOf,
  verdictWord,
} from './posted-mail.ts';

/** Mailgun (`body-mime`) and SendGrid (`email`) can post the mail as it was; else they post what they read in it. */
export async function fromForm(form: Form): Promise<Posted | undefined> {
  const raw = (await form.bytes('body-mime')) ?? (await form.bytes('email'));
  const envelope = envelopeOf(form);
  const verdict = formVerdict(form);
  if (raw !== undefined) return fromRaw(Buffer.concat([Buffer.from(traceOf(envelope)), raw]), verdict);
  if (form.text('from') === undefined && form.text('headers') === undefined) return undefined;
  const mail = await headerMail(traceOf(envelope) + headersOf(form));
  const files = formFiles(form);
  // SendGrid leaves each field in the charset that it had in the mail.
  const charsets = textsByName.safeParse(jsonOf(form.text('charsets'))).data ?? {};
  const said = (name: string) => form.text(name, charsets[name]);
  return {
    mail: {
      ...mail,
      subject: mail.subject ?? said('subject'),
      text: said('body-plain') ?? said('text'),
      html: said('body-html') ?? said('html'),
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

const sendgridEnvelope = z.object({ from: z.string().optional(), to: z.array(z.string()).default([]) });

function envelopeOf(form: Form): Envelope {
  const parsed = sendgridEnvelope.safeParse(jsonOf(form.text('envelope')));
  if (parsed.success) return { from: parsed.data.from, to: parsed.data.to };
  const recipient = form.text('recipient');
  return { from: form.text('sender'), to: recipient === undefined ? [] : recipient.split(',') };
}

const pairs = z.array(z.tuple([z.string(), z.string()]));

function headersOf(form: Form): string {
  const block = form.text('headers');
  if (block !== undefined) return block;
  const listed = pairs.safeParse(jsonOf(form.text('message-headers')));
  if (listed.success) return listed.data.map(([name, value]) => headerLine(name, value)).join('');
  return ['from', 'to', 'cc', 'subject'].map((name) => headerLine(name, form.text(name) ?? '')).join('');
}

const infos = z.record(
  z.string(),
  z.object({
    filename: z.string().optional(),
    type: z.string().optional(),
    'content-id': z.string().optional(),
  }),
);
const textsByName = z.record(z.string(), z.string());

function formFiles(form: Form): Mail['attachments'] {
  const info = infos.safeParse(jsonOf(form.text('attachment-info'))).data ?? {};
  const ids = textsByName.safeParse(jsonOf(form.text('content-id-map'))).data ?? {};
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
    spf: verdictWord(spf),
    dkim: verdictWord(dkim),
    dmarc: 'none',
    by: form.text('SPF') === undefined ? 'mailgun' : 'sendgrid',
  };
}

function jsonOf(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
