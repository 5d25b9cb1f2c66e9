import type { Pool } from '../core/database/connect.ts';
import { recordset } from '../core/database/recordset.ts';
import type { Lease } from '../core/lanes.ts';
import type { Begun } from './attempts.ts';
import { ERASED } from './deliveries.ts';
import type { Answer } from './request.ts';
import { nextAttemptAt, type RetryFacts } from './schedule.ts';

/** What a try leads to for its delivery. */
export interface Result extends Begun {
  answer: Answer;
  status: 'delivered' | 'pending' | 'failed';
  tries: number;
  finishedAt: Date;
  nextAttemptAt: Date | null;
}

const GONE = 410;
const HICCUP_MS = 1_000;

/** Pure: what an answer means for its delivery. */
export function resultOf(begun: Begun, answer: Answer, facts: Omit<RetryFacts, 'retryAfterMs'>): Result {
  const { now } = facts;
  const tries = begun.delivery.tries + 1;
  const ended = { ...begun, answer, finishedAt: now, tries };
  if (answer.outcome === 'delivered') return { ...ended, status: 'delivered', nextAttemptAt: null };
  if (answer.wasInterrupted) return { ...ended, status: 'pending', nextAttemptAt: now };
  if (answer.statusCode === GONE) return { ...ended, status: 'failed', nextAttemptAt: null };
  if (isHiccup(begun, answer)) return { ...ended, status: 'pending', tries: 0, nextAttemptAt: now };
  const next = nextAttemptAt(tries, { ...facts, retryAfterMs: answer.retryAfterMs });
  return { ...ended, status: next === null ? 'failed' : 'pending', nextAttemptAt: next };
}

/** A kept connection may have died unnoticed: the very first failure of that kind is repeated at once, and costs no try. */
function isHiccup({ delivery }: Begun, { outcome, durationMs }: Answer): boolean {
  return outcome === 'connect' && durationMs < HICCUP_MS && delivery.attempt === 0;
}

/** What ended in one lane. */
export interface Ending {
  lease: Lease;
  results: readonly Result[];
}

/**
 * Stores how attempts ended and what becomes of their deliveries; a lost lease stores nothing. Resolves with whether one of
 * each lane's was asked for again meanwhile.
 */
export async function writeResults(pool: Pool, endings: readonly Ending[]): Promise<boolean[]> {
  const rows = endings.flatMap(({ lease, results }) => results.map((result) => rowOf(result, lease)));
  // Constants for the planner: it looks at the days of this batch and no others.
  const created = rangeOf(rows.map((row) => row.created_at));
  const started = rangeOf(rows.map((row) => row.started_at));
  // Somebody gave it up, or asked for it again, while the try was under way: only a success is more than that.
  const isOverruled = pool`(r.status <> 'delivered'
    and (d.status <> 'pending' or d.trigger <> r.trigger or d.tries <> r.tries_before))`;
  const askedAgain = await pool<{ id: string }[]>`
    with r as (
      select r.* from json_to_recordset(${recordset(pool, rows)}) as r(lane text, token uuid, id uuid,
        created_at timestamptz, attempt_id uuid, started_at timestamptz, finished_at timestamptz, outcome text,
        status_code integer, message text, headers jsonb, excerpt text, duration_ms integer, status text, trigger text,
        tries_before integer, tries integer, attempt integer, next_attempt_at timestamptz)
      join lanes l on l.key = r.lane and l.lease_token = r.token
    ), moved as (
      update deliveries d
      set status = case when ${isOverruled} then d.status else r.status end,
        tries = case when ${isOverruled} then d.tries else r.tries end, attempt = r.attempt,
        next_attempt_at = case when ${isOverruled} then d.next_attempt_at else r.next_attempt_at end,
        last_outcome = r.outcome, last_status_code = r.status_code, last_duration_ms = r.duration_ms, delivered_at = case when r.status = 'delivered' then r.finished_at end
      from r where d.id = r.id and d.created_at = r.created_at and d.created_at between ${created.from} and ${created.to}
      returning d.id, d.status = 'pending' and (d.trigger <> r.trigger or d.tries <> r.tries) as is_asked_again,
        position(${ERASED} in d.body) > 0 as is_erased
    ), tried as (
      update attempts a
      set finished_at = r.finished_at, outcome = r.outcome, status_code = r.status_code, duration_ms = r.duration_ms,
        (message, response_headers, response_excerpt) = (
          select r.message, r.headers, r.excerpt where r.id not in (select id from moved where is_erased))
      from r where a.id = r.attempt_id and a.started_at = r.started_at
        and a.started_at between ${started.from} and ${started.to}
    )
    select id from moved where is_asked_again`;
  const ids = new Set(askedAgain.map(({ id }) => id));
  return endings.map(({ results }) => results.some(({ delivery }) => ids.has(delivery.id)));
}

function rowOf(result: Result, lease: Lease) {
  const { delivery, attemptId, startedAt, answer, status, tries, finishedAt, nextAttemptAt } = result;
  return {
    lane: lease.key,
    token: lease.token,
    id: delivery.id,
    created_at: delivery.created_at,
    attempt_id: attemptId,
    started_at: startedAt,
    finished_at: finishedAt,
    outcome: answer.outcome,
    status_code: answer.statusCode,
    message: answer.message,
    headers: answer.headers,
    excerpt: answer.excerpt,
    duration_ms: answer.durationMs,
    status,
    trigger: delivery.trigger,
    tries_before: delivery.tries,
    tries,
    attempt: delivery.attempt + 1,
    next_attempt_at: nextAttemptAt,
  };
}

function rangeOf(times: readonly Date[]): { from: Date; to: Date } {
  const values = times.map((time) => time.getTime());
  return { from: new Date(Math.min(...values)), to: new Date(Math.max(...values)) };
}
