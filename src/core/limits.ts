import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { Log } from './log.ts';
import { connectRedis } from './redis.ts';

interface Limit {
  points: number;
  durationSeconds: number;
}

export interface Consumed {
  allowed: boolean;
  limit: number;
  remaining: number;
  resetAtMs: number;
}

export interface RateLimits {
  /** Takes one point of the key's in the limit of that name. Never throws: without Redis each process counts for itself. */
  consume(name: string, key: string, limit: Limit): Promise<Consumed>;
  close(): Promise<void>;
}

/** Fixed windows, counted in this process or, with Redis, by all processes together. */
export function createRateLimits(redis: { url: string } | undefined, log: Log): RateLimits {
  const client = redis && connectRedis(redis.url, { name: 'rate limits', patient: false, log });
  const limiters = new Map<string, RateLimiterMemory | RateLimiterRedis>();

  function limiter(name: string, { points, durationSeconds }: Limit): RateLimiterMemory | RateLimiterRedis {
    const keyPrefix = `tributary:limit:${name}:${points}:${durationSeconds}`;
    const known = limiters.get(keyPrefix);
    if (known !== undefined) return known;
    const options = { keyPrefix, points, duration: durationSeconds };
    const memory = new RateLimiterMemory(options);
    const opened =
      client === undefined
        ? memory
        : new RateLimiterRedis({
            ...options,
            storeClient: client,
            insuranceLimiter: memory,
            rejectIfRedisNotReady: true,
          });
    limiters.set(keyPrefix, opened);
    return opened;
  }

  return {
    async consume(name, key, limit) {
      const { allowed, state } = await take(limiter(name, limit), key);
      return {
        allowed,
        limit: limit.points,
        remaining: Math.max(state.remainingPoints, 0),
        resetAtMs: Date.now() + Math.max(state.msBeforeNext, 0),
      };
    },
    async close() {
      client?.disconnect();
    },
  };
}

async function take(limiter: RateLimiterMemory | RateLimiterRedis, key: string) {
  try {
    return { allowed: true, state: await limiter.consume(key) };
  } catch (refusal) {
    // The library throws the state of a key that has no points left.
    if (refusal instanceof RateLimiterRes) return { allowed: false, state: refusal };
    throw refusal;
  }
}
