import { isIP } from 'node:net';
import { invalidField } from '../errors.ts';
import type { AddressRules } from './address-rules.ts';
import type { PortRules } from './port-rules.ts';

export type Rules = AddressRules & PortRules;

const MAX_URL_LENGTH = 2_048;

/** Throws a refusal that names the field when the URL could never be reached. Resolves no name. */
export function vetUrl(text: string, { field, rules }: { field: string; rules: Rules }): URL {
  if (!URL.canParse(text)) throw invalidField(field, 'is not a URL');
  if (text.length > MAX_URL_LENGTH) throw invalidField(field, `is longer than ${MAX_URL_LENGTH} characters`);
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw invalidField(field, 'must begin with http:// or https://');
  if (url.username !== '' || url.password !== '') throw invalidField(field, 'must not carry credentials');
  const refused = rules.refusal(url.protocol, url.port);
  if (refused !== undefined) throw invalidField(field, refused);
  if (!mayBeReached(url.hostname, rules)) throw invalidField(field, 'is not a public address');
  return url;
}

/** WHATWG URLs spell every IPv4 literal in one way, and IPv6 in brackets; any other name is judged when it is resolved. */
function mayBeReached(hostname: string, rules: AddressRules): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (/(^|\.)localhost\.?$/.test(host)) return rules.permits('127.0.0.1') || rules.permits('::1');
  return !isForbiddenLiteral(host, rules);
}

/** An address, not a name, that may not be reached. */
export function isForbiddenLiteral(host: string, rules: AddressRules): boolean {
  return isIP(host) !== 0 && !rules.permits(host);
}
