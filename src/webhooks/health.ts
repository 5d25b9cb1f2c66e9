import type { WebhookPolicy } from '../core/config.ts';
import type { Transact } from '../core/database/transact.ts';
import { type EventType, record } from '../core/events.ts';
import { disablesAt, type EndpointRow, viewEndpoint } from './endpoint-view.ts';
import type { Result } from './results.ts';

// About 35 minutes of failures for one delivery: more than a hiccup.
const TELLING_TRIES = 4;
// So many failures one after the other, over this time, say the same where no single delivery was tried that often.
const TELLING_STREAK = 20;
const TELLING_AFTER_MS = 30 * 60_000;
// Said once more when this share of the time is left.
const REMINDER_SHARE = 0.2;
const BREAKING_STREAK = 10;
const SHORTEST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
const LONGEST_ASKED_MS = 3_600_000;
const GONE = 410;
const OVERLOADED: ReadonlySet<number | null> = new Set([429, 503]);

/** What a batch of results says about the endpoint: what to write on it, and what to tell the business. */
export interface Verdict {
  set: Partial<EndpointRow>;
  event?: EventType;
}

interface Circumstances {
  now: Date;
  /** How many tries failed one after the other, with these. */
  streak: number;
  policy: WebhookPolicy;
}

/** Pure: judges the endpoint by results that came in together; undefined when nothing changes. A single success clears it. */
export function judge(
  endpoint: EndpointRow,
  results: readonly Result[],
  circumstances: Circumstances,
): Verdict | undefined {
  const { now } = circumstances;
  const failures = results.filter(isFailure);
  if (failures.some(({ answer }) => answer.statusCode === GONE)) return switchedOff(endpoint, 'gone', now);
  const asked = patienceAsked(failures, now);
  if (results.some(({ status }) => status === 'delivered')) return recovered(endpoint, asked);
  return failures.length === 0 ? undefined : failing(endpoint, failures, { ...circumstances, asked });
}

/** Whether a result counts against the endpoint: that our own proxy fails does not. */
export function isFailure({ answer }: Result): boolean {
  return answer.outcome !== 'delivered' && answer.outcome !== 'proxy' && !answer.wasInterrupted;
}

/** Whether so many failures in a row say that a further one would say nothing new. */
export function isBroken(streak: number): boolean {
  return streak >= BREAKING_STREAK;
}

/** Until when a receiver that is overloaded asked to be left alone, with all deliveries. */
export function patienceAsked(failures: readonly Result[], now: Date): Date | null {
  const waits = failures
    .filter(({ answer }) => OVERLOADED.has(answer.statusCode))
    .map(({ answer }) => answer.retryAfterMs ?? 0);
  const waitMs = Math.min(Math.max(0, ...waits), LONGEST_ASKED_MS);
  return waitMs === 0 ? null : new Date(now.getTime() + waitMs);
}

function recovered(endpoint: EndpointRow, asked: Date | null): Verdict | undefined {
  if (endpoint.failing_since === null && endpoint.paused_until === null && asked === null) return undefined;
  return {
    set: { failing_since: null, failing_announced_at: null, paused_until: asked },
    ...(endpoint.failing_announced_at === null ? {} : { event: 'endpoint.recovered' }),
  };
}

function failing(
  endpoint: EndpointRow,
  failures: readonly Result[],
  { now, streak, policy, asked }: Circumstances & { asked: Date | null },
): Verdict | undefined {
  const since = endpoint.failing_since ?? now;
  const lastsMs = now.getTime() - since.getTime();
  const isTelling = tellsMore(failures, { streak, lastsMs });
  if (isTelling && lastsMs >= policy.disableAfterMs) return switchedOff(endpoint, 'failing', now);
  const isNews = isTelling && isToBeAnnounced(endpoint, { since, now, policy });
  const paused_until = asked ?? pauseOf(endpoint, { now, streak, lastsMs });
  if (!isNews && endpoint.failing_since !== null && paused_until === null) return undefined;
  return {
    set: { failing_since: since, paused_until, ...(isNews ? { failing_announced_at: now } : {}) },
    ...(isNews ? { event: 'endpoint.failing' } : {}),
  };
}

/** Whether it is more than a hiccup, or a single delivery after a quiet week. */
function tellsMore(failures: readonly Result[], { streak, lastsMs }: { streak: number; lastsMs: number }) {
  if (failures.some(({ delivery }) => delivery.tries + 1 >= TELLING_TRIES)) return true;
  return streak >= TELLING_STREAK && lastsMs >= TELLING_AFTER_MS;
}

function isToBeAnnounced(
  { failing_announced_at: announcedAt }: EndpointRow,
  { since, now, policy }: { since: Date; now: Date; policy: WebhookPolicy },
): boolean {
  if (announcedAt === null) return true;
  const end = disablesAt({ failing_since: since }, policy.disableAfterMs)?.getTime() ?? 0;
  const reminderAt = end - REMINDER_SHARE * policy.disableAfterMs;
  return announcedAt.getTime() < reminderAt && now.getTime() >= reminderAt;
}

/** The breaker: after many failures in a row nothing but a single try now and then, the rarer the longer it lasts. */
function pauseOf(
  endpoint: EndpointRow,
  { now, streak, lastsMs }: { now: Date; streak: number; lastsMs: number },
): Date | null {
  if (!isBroken(streak) && endpoint.paused_until === null) return null;
  const pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, lastsMs / 10));
  return new Date(now.getTime() + pauseMs);
}

function switchedOff(endpoint: EndpointRow, reason: string, now: Date): Verdict {
  return {
    set: {
      is_active: false,
      disabled_at: now,
      disabled_reason: reason,
      missed_since: endpoint.missed_since ?? now,
      paused_until: null,
      updated_at: now,
    },
    event: 'endpoint.disabled',
  };
}

/** Writes the verdict on the endpoint, with the event that it calls for, and returns the endpoint as it is now. */
export async function applyVerdict(
  transact: Transact,
  endpoint: EndpointRow,
  { verdict: { set, event }, policy }: { verdict: Verdict; policy: WebhookPolicy },
): Promise<EndpointRow> {
  return transact(async (tx) => {
    const [changed] = await tx<EndpointRow[]>`
      update webhook_endpoints set ${tx(set as never)}
      where id = ${endpoint.id} and is_active and deleted_at is null returning *`;
    if (changed !== undefined && event !== undefined)
      await record(tx, [
        {
          type: event,
          businessId: changed.business_id,
          data: { endpoint: viewEndpoint(changed, policy) },
        },
      ]);
    return changed ?? { ...endpoint, is_active: false };
  });
}
