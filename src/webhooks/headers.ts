import { validateHeaderName, validateHeaderValue } from 'node:http';
import { invalidField } from '../core/errors.ts';
import type { Secrets } from '../core/secrets.ts';
import type { Answer } from './request.ts';

/** Headers of the subscriber's own, by name as they were written. */
export type CustomHeaders = Record<string, string>;

const MAX_HEADERS = 20;
const MAX_VALUE_LENGTH = 4_096;
const MASK = '••••';
// They steer the connection, say how the body is to be read, or belong to us.
const RESERVED =
  /^(host|connection|content-.*|transfer-encoding|te|trailer|upgrade|expect|keep-alive|proxy-.*|accept-encoding|date|via|forwarded|x-forwarded-.*|user-agent|webhook-.*|svix-.*)$/i;

/** Throws a refusal that names the field unless the headers may be stored. */
export function vetHeaders(headers: CustomHeaders): void {
  const names = Object.keys(headers);
  if (names.length > MAX_HEADERS) throw invalidField('headers', `must be ${MAX_HEADERS} at most`);
  for (const [name, value] of Object.entries(headers)) {
    if (!isUsable(name, value)) throw invalidField(`headers.${name}`, 'is no valid header');
    if (RESERVED.test(name)) throw invalidField(`headers.${name}`, 'is set by us');
  }
  if (new Set(names.map((name) => name.toLowerCase())).size < names.length)
    throw invalidField('headers', 'names one header twice');
}

function isUsable(name: string, value: string): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return value.length <= MAX_VALUE_LENGTH;
  } catch {
    return false;
  }
}

interface Owner {
  id: string;
  business_id: string;
}

/** The headers as columns: encrypted, for they carry tokens, and the names to show. */
export function sealHeaders(secrets: Secrets, endpoint: Owner, headers: CustomHeaders | null) {
  const names = Object.keys(headers ?? {});
  return {
    headers: names.length === 0 ? null : secrets.encrypt(JSON.stringify(headers), scopeOf(endpoint)),
    header_names: names,
  };
}

/** The headers as they are sent. */
export function openHeaders(
  secrets: Secrets,
  endpoint: Owner & { headers: Uint8Array | null },
): CustomHeaders {
  if (endpoint.headers === null) return {};
  return JSON.parse(secrets.decrypt(endpoint.headers, scopeOf(endpoint))) as CustomHeaders;
}

// Shorter ones are no secrets, and would blot out half of an answer.
const MIN_SECRET_LENGTH = 8;

/** An answer as it may be shown, where a receiver says back what it was sent. */
export function withoutHeaders(answer: Answer, headers: CustomHeaders): Answer {
  const secrets = Object.values(headers)
    // Of `Bearer TOKEN` the token alone as well.
    .flatMap((value) => [value, value.slice(value.indexOf(' ') + 1)])
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH);
  if (secrets.length === 0) return answer;
  const masked = (text: string) => secrets.reduce((rest, secret) => rest.replaceAll(secret, MASK), text);
  return {
    ...answer,
    excerpt: answer.excerpt === null ? null : masked(answer.excerpt),
    headers:
      answer.headers === null
        ? null
        : Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, masked(value)])),
  };
}

/** The headers as they may be shown. */
export function maskedHeaders(names: readonly string[]): CustomHeaders {
  return Object.fromEntries(names.map((name) => [name, MASK]));
}

function scopeOf({ id, business_id }: Owner) {
  return { businessId: business_id, rowId: id, field: 'headers' };
}
