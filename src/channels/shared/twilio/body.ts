import type { DoorRequest } from '../../../core/adapter.ts';
import { AppError } from '../../../core/errors.ts';

/** The parameters of one event, by Twilio's names; an empty one is none. */
export type Params = ReadonlyMap<string, string>;

export function isForm({ headers }: Pick<DoorRequest, 'headers'>): boolean {
  return (headers['content-type'] ?? '').toLowerCase().startsWith('application/x-www-form-urlencoded');
}

/** The events in a request: one in a form, one or several in JSON. Throws AppError on a body that is neither. */
export function readEvents(request: Pick<DoorRequest, 'headers' | 'body'>): Params[] {
  const text = decode(request.body);
  return isForm(request) ? [readForm(text)] : readJson(text);
}

function decode(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (error) {
    throw malformed('is no UTF-8', error);
  }
}

// What a form encodes: a body that holds one of these raw was made by no form.
const NEVER_RAW = /["{}<>\s]/;

function readForm(text: string): Params {
  if (NEVER_RAW.test(text)) throw malformed('is no form');
  return formParams(text);
}

function formParams(form: string): Params {
  return new Map([...new URLSearchParams(form)].filter(([, value]) => value !== ''));
}

function readJson(text: string): Params[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw malformed('is no JSON', error);
  }
  return (Array.isArray(parsed) ? parsed : [parsed]).filter(isObject).map(paramsOf);
}

/** The parameters of an event in JSON. */
export function paramsOf(event: Record<string, unknown>): Params {
  const known = Object.entries(event).flatMap(([name, value]): [string, string][] =>
    (typeof value === 'string' && value !== '') || typeof value === 'number' ? [[name, String(value)]] : [],
  );
  return new Map(known);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(why: string, cause?: unknown): AppError {
  return new AppError('invalid_request', `The body ${why}.`, { cause });
}
