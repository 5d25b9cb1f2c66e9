import type { MiddlewareHandler } from 'hono';
import { AppError } from '../core/errors.ts';
import type { RateLimits } from '../core/limits.ts';
import type { ApiEnv } from './deps.ts';

const PER_KEY = { points: 1_000, durationSeconds: 60 };

/** Counts a request against its API key, before its body is read. Routes without a key are not counted. */
export function rateLimit(limits: RateLimits): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const actor = c.get('actor') as ApiEnv['Variables']['actor'] | undefined;
    if (actor === undefined) return next();
    const { allowed, limit, remaining, resetAtMs } = await limits.consume('api', actor.apiKeyId, PER_KEY);
    c.header('X-RateLimit-Limit', String(limit));
    c.header('X-RateLimit-Remaining', String(Math.max(0, remaining)));
    c.header('X-RateLimit-Reset', String(Math.ceil(resetAtMs / 1000)));
    if (!allowed) {
      const retryAfterSeconds = Math.max(1, Math.ceil((resetAtMs - Date.now()) / 1000));
      throw new AppError('rate_limited', 'Too many requests with this key.', { retryAfterSeconds });
    }
    return next();
  };
}
