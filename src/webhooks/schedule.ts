const SECOND_MS = 1_000;
const LONGEST_WAIT_MS = 24 * 3_600_000;

/** When tries are repeated, as the operator decided. */
export interface Schedule {
  /** The wait before each try after the first. */
  scheduleMs: readonly number[];
  /** How far each wait may be off, as a share of it. */
  jitter: number;
}

export interface RetryFacts {
  schedule: Schedule;
  now: Date;
  /** From 0 to 1, exclusive. */
  random: number;
  /** What the receiver asked for, in milliseconds. */
  retryAfterMs?: number | undefined;
}

/** When to try again after `tries` failed ones; null when the schedule is exhausted. */
export function nextAttemptAt(tries: number, facts: RetryFacts): Date | null {
  const { schedule, now, random, retryAfterMs = 0 } = facts;
  const scheduledMs = schedule.scheduleMs[tries - 1];
  if (scheduledMs === undefined) return null;
  const jitteredMs = scheduledMs * (1 - schedule.jitter + 2 * schedule.jitter * random);
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
