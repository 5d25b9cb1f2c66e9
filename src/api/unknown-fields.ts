import type { OpenAPIHono } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { z } from 'zod';
import { AppError } from '../core/errors.ts';
import { addressedBy, addressOf, declaredRoutes } from './declared-routes.ts';
import type { ApiEnv } from './deps.ts';

type Known = Map<string, Set<string>>;

/**
 * Refuses by name a field that the route does not take: a misspelt one would do nothing, and nobody would hear of it.
 * What its address shows may come back with the rest, as programs send it that change one thing of what they read.
 */
export function refuseUnknownFields(app: OpenAPIHono<ApiEnv>): MiddlewareHandler<ApiEnv> {
  let known: Known | undefined;
  return async (c, next) => {
    known ??= knownFields(app);
    const fields = known.get(addressedBy(c));
    if (fields !== undefined) refuseOthers(fields, await c.req.json().catch(() => undefined));
    await next();
  };
}

function refuseOthers(fields: Set<string>, body: unknown): void {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return;
  const unknown = Object.keys(body).filter((field) => !fields.has(field));
  if (unknown.length === 0) return;
  const details = unknown.map((field) => ({ field, message: 'is not known here' }));
  throw new AppError('validation_error', 'Some fields are not known.', { details });
}

/** What each route that takes JSON takes, and all that its address shows, as they are declared; by method and pattern. */
function knownFields(app: OpenAPIHono<ApiEnv>): Known {
  const known: Known = new Map();
  for (const atPath of Map.groupBy(declaredRoutes(app), (route) => route.path).values()) {
    const shown = atPath.flatMap((route) => Object.entries(route.responses ?? {})).filter(isAnswer);
    for (const { method, path, request } of atPath) {
      const taken = schemaIn(request?.body);
      if (taken === undefined) continue;
      const schemas = [taken, ...shown.map(([, answer]) => schemaIn(answer))];
      known.set(addressOf({ method, path }), new Set(schemas.flatMap(fieldsOf)));
    }
  }
  return known;
}

function isAnswer([status]: [status: string, response: unknown]): boolean {
  return status.startsWith('2');
}

function schemaIn(part: object | undefined): unknown {
  const content = part !== undefined && 'content' in part ? (part.content as Content) : undefined;
  return content?.['application/json']?.schema;
}

type Content = Record<string, { schema: unknown } | undefined>;

function fieldsOf(schema: unknown): string[] {
  if (schema instanceof z.ZodObject) return Object.keys(schema.shape);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(fieldsOf);
  if (schema instanceof z.ZodPipe) return [schema.in, schema.out].flatMap(fieldsOf);
  return [];
}
