import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { DoorRequest } from '../../../core/adapter.ts';
import { isForm } from './body.ts';

const SIGNATURE = 'x-twilio-signature';

/** Whether one of these tokens signed the request: its public address with its form, or with the hash of its body. */
export function isSigned(request: DoorRequest, tokens: readonly string[]): boolean {
  const given = request.headers[SIGNATURE];
  if (given === undefined || given === '') return false;
  const hash = bodyHashIn(request.url);
  if (hash !== undefined && !sameText(sha256(request.body), hash)) return false;
  if (hash === undefined && !isForm(request)) return false;
  const form = isForm(request) ? new TextDecoder().decode(request.body) : '';
  return tokens.some((token) =>
    spellingsOf(request.url).some((url) => sameText(signature(token, url, form), given)),
  );
}

/** What Twilio signs: the address, then each parameter's name and value, sorted, a value that comes twice once. */
export function signature(token: string, url: string, form: string): string {
  const values = new Map<string, Set<string>>();
  for (const [name, value] of new URLSearchParams(form))
    values.set(name, (values.get(name) ?? new Set()).add(value));
  const names = [...values.keys()].sort();
  const signed = names.flatMap((name) => [...(values.get(name) ?? [])].sort().map((value) => name + value));
  return createHmac('sha1', token)
    .update(url + signed.join(''))
    .digest('base64');
}

function sha256(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex');
}

function bodyHashIn(url: string): string | undefined {
  return /[?&]bodySHA256=([^&#]*)/.exec(url)?.[1];
}

function sameText(ours: string, theirs: string): boolean {
  const [one, other] = [Buffer.from(ours), Buffer.from(theirs)];
  return one.length === other.length && timingSafeEqual(one, other);
}

/** Twilio signs the address now with the port that goes without saying, now without it. */
function spellingsOf(url: string): string[] {
  const [, scheme = '', authority = '', rest = ''] = /^(https?:\/\/)([^/?#]*)(.*)$/s.exec(url) ?? [];
  const port = scheme === 'https://' ? ':443' : ':80';
  const bare = authority.endsWith(port) ? authority.slice(0, -port.length) : authority;
  return /:\d+$/.test(bare) ? [url] : [scheme + bare + rest, scheme + bare + port + rest];
}

/** A request of nothing, signed as Twilio would sign it: by it we try our own door. */
export function signedProbe(token: string, url: string): Pick<DoorRequest, 'headers' | 'body'> {
  const form = 'AccountSid=probe';
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    [SIGNATURE]: signature(token, url, form),
  };
  return { headers, body: Buffer.from(form) };
}
