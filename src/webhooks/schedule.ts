const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** The wait before each try, counted from the one before. */
export const SCHEDULE_MS: readonly number[] = [
  0,
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
];
const JITTER = 0.2;
const LONGEST_WAIT_MS = 24 * HOUR_MS;

export interface RetryFacts {
  now: Date;
  /** From 0 to 1, exclusive. */
  random: number;
  /** What the receiver asked for, in milliseconds. */
  retryAfterMs?: number | undefined;
}

/** When to try again after `tries` failed ones; null when the schedule is exhausted. */
export function nextAttemptAt(tries: number, { now, random, retryAfterMs = 0 }: RetryFacts): Date | null {
  const scheduledMs = SCHEDULE_MS[tries];
  if (scheduledMs === undefined) return null;
  const jitteredMs = scheduledMs * (1 - JITTER + 2 * JITTER * random);
  // Never earlier than the receiver asked, up to a day, and never earlier than planned because it asked for less.
  const askedMs = Math.min(retryAfterMs, LONGEST_WAIT_MS);
  const waitMs = Math.max(jitteredMs, askedMs);
  return new Date(now.getTime() + Math.round(waitMs));
}

const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** A Retry-After header in milliseconds from now; undefined when it is absent, malformed or in the past. */
export function parseRetryAfter(header: string | undefined, now: Date): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,12}$/.test(text)) return Number(text) * SECOND_MS;
  if (!HTTP_DATE.test(text)) return undefined;
  const waitMs = Date.parse(text) - now.getTime();
  return waitMs > 0 ? waitMs : undefined;
}
