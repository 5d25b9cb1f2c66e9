import type { Verdict } from './authentication.ts';
import { headerLinesOf, readHeaderLines } from './header-lines.ts';
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

/** A mail that was posted as it was on the wire. */
export async function fromRaw(raw: Uint8Array, verdict?: Verdict): Promise<Posted> {
  return { mail: await readMime(raw), raw, verdict, open: (part) => openPart(raw, part) };
}

/** Bytes that are here already. */
export async function* inOnePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** To whom a mail server was to give the mail, and for whom. */
export interface Envelope {
  from: string | undefined;
  to: string[];
}

/** The envelope as the header lines that a mail server would have put in front. */
export function traceOf({ from, to }: Envelope): string {
  const lines = [
    ...(from === undefined ? [] : [`Return-Path: <${from}>`]),
    ...to.map((one) => `Delivered-To: ${one}`),
  ];
  return lines.map((line) => `${line.replace(/[\r\n]+/g, ' ')}\r\n`).join('');
}

/** One header line; what is no header is left out. */
export function headerLine(name: string, value: string): string {
  return /^[\w-]+$/.test(name) && value !== '' ? `${name}: ${value.replace(/\r?\n[ \t]*|\r/g, ' ')}\r\n` : '';
}

/** A mail of headers only. Its content type speaks of a body that is not here, so that the parser must not see it. */
export async function headerMail(block: string): Promise<Mail> {
  const lines = headerLinesOf(block.replace(/\r?\n/g, '\r\n'));
  const isOfBody = (one: string) => /^content-(type|transfer-encoding|disposition):/i.test(one);
  const mail = await readMime(Buffer.from(`${lines.filter((one) => !isOfBody(one)).join('\r\n')}\r\n\r\n`));
  const ofBody = readHeaderLines(lines.filter(isOfBody));
  return { ...mail, headers: [...mail.headers, ...ofBody], attachments: [] };
}

/** A provider's word for how a check ended. */
export function verdictWord(text: string | undefined): string {
  return (
    /\b(pass|fail|softfail|neutral|temperror|permerror|none)\b/i.exec(text ?? '')?.[1]?.toLowerCase() ??
    'none'
  );
}
