import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Channel, DoorRequest } from '../../core/adapter.ts';
import type { EmailSettings } from './settings.ts';

/** The channel's secret as Bearer, as the password of HTTP Basic, or as the key that signed the body or Mailgun's token. */
export function verify(request: DoorRequest, { settings }: Channel<EmailSettings>): boolean {
  const secret = settings.inbound_secret;
  if (secret === undefined || secret === '') return false;
  return (
    carriesSecret(request.headers['authorization'], secret) ||
    isSigned(request, secret) ||
    isSignedByMailgun(request, secret)
  );
}

function carriesSecret(authorization: string | undefined, secret: string): boolean {
  const [, scheme = '', value = ''] = /^(\S+)\s+(.+)$/.exec(authorization ?? '') ?? [];
  if (/^bearer$/i.test(scheme)) return equal(value.trim(), secret);
  if (!/^basic$/i.test(scheme)) return false;
  const text = Buffer.from(value, 'base64').toString();
  return equal(text.slice(text.indexOf(':') + 1), secret);
}

/** `X-Signature: sha256=…`, the HMAC of the body in hex. */
function isSigned({ headers, body }: DoorRequest, secret: string): boolean {
  const given = headers['x-signature']?.replace(/^sha256=/i, '');
  return given !== undefined && equal(given.toLowerCase(), hmac(secret, body));
}

/** Mailgun signs a time and a token in the form, not the mail; its key has to be the channel's secret. */
function isSignedByMailgun({ headers, body }: DoorRequest, secret: string): boolean {
  if (!/multipart\/form-data|x-www-form-urlencoded/i.test(headers['content-type'] ?? '')) return false;
  const fields = ['timestamp', 'token', 'signature'].map((name) =>
    fieldOf(body, headers['content-type'] ?? '', name),
  );
  const [timestamp, token, signature] = fields;
  if (timestamp === undefined || token === undefined || signature === undefined) return false;
  const isRecent = Math.abs(Date.now() / 1000 - Number(timestamp)) < LONGEST_RETRY_SECONDS;
  return isRecent && equal(signature.toLowerCase(), hmac(secret, Buffer.from(timestamp + token)));
}

// Mailgun tries for eight hours.
const LONGEST_RETRY_SECONDS = 12 * 3_600;
const LONGEST_FIELD = 500;

/** A short field of a form, without parsing the files in it. */
function fieldOf(body: Uint8Array, contentType: string, name: string): string | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (!/multipart/i.test(contentType)) return pairOf(bytes, name);
  const at = bytes.indexOf(`name="${name}"`);
  const start = at === -1 ? -1 : bytes.indexOf('\r\n\r\n', at) + 4;
  if (start < 4) return undefined;
  const end = bytes.indexOf('\r\n', start);
  return end === -1 || end - start > LONGEST_FIELD ? undefined : bytes.toString('latin1', start, end);
}

/** Reading 25 MB of pairs into an object, for whoever knocks, takes seconds and most of a gigabyte. */
function pairOf(form: Buffer, name: string): string | undefined {
  const pair = new RegExp(`(?<=^|&)${name}=[^&]{0,${LONGEST_FIELD}}(?=&|$)`).exec(
    form.toString('latin1'),
  )?.[0];
  return new URLSearchParams(pair).get(name) ?? undefined;
}

function hmac(secret: string, text: Uint8Array): string {
  return createHmac('sha256', secret).update(text).digest('hex');
}

function equal(given: string, expected: string): boolean {
  const [theirs, ours] = [Buffer.from(given), Buffer.from(expected)];
  return theirs.length === ours.length && timingSafeEqual(theirs, ours);
}

/** An empty mail: nothing is in it for us. */
export function probe({ settings }: Channel<EmailSettings>): Pick<DoorRequest, 'headers' | 'body'> {
  const headers = { 'content-type': 'message/rfc822', authorization: `Bearer ${settings.inbound_secret}` };
  return { headers, body: Buffer.alloc(0) };
}
