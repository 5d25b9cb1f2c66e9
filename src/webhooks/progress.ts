import type { DueDelivery } from './due.ts';
import type { Run } from './run.ts';
import { isOrdered } from './target.ts';

/* What a work may do next, as it stands. */

// Requests under way at one endpoint that chose nothing else.
const CONCURRENCY = 10;
// So many deliveries are kept at hand that no request waits for the database.
const READ_AHEAD = 40;
// A receiver that answers this fast is not kept waiting for the next attempt to be written: those are written ahead.
const FAST_MS = 100;
const AHEAD = 2;
// Answers whose storing lags behind hold up new requests: what a crash would repeat stays bounded.
const MAX_UNSTORED = 200;
// What is changed by hand reaches a busy lane within this: a URL, a secret, a pace, a delivery that is given up.
const FRESH_MS = 1_000;
// A busy endpoint's next event comes within this, and finds its lane worked.
const LINGER_MS = 1_500;

/** How many requests may be under way; a single one to find out whether a broken endpoint came back. */
export function concurrencyOf({ target: { endpoint } }: Run): number {
  return endpoint.paused_until === null ? (endpoint.concurrency ?? CONCURRENCY) : 1;
}

/** Until when nothing may begin; undefined when something may. */
function pausedUntil({ target: { endpoint } }: Run): Date | undefined {
  const until = endpoint.paused_until;
  return until !== null && until.getTime() > Date.now() ? until : undefined;
}

/** Whether the next page should be read now. */
export function wantsMore(run: Run): boolean {
  return isOpen(run) && run.mayHaveMore && !run.isReading && run.ready.length < READ_AHEAD;
}

function isOpen(run: Run): boolean {
  return !run.isClosed && pausedUntil(run) === undefined;
}

/** How many attempts should be written now. */
export function roomToBegin(run: Run): number {
  if (run.isBeginning || run.holdsBack || !isOpen(run) || run.results.size >= MAX_UNSTORED) return 0;
  const concurrency = concurrencyOf(run);
  const wanted = isFast(run) ? (1 + AHEAD) * concurrency : concurrency;
  const room = Math.min(run.ready.length, wanted - run.underWay - run.begun.length);
  // Small batches of what is ahead would only make more statements.
  const isAhead = run.underWay + run.begun.length >= concurrency;
  return isAhead && room < concurrency / 2 && room < run.ready.length ? 0 : Math.max(0, room);
}

/** Whether the next attempts may be written before the requests under way have ended. */
function isFast({ lastAnswerMs, streak, target: { endpoint } }: Run): boolean {
  return lastAnswerMs < FAST_MS && streak.failures === 0 && endpoint.rate_limit === null;
}

/** Whether what was just committed may go ahead without being read: nothing older waits to be read, or is being. */
export function takesHanded(run: Run, deliveries: readonly DueDelivery[]): boolean {
  const isReadUp = !run.mayHaveMore && !run.isReading && run.ready.length < READ_AHEAD;
  const areNews = deliveries.every(({ event_seq }) => event_seq > run.newestRead);
  return isOpen(run) && isReadUp && areNews && isTargetFresh(run) && !isOrdered(run.target);
}

/** Whether the endpoint may be taken to be as it was read. */
export function isTargetFresh(run: Run): boolean {
  return isRecent(run.targetLoadedAt);
}

/** Whether these deliveries may be taken to be as they were read, and the endpoint too. */
export function isFresh(run: Run, deliveries: readonly DueDelivery[]): boolean {
  return isTargetFresh(run) && deliveries.every(({ id }) => isRecent(run.inHand.get(id) ?? 0));
}

function isRecent(timeMs: number): boolean {
  return Date.now() - timeMs < FRESH_MS;
}

/** Whether nothing is due, under way or unstored, and nothing has been for a while. */
export function isDone(run: Run): boolean {
  return isIdle(run) && (!isOpen(run) || goesAt(run) <= Date.now());
}

function goesAt({ activeAt, lingerMs = LINGER_MS }: Run): number {
  return activeAt + lingerMs;
}

function isIdle(run: Run): boolean {
  const isAtRest = run.underWay === 0 && run.begun.length === 0 && !run.isReading && !run.isBeginning;
  const isSettled = isAtRest && (run.results.size === 0 || run.failure !== undefined);
  return isSettled && (!isOpen(run) || (run.ready.length === 0 && !run.mayHaveMore));
}

/** When the lane has something to do again; a paused one looks then, whatever came meanwhile. */
export function dueAgain(run: Run): Date | null {
  // The endpoint was closed, or the lease is gone: the next work of the lane finds out which.
  return run.isClosed ? new Date() : (pausedUntil(run) ?? run.next);
}

/** How long nothing happens by itself; undefined when only a ring can go on. */
export function msUntilNext(run: Run): number | undefined {
  const now = Date.now();
  const waits = [];
  if (run.ready.length > 0 && !run.holdsBack && run.underWay < concurrencyOf(run))
    waits.push(run.pace.waitMs(now));
  if (run.next !== null) waits.push(run.next.getTime() - now);
  if (isIdle(run)) waits.push(goesAt(run) - now);
  return waits.length === 0 ? undefined : Math.max(1, Math.min(...waits));
}
