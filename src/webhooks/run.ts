import { setImmediate as immediately, setTimeout as sleep } from 'node:timers/promises';
import type { WebhookPolicy } from '../core/config.ts';
import type { Pool } from '../core/database/connect.ts';
import type { Transact } from '../core/database/transact.ts';
import type { EgressGuard } from '../core/egress.ts';
import type { Lease } from '../core/lanes.ts';
import type { Log } from '../core/log.ts';
import type { Secrets } from '../core/secrets.ts';
import { createDoorbell, type Doorbell } from './doorbell.ts';
import type { Beginning, Begun, DueDelivery, DuePosition } from './due.ts';
import type { Submit } from './group.ts';
import type { HandOver } from './hand-over.ts';
import type { Pace } from './pace.ts';
import { type Batcher, createBatcher, type Ending, type Result } from './results.ts';
import { isOrdered, type Target } from './target.ts';

export interface DeliverOptions {
  pool: Pool;
  transact: Transact;
  secrets: Secrets;
  egress: EgressGuard;
  log: Log;
  policy: WebhookPolicy;
  handOver: Pick<HandOver, 'follow'>;
  /** How long a work stays when nothing is due, for what may come next. */
  lingerMs?: number;
  /** Called with every try that ended, for the metrics. */
  onAttempt?(outcome: string, durationMs: number): void;
}

// Requests under way at one endpoint that chose nothing else.
const CONCURRENCY = 10;
// So many deliveries are kept at hand that no request waits for the database.
const READ_AHEAD = 40;
// A receiver that answers this fast is not kept waiting for the next attempt to be written: those are written ahead.
const FAST_MS = 100;
const AHEAD = 2;
// Answers whose storing lags behind hold up new requests: what a crash would repeat stays bounded.
const MAX_UNSTORED = 200;
// Answers are stored together with those of the next moment: nobody waits for one, and many cost little more.
const GATHER_MS = 10;
// A changed URL or a new secret reaches a busy lane within this.
const TARGET_FRESH_MS = 1_000;
// A busy endpoint's next event comes within this, and finds its lane worked.
const LINGER_MS = 1_500;

/** How a work writes: together with the other lanes of the process. */
export interface Writers {
  begin: Submit<Beginning, boolean>;
  end: Submit<Ending, undefined>;
}

/** How many tries failed one after the other, kept between two works of a lane. */
export interface Streak {
  failures: number;
}

/** One work of a lane: what is at hand, under way and known of the endpoint. */
export interface Run extends DeliverOptions, Writers {
  lease: Lease;
  target: Target;
  targetLoadedAt: number;
  pace: Pace;
  streak: Streak;
  bell: Doorbell;
  results: Batcher<Result>;
  /** Deliveries that are read, under way, or whose results are not stored yet. */
  inHand: Set<string>;
  ready: DueDelivery[];
  /** Deliveries whose attempt is written, waiting for one of the requests under way to end. */
  begun: Begun[];
  underWay: number;
  isBeginning: boolean;
  /** How long the last answer took. */
  lastAnswerMs: number;
  isReading: boolean;
  /** Where reading goes on; undefined from the start. */
  readFrom: DuePosition | undefined;
  mayHaveMore: boolean;
  /** Whether the next page may hold what a process that died had begun, before the lane came to us. */
  mayHoldCut: boolean;
  /** When the earliest of the others is due. */
  next: Date | null;
  /** Nothing new is begun; what is under way is finished and stored. */
  isClosed: boolean;
  /** Nothing is begun until the last answers are judged. */
  holdsBack: boolean;
  /** When something last came in or went out. */
  activeAt: number;
  /** The newest event of which a delivery was read: what is handed over and newer was not. */
  newestRead: number;
  failure: unknown;
}

export interface Assignment extends Writers {
  lease: Lease;
  target: Target;
  pace: Pace;
  streak: Streak;
}

/** A fresh work, nothing read yet; `store` is called with results that are to be stored together. */
export function openRun(
  options: DeliverOptions,
  assignment: Assignment,
  store: (run: Run, results: Result[]) => Promise<void>,
): Run {
  const run: Run = {
    ...options,
    ...assignment,
    targetLoadedAt: Date.now(),
    bell: createDoorbell(),
    results: createBatcher<Result>({
      write: (results) => store(run, results),
      // In order, the next one waits for it.
      gather: () => (isOrdered(run.target) ? immediately() : sleep(GATHER_MS)),
      onWritten: () => run.bell.ring(),
      onFailure: (error) => fail(run, error),
    }),
    inHand: new Set(),
    ready: [],
    begun: [],
    underWay: 0,
    isBeginning: false,
    lastAnswerMs: Number.POSITIVE_INFINITY,
    isReading: false,
    readFrom: undefined,
    mayHaveMore: false,
    mayHoldCut: true,
    next: null,
    isClosed: false,
    holdsBack: false,
    activeAt: Date.now(),
    newestRead: 0,
    failure: undefined,
  };
  return run;
}

/** How many requests may be under way; a single one to find out whether a broken endpoint came back. */
export function concurrencyOf({ target: { endpoint } }: Run): number {
  return endpoint.paused_until === null ? (endpoint.concurrency ?? CONCURRENCY) : 1;
}

/** Until when nothing may begin; undefined when something may. */
function pausedUntil({ target: { endpoint } }: Run): Date | undefined {
  const until = endpoint.paused_until;
  return until !== null && until.getTime() > Date.now() ? until : undefined;
}

/** Notices what changed outside: the process drains, the lease is lost, a retry is due. */
export function notice(run: Run): void {
  if (run.lease.draining || run.lease.signal.aborted) close(run);
  if (run.next !== null && run.next.getTime() <= Date.now()) {
    run.next = null;
    run.mayHaveMore = true;
  }
}

/** Begins nothing more; what is under way is finished and stored. */
export function close(run: Run): void {
  run.isClosed = true;
  run.ready = [];
}

/** Ends the work with an error once what is under way is finished. */
export function fail(run: Run, error: unknown): void {
  run.failure ??= error;
  close(run);
  run.bell.ring();
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

/** Keeps what is to be delivered, once each. */
export function putInHand(run: Run, deliveries: readonly DueDelivery[]): void {
  if (run.isClosed) return;
  run.activeAt = Date.now();
  for (const delivery of deliveries) run.inHand.add(delivery.id);
  run.ready.push(...deliveries);
}

/** Whether the endpoint may be taken to be as it was read. */
export function isTargetFresh(run: Run): boolean {
  return Date.now() - run.targetLoadedAt < TARGET_FRESH_MS;
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

/** Notes the time at which a delivery is due again. */
export function becomesDue(run: Run, time: Date | null): void {
  if (time !== null && (run.next === null || time < run.next)) run.next = time;
}
