import type { Hook } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { z } from 'zod';
import { channelTypeOf } from '../core/channels/channel-type.ts';
import { AppError, detailsOf } from '../core/errors.ts';
import { isUuid } from '../core/id.ts';
import type { ApiEnv } from './deps.ts';

const MAX_DEPTH = 64;

// Of every schema, those of the channels too: "expected string, received undefined" is no sentence for a person.
z.config({ customError: ({ input }) => (input === undefined ? 'is required' : undefined) });

/** An id in a path. Whatever is none is simply not found, since `refuseInvalid` answers 404 for paths. */
export const idParam = z.object({ id: z.string().toLowerCase().refine(isUuid).meta({ format: 'uuid' }) });

/** An id in a body or query. */
export const uuid = z.string().toLowerCase().refine(isUuid, 'must be an id').meta({ format: 'uuid' });

/** A time in a body or query, as ISO 8601 with an offset. */
export const time = z.iso
  .datetime({ offset: true, abort: true, error: 'must be an ISO 8601 time, like 2026-01-31T09:00:00Z' })
  .refine(isStorableTime, 'must be between the years 1 and 9999');

/** The same in a query, where a + that nobody escaped reads as a space. */
export const timeInQuery = z
  .string()
  .transform((text) => text.replace(' ', '+'))
  .pipe(time)
  .meta({ format: 'date-time' });

/** Outside these years in UTC the database and JavaScript write times that the other cannot read. */
function isStorableTime(text: string): boolean {
  const year = new Date(text).getUTCFullYear();
  return year >= 1 && year <= 9999;
}

/** A field that may be left out, or be null as it is where it is read. */
export function maybe<T extends z.ZodType>(schema: T) {
  return schema.nullish().transform((value) => value ?? undefined);
}

/** Minutes without anything happening, at most two years of them. */
export const autoResolveAfter = z.number().int().min(0).max(1_051_200).nullable();

/** Days that something is kept, at most a hundred years of them. */
export const retentionDays = z.number().int().min(1).max(36_500).nullable();

/** A whole number in a query, where everything is text. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER) {
  // Of an empty text JavaScript would make a zero, which nobody wrote.
  return z
    .string()
    .transform((text) => (text.trim() === '' ? Number.NaN : Number(text)))
    .pipe(
      z
        .number('must be a whole number')
        .int('must be a whole number')
        .min(least, `must be ${least} or more`)
        .max(most, `must be ${most} or less`),
    )
    .meta({ type: 'integer', minimum: least, maximum: most });
}

/** A switch in a query. */
export const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

/** A type of channels in a query, where `widget` is another word for web chat. */
export const channelType = z.string().max(50).transform(channelTypeOf);

/** What every route does with input that its schema refuses. */
export const refuseInvalid: Hook<unknown, ApiEnv, string, undefined> = (result) => {
  if (result.success) return;
  if (result.target === 'param') throw new AppError('not_found', 'There is nothing at this address.');
  const found = detailsOf(result.error);
  // A query is flat: `status.0` would name a field that nobody sent.
  const details =
    result.target === 'query'
      ? found.map((one) => ({ ...one, field: one.field.split('.')[0] ?? '' }))
      : found;
  throw new AppError('validation_error', 'Some fields are not valid.', { details });
};

/**
 * Refuses JSON before any schema or database sees it: unparsable, nested deeper than 64, or with text that Postgres
 * cannot store (NUL, half of a surrogate pair), which is refused by name instead of being changed silently.
 */
export const refuseHostileInput: MiddlewareHandler<ApiEnv> = async (c, next) => {
  for (const [field, text] of new URL(c.req.url).searchParams) refuseText(text, field);
  if (c.req.path.includes('\0')) throw new AppError('not_found', 'There is nothing at this address.');
  if (/^application\/(?:[\w.-]+\+)?json/i.test(c.req.header('content-type') ?? ''))
    refuseTree(parseJson(await c.req.text()));
  await next();
};

function parseJson(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch (error) {
    throw new AppError('invalid_request', 'The body is not valid JSON.', { cause: error });
  }
}

interface Visit {
  value: unknown;
  path: string[];
}

/** Walks with a list of its own: recursion would overflow the stack on the very bodies that this is for. */
function refuseTree(root: unknown): void {
  const open: Visit[] = [{ value: root, path: [] }];
  for (let visit = open.pop(); visit !== undefined; visit = open.pop()) {
    if (visit.path.length > MAX_DEPTH) {
      throw new AppError('invalid_request', `The body is nested deeper than ${MAX_DEPTH} levels.`);
    }
    for (const child of childrenOf(visit)) open.push(child);
  }
}

/** What is inside a value whose own text can be stored. */
function childrenOf({ value, path }: Visit): Visit[] {
  const field = path.join('.') || 'body';
  if (typeof value === 'string') refuseText(value, field);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).map(([key, child]) => {
    refuseText(key, field);
    return { value: child, path: [...path, key] };
  });
}

function refuseText(text: string, field: string): void {
  if (!text.includes('\0') && text.isWellFormed()) return;
  const message = text.includes('\0') ? 'must not contain NUL characters' : 'is not well-formed Unicode';
  throw new AppError('validation_error', `${field} ${message}.`, { details: [{ field, message }] });
}
