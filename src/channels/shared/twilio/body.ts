import type { DoorRequest } from '../../../core/adapter.ts';
import { decode, malformed, readBody } from '../json-body.ts';

/** The parameters of one event, by Twilio's names; an empty one is none. */
export type Params = ReadonlyMap<string, string>;

/** Whether the body is a form, as that of most callbacks is. */
export function isForm({ headers }: Pick<DoorRequest, 'headers'>): boolean {
  return (headers['content-type'] ?? '').toLowerCase().startsWith('application/x-www-form-urlencoded');
}

/** The events in a request: one in a form, one or several in JSON. Throws AppError on a body that is neither. */
export function readEvents(request: Pick<DoorRequest, 'headers' | 'body'>): Params[] {
  return isForm(request) ? [readForm(decode(request.body))] : eventsIn(readBody(request.body));
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

function eventsIn(read: unknown): Params[] {
  return (Array.isArray(read) ? read : [read]).filter(isObject).map(paramsOf);
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
