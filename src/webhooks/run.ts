import { setImmediate as immediately, setTimeout as sleep } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import type { WebhookPolicy } from '../core/config.ts';
import type { Pool } from '../core/database/connect.ts';
import type { Transact } from '../core/database/transact.ts';
import type { EgressGuard } from '../core/egress.ts';
import type { Lease } from '../core/lanes.ts';
import type { Log } from '../core/log.ts';
import type { Secrets } from '../core/secrets.ts';
import type { Beginning, Begun } from './attempts.ts';
import { type Batcher, createBatcher } from './batcher.ts';
import { createDoorbell, type Doorbell } from './doorbell.ts';
import type { DueDelivery, DuePosition } from './due.ts';
import type { Submit } from './group.ts';
import type { HandOver } from './hand-over.ts';
import type { Pace } from './pace.ts';
import type { Ending, Result } from './results.ts';
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

// Answers are stored together with those of the next moment: nobody waits for one, and many cost little more.
const GATHER_MS = 10;

/** How a work writes: together with the other lanes of the process. */
export interface Writers {
  begin: Submit<Beginning, boolean>;
  /** True where one of them was asked for again meanwhile. */
  end: Submit<Ending, boolean>;
}

/** How many tries failed one after the other, kept between two works of a lane. */
export interface Streak {
  failures: number;
}

/** One work of a lane: what is at hand, under way and known of the endpoint. */
export interface Run extends DeliverOptions, Writers {
  lease: Lease;
  target: Target;
  dispatcher: Dispatcher;
  targetLoadedAt: number;
  paceOf: Assignment['paceOf'];
  pace: Pace;
  streak: Streak;
  bell: Doorbell;
  results: Batcher<Result>;
  /** When each was read of the deliveries that wait here, are under way, or whose results are not stored yet. */
  inHand: Map<string, number>;
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
  /** How fast deliveries to the endpoint may start, as it is now. */
  paceOf(endpoint: Target['endpoint']): Pace;
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
    dispatcher: dispatcherOf(options.egress, assignment.target),
    targetLoadedAt: Date.now(),
    pace: assignment.paceOf(assignment.target.endpoint),
    bell: createDoorbell(),
    results: createBatcher<Result>({
      write: (results) => store(run, results),
      // In order, the next one waits for it.
      gather: () => (isOrdered(run.target) ? immediately() : sleep(GATHER_MS)),
      onWritten: () => run.bell.ring(),
      onFailure: (error) => fail(run, error),
    }),
    inHand: new Map(),
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

/** What the endpoint is reached with: connections of its own where it is shown who we are. */
function dispatcherOf(egress: EgressGuard, { identity }: Target): Dispatcher {
  return identity === undefined ? egress.dispatcher : egress.dispatcherAs(identity);
}

/** Goes on with the endpoint as it is now. */
export function retarget(run: Run, target: Target): void {
  const before = run.target.identity;
  run.target = target;
  run.targetLoadedAt = Date.now();
  run.pace = run.paceOf(target.endpoint);
  if (before?.cert === target.identity?.cert && before?.key === target.identity?.key) return;
  letGo(run);
  run.dispatcher = dispatcherOf(run.egress, target);
}

/** Closes the connections that are nobody else's, each when its request has ended. */
export function letGo({ dispatcher, egress }: Run): void {
  if (dispatcher !== egress.dispatcher) dispatcher.close().catch(() => {});
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

/** Keeps what is to be delivered, once each. */
export function putInHand(run: Run, deliveries: readonly DueDelivery[]): void {
  if (run.isClosed) return;
  run.activeAt = Date.now();
  for (const delivery of deliveries) run.inHand.set(delivery.id, run.activeAt);
  run.ready.push(...deliveries);
}

/** Notes the time at which a delivery is due again. */
export function becomesDue(run: Run, time: Date | null): void {
  if (time !== null && (run.next === null || time < run.next)) run.next = time;
}
