/** What one socket, visitor or address may do, so that none can starve the others. */
export interface RealtimeLimits {
  /** Events a socket may send at once, and then each second. */
  burst: number;
  perSecond: number;
  /** A socket that goes on after this many refusals in a row is closed. */
  maxRefusals: number;
  /** Messages of one visitor a minute, over all its sockets and every process. */
  messagesPerMinute: number;
  socketsPerIp: number;
  sessionsPerIpAndMinute: number;
  /** Frames that may wait for one socket while it catches up. */
  maxWaiting: number;
  maxPacketBytes: number;
}

export const DEFAULT_LIMITS: RealtimeLimits = {
  burst: 200,
  perSecond: 50,
  maxRefusals: 2_000,
  messagesPerMinute: 600,
  socketsPerIp: 500,
  sessionsPerIpAndMinute: 300,
  maxWaiting: 20_000,
  maxPacketBytes: 256 * 1024,
};

/** A bucket of tokens that fills up again with time. */
export function createBucket(capacity: number, perSecond: number): { take(now: number): boolean } {
  let tokens = capacity;
  let filledAt = Number.NEGATIVE_INFINITY;
  return {
    take(now) {
      const elapsedSeconds = (now - filledAt) / 1000;
      tokens = Math.min(capacity, tokens + elapsedSeconds * perSecond);
      filledAt = now;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
