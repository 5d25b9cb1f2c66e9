import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import EmailReplyParser from 'email-reply-parser';
import { convert } from 'html-to-text';
import { simpleParser } from 'mailparser';
import { extractFrom } from 'planer';
import { readable } from '../../src/channels/email/readable.ts';

const FOLDER = join(import.meta.dirname, '../fixtures/email/quoting');

export interface CorpusMail {
  /** `client.language.style.…`, as the file is called. */
  name: string;
  client: string;
  language: string;
  style: string;
  text: string;
  html: string;
  subject: string;
  /** What the person wrote, without the good-bye at its end. */
  written: string;
  /** "Kind regards, Ada": whether it is shown is a matter of taste, and either counts. */
  signOff: string;
}

export type Reader = (mail: CorpusMail) => string;
/** `cut`: something that the person wrote is missing. `kept`: all of it is there, and something else too. */
export type Verdict = 'exact' | 'kept' | 'cut';

/** What is compared: ours, the libraries alone and one after the other, and nothing at all. */
export const READERS: Record<string, Reader> = {
  Tributary: ({ text, html, subject }) => readable({ text, html, subject }).content,
  planer: (mail) => extractFrom(plainOf(mail), 'text/plain'),
  'email-reply-parser': (mail) => replyParser(plainOf(mail)),
  'one after the other': (mail) => replyParser(extractFrom(plainOf(mail), 'text/plain')),
  'the mail as it is': plainOf,
};

/** Every mail of the corpus. */
export async function readCorpus(): Promise<CorpusMail[]> {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.eml'));
  return Promise.all(files.sort().map((file) => readMail(file.slice(0, -'.eml'.length))));
}

async function readMail(name: string): Promise<CorpusMail> {
  const raw = readFileSync(join(FOLDER, `${name}.eml`));
  const mail = await simpleParser(raw, { skipHtmlToText: true, skipTextToHtml: true, keepCidLinks: true });
  const expected = readFileSync(join(FOLDER, `${name}.txt`), 'utf8');
  const [written = '', signOff = ''] = expected.split('\n[sign-off]\n');
  const [client = '', language = '', style = ''] = name.split('.');
  return {
    name,
    client,
    language,
    style,
    text: mail.text ?? '',
    html: mail.html || '',
    subject: mail.subject ?? '',
    written: written.trim(),
    signOff: signOff.trim(),
  };
}

/** Whether a reader showed what the person wrote and nothing else; white space does not count. */
export function judge({ written, signOff }: CorpusMail, shown: string): Verdict {
  const seen = bare(shown);
  if (seen === bare(written) || seen === bare(`${written}\n${signOff}`)) return 'exact';
  const isWhole = written.split('\n').every((line) => seen.includes(bare(line)));
  return isWhole ? 'kept' : 'cut';
}

function bare(text: string): string {
  return text.replace(/[\s\u00a0\ufeff\u200b]+/g, ' ').trim();
}

function plainOf({ text, html }: CorpusMail): string {
  return text.trim() === '' ? convert(html, { wordwrap: false }) : text;
}

function replyParser(text: string): string {
  return new EmailReplyParser().read(text).getVisibleText();
}
