import type { MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import { newId } from '../core/id.ts';
import type { Log } from '../core/log.ts';
import type { ApiEnv } from './deps.ts';
import type { Metrics } from './metrics.ts';
import { answerHeader, requestHeader } from './node-request.ts';

/** Gives each request its id, and logs and counts how it ended. The path's pattern is logged: a path may hold a token. */
export function observe(log: Log, metrics: Metrics): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const startedAt = performance.now();
    const asked = requestHeader(c, 'x-request-id') ?? '';
    const requestId = /^[\w.:-]{1,128}$/.test(asked) ? asked : newId();
    c.set('requestId', requestId);
    answerHeader(c, 'X-Request-Id', requestId);
    await next();
    const durationMs = Math.round(performance.now() - startedAt);
    const facts = { method: c.req.method, route: routePath(c, -1), status: c.res.status };
    metrics.countRequest(facts, durationMs);
    const business_id = (c.get('actor') as ApiEnv['Variables']['actor'] | undefined)?.businessId;
    log.info(
      { request_id: requestId, ...facts, duration_ms: durationMs, business_id, ip: c.get('clientIp') },
      'request',
    );
  };
}

const SAFE_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cache-Control': 'no-store',
};

/** What every answer carries; a route that wants another value sets it itself. */
export const safeHeaders: MiddlewareHandler<ApiEnv> = async (c, next) => {
  for (const [name, value] of Object.entries(SAFE_HEADERS)) answerHeader(c, name, value);
  await next();
};
