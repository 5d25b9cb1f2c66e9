import { isUtf8 } from 'node:buffer';
import type { Mail, MailAddress } from './mail.ts';

const UNREAD = '\ufffd';

/** Old programs write bytes of a charset that they do not name: what came out unreadable is taken from another reading. */
export async function withCharset(
  mail: Mail,
  raw: Uint8Array,
  parse: (raw: Uint8Array) => Promise<Mail>,
): Promise<Mail> {
  const people = [...mail.from, ...mail.to, ...mail.cc, ...mail.replyTo].map(({ name }) => name);
  if (![mail.text, mail.html, mail.subject, ...people].some(isUnread) || isUtf8(raw)) return mail;
  const again = await parse(inUtf8(raw));
  return {
    ...mail,
    from: named(mail.from, again.from),
    to: named(mail.to, again.to),
    cc: named(mail.cc, again.cc),
    replyTo: named(mail.replyTo, again.replyTo),
    subject: isUnread(mail.subject) ? again.subject : mail.subject,
    text: isUnread(mail.text) ? again.text : mail.text,
    html: isUnread(mail.html) ? again.html : mail.html,
  };
}

function isUnread(text: string | undefined): boolean {
  return text?.includes(UNREAD) === true;
}

/** The names only: an address is what its bytes are. */
function named(people: MailAddress[], again: MailAddress[]): MailAddress[] {
  return people.map((one, at) =>
    isUnread(one.name) && again[at]?.address === one.address ? { ...one, name: again[at].name } : one,
  );
}

/** Lines that are no UTF-8 are read in the charset that is named anywhere, of a part or in HTML, else in Windows'. */
function inUtf8(raw: Uint8Array): Buffer {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const decoder = decoderOf(bytes.toString('latin1', 0, LOOKED_AT));
  const pieces: Buffer[] = [];
  let done = 0;
  for (let at = 0; at < Math.min(bytes.length, READ_ANEW); ) {
    const end = bytes.indexOf('\n', at) + 1 || bytes.length;
    const line = bytes.subarray(at, end);
    if (!isUtf8(line)) {
      pieces.push(bytes.subarray(done, at), Buffer.from(decoder.decode(line)));
      done = end;
    }
    at = end;
  }
  return Buffer.concat([...pieces, bytes.subarray(done)]);
}

// Texts are shown no further than this, and every line costs time.
const READ_ANEW = 1024 * 1024;
const LOOKED_AT = 64 * 1024;

function decoderOf(head: string) {
  const charsets = head.matchAll(/\bcharset\s*=\s*["']?([\w.:-]{1,40})/gi);
  for (const [, charset = ''] of charsets) {
    const decoder = decoderFor(charset);
    if (decoder !== undefined) return decoder;
  }
  return new TextDecoder('windows-1252');
}

/** The text that bytes are in this charset; where none is named that is known, in UTF-8, else in Windows'. */
export function decoded(bytes: Buffer, charset: string | undefined): string {
  const decoder = charset === undefined ? undefined : decoderFor(charset);
  if (decoder !== undefined) return decoder.decode(bytes);
  return isUtf8(bytes) ? bytes.toString() : new TextDecoder('windows-1252').decode(bytes);
}

/** Undefined for what nobody knows, and for what programs say of all that they have not looked at. */
function decoderFor(charset: string) {
  if (/^(us-?ascii|ascii|utf-?8)$/i.test(charset)) return undefined;
  try {
    return new TextDecoder(charset);
  } catch {
    return undefined;
  }
}
