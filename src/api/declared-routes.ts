import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { routePath } from 'hono/route';
import type { ApiEnv } from './deps.ts';

/** All routes as they are declared, for what is known of them before their handlers run. */
export function declaredRoutes(app: OpenAPIHono<ApiEnv>) {
  return app.openAPIRegistry.definitions.flatMap((one) => (one.type === 'route' ? [one.route] : []));
}

/** By what a declared route is known to `addressedBy`. */
export function addressOf({ method, path }: { method: string; path: string }): string {
  return `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`;
}

/** The method and pattern of the route that answers the request. */
export function addressedBy(c: Context<ApiEnv>): string {
  return `${c.req.method} ${routePath(c, -1)}`;
}
