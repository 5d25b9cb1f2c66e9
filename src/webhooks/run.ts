import type { Pool } from '../core/database/connect.ts';
import type { Transact } from '../core/database/transact.ts';
import type { EgressGuard } from '../core/egress.ts';
import type { Lease } from '../core/lanes.ts';
import type { Log } from '../core/log.ts';
import type { Secrets } from '../core/secrets.ts';
import { createDoorbell, type Doorbell } from './doorbell.ts';
import type { Beginning, Begun, DueDelivery, DuePosition } from './due.ts';
import type { Submit } from './group.ts';
import type { Pace } from './pace.ts';
import { type Batcher, createBatcher, type Ending, type Result } from './results.ts';
import type { Target } from './target.ts';

export interface DeliverOptions {
  pool: Pool;
  transact: Transact;
  secrets: Secrets;
  egress: EgressGuard;
  log: Log;
  /** Requests under way at one endpoint. */
  concurrency?: number;
  /** For one whole try, from connecting to the end of the answer. */
  timeoutMs?: number;
}

const CONCURRENCY = 10;
const TIMEOUT_MS = 15_000;
// So many deliveries are kept at hand that no request waits for the database.
const READ_AHEAD = 40;
// A receiver that answers this fast is not kept waiting for the next attempt to be written: those are written ahead.
const FAST_MS = 100;
const AHEAD = 2;
// Answers whose storing lags behind hold up new requests: what a crash would repeat stays bounded.
const MAX_UNSTORED = 200;

/** How a work writes: together with the other lanes of the process. */
export interface Writers {
  begin: Submit<Beginning, boolean>;
  end: Submit<Ending, undefined>;
}

/** One work of a lane: what is at hand, under way and known of the endpoint. */
export interface Run extends Required<DeliverOptions>, Writers {
  lease: Lease;
  target: Target;
  targetLoadedAt: number;
  pace: Pace;
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
  /** When the earliest of the others is due. */
  next: Date | null;
  /** Nothing new is begun; what is under way is finished and stored. */
  isClosed: boolean;
  failure: unknown;
}

export interface Assignment extends Writers {
  lease: Lease;
  target: Target;
  pace: Pace;
}

/** A fresh work, nothing read yet; `store` is called with results that are to be stored together. */
export function openRun(
  options: DeliverOptions,
  assignment: Assignment,
  store: (run: Run, results: Result[]) => Promise<void>,
): Run {
  const run: Run = {
    concurrency: CONCURRENCY,
    timeoutMs: TIMEOUT_MS,
    ...options,
    ...assignment,
    targetLoadedAt: Date.now(),
    bell: createDoorbell(),
    results: createBatcher<Result>({
      write: (results) => store(run, results),
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
    next: null,
    isClosed: false,
    failure: undefined,
  };
  return run;
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
  return run.mayHaveMore && !run.isReading && !run.isClosed && run.ready.length < READ_AHEAD;
}

/** How many attempts should be written now. */
export function roomToBegin(run: Run): number {
  if (run.isBeginning || run.ready.length === 0 || run.results.size >= MAX_UNSTORED) return 0;
  const isFast = run.lastAnswerMs < FAST_MS && run.target.endpoint.rate_limit === null;
  const wanted = isFast ? (1 + AHEAD) * run.concurrency : run.concurrency;
  const room = Math.min(run.ready.length, wanted - run.underWay - run.begun.length);
  // Small batches of what is ahead would only make more statements.
  const isAhead = run.underWay + run.begun.length >= run.concurrency;
  return isAhead && room < run.concurrency / 2 && room < run.ready.length ? 0 : Math.max(0, room);
}

/** Whether nothing is due, under way or unstored. */
export function isDone(run: Run): boolean {
  const isIdle = run.underWay === 0 && run.begun.length === 0 && !run.isReading && !run.isBeginning;
  const isSettled = isIdle && (run.results.size === 0 || run.failure !== undefined);
  return isSettled && (run.isClosed || (run.ready.length === 0 && !run.mayHaveMore));
}

/** How long nothing happens by itself; undefined when only a ring can go on. */
export function msUntilNext(run: Run): number | undefined {
  const now = Date.now();
  const waits = [];
  if (run.ready.length > 0 && run.underWay < run.concurrency) waits.push(run.pace.waitMs(now));
  if (run.next !== null) waits.push(run.next.getTime() - now);
  return waits.length === 0 ? undefined : Math.max(1, Math.min(...waits));
}

/** Notes the time at which a delivery is due again. */
export function becomesDue(run: Run, time: Date | null): void {
  if (time !== null && (run.next === null || time < run.next)) run.next = time;
}
