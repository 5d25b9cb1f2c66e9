import type { OpenAPIHono } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import type { z } from 'zod';
import { addressedBy, addressOf, declaredRoutes } from './declared-routes.ts';
import type { ApiEnv } from './deps.ts';
import { jsonContent } from './openapi.ts';

/** The JSON body that a route takes but does not need. */
export function optionalBody<Schema extends z.ZodType>(schema: Schema, example?: z.input<Schema>) {
  return { required: false, content: jsonContent(schema, example) } as const;
}

/** Takes an empty body for none where none is needed: many programs say with every POST that it is JSON. */
export function takeEmptyBodies(app: OpenAPIHono<ApiEnv>): MiddlewareHandler<ApiEnv> {
  let addresses: Set<string> | undefined;
  return async (c, next) => {
    addresses ??= new Set(declaredRoutes(app).filter(hasOptionalBody).map(addressOf));
    if (addresses.has(addressedBy(c)) && (await c.req.text()) === '')
      c.req.raw.headers.delete('content-type');
    await next();
  };
}

function hasOptionalBody({ request }: ReturnType<typeof declaredRoutes>[number]): boolean {
  return request?.body !== undefined && request.body.required !== true;
}
