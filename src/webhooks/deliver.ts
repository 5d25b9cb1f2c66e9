import type { LaneKind } from '../core/lanes.ts';
import {
  type Beginning,
  type Begun,
  beginAttempts,
  cancelPending,
  closeCutAttempts,
  type DueDelivery,
  type DuePage,
  readDue,
  withAttempt,
} from './due.ts';
import { createGroup } from './group.ts';
import { applyVerdict, judge } from './health.ts';
import { createPaces } from './pace.ts';
import { post } from './request.ts';
import { type Ending, type Result, resultOf, writeResults } from './results.ts';
import {
  type Assignment,
  becomesDue,
  close,
  type DeliverOptions,
  fail,
  isDone,
  msUntilNext,
  notice,
  openRun,
  type Run,
  roomToBegin,
  wantsMore,
} from './run.ts';
import { signatureHeaders } from './sign.ts';
import { loadTarget } from './target.ts';

// A busy endpoint's next event comes within this, and finds the lane held.
const LINGER_MS = 300;
// A changed URL or a new secret reaches a busy lane within this.
const TARGET_FRESH_MS = 1_000;
const HEADERS = { 'content-type': 'application/json', 'user-agent': 'Tributary-Webhooks/1' };

/** Delivers an endpoint's events, several at a time, until nothing is due. */
export function createDeliverLane(options: DeliverOptions): LaneKind {
  const paceOf = createPaces();
  const begin = createGroup((beginnings: Beginning[]) => beginAttempts(options.pool, beginnings));
  const end = createGroup((endings: Ending[]) => writeResults(options.pool, endings));
  return {
    name: 'deliver',
    lingerMs: LINGER_MS,
    async work(endpointId, lease) {
      const [target, firstPage] = await Promise.all([
        loadTarget(options.pool, options.secrets, endpointId),
        readDue(options.pool, endpointId),
      ]);
      if (target !== undefined) {
        return workTarget(options, firstPage, { lease, target, pace: paceOf(target.endpoint), begin, end });
      }
      await cancelPending(options.pool, endpointId, lease);
      return null;
    },
  };
}

async function workTarget(
  options: DeliverOptions,
  firstPage: DuePage,
  assignment: Assignment,
): Promise<Date | null> {
  const run = openRun(options, assignment, store);
  followWakeUps(run);
  // Only a process that died leaves attempts open, and only before the lane came to us.
  await closeCutAttempts(run.pool, run.lease, firstPage.due);
  take(run, firstPage, firstPage.due);
  for (;;) {
    notice(run);
    if (wantsMore(run)) readMore(run);
    beginMore(run);
    sendBegun(run);
    if (isDone(run)) break;
    await run.bell.wait(msUntilNext(run));
  }
  const wasClosed = run.isClosed;
  run.isClosed = true;
  if (run.failure !== undefined) throw run.failure;
  // The endpoint was closed, or the lease is gone: the next work of the lane finds out which.
  return wasClosed ? new Date() : run.next;
}

/** Wake-ups while requests are under way: what arrived is begun at once, not after them. */
function followWakeUps(run: Run): void {
  void run.lease.woken().then(() => {
    run.mayHaveMore = true;
    run.bell.ring();
    if (!run.isClosed) followWakeUps(run);
  });
}

/** Reads on beside the requests that are under way. */
function readMore(run: Run): void {
  run.isReading = true;
  run.mayHaveMore = false;
  readPage(run)
    .catch((error) => fail(run, error))
    .finally(() => {
      run.isReading = false;
      run.bell.ring();
    });
}

async function readPage(run: Run): Promise<void> {
  // As it is now: what is stored while the page is read still shows as due in it.
  const inHand = new Set(run.inHand);
  const [page] = await Promise.all([
    readDue(run.pool, run.target.endpoint.id, run.readFrom),
    refreshTarget(run),
  ]);
  take(
    run,
    page,
    page.due.filter(({ id }) => !inHand.has(id)),
  );
}

function take(run: Run, { last, next }: DuePage, fresh: readonly DueDelivery[]): void {
  run.readFrom = last;
  if (last !== undefined) run.mayHaveMore = true;
  becomesDue(run, next);
  if (run.isClosed) return;
  for (const delivery of fresh) run.inHand.add(delivery.id);
  run.ready.push(...fresh);
}

async function refreshTarget(run: Run): Promise<void> {
  if (Date.now() - run.targetLoadedAt < TARGET_FRESH_MS) return;
  const target = await loadTarget(run.pool, run.secrets, run.target.endpoint.id);
  run.targetLoadedAt = Date.now();
  if (target === undefined) close(run);
  else run.target = target;
}

/** One statement writes the attempts of all that there is room for; then their requests may leave. */
function beginMore(run: Run): void {
  const now = new Date();
  const count = run.pace.take(roomToBegin(run), now.getTime());
  if (count === 0) return;
  const batch = run.ready.splice(0, count).map((delivery) => withAttempt(delivery, now));
  run.isBeginning = true;
  run
    .begin({ lease: run.lease, endpointId: run.target.endpoint.id, batch })
    .then(
      (mayLeave) => (mayLeave ? run.begun.push(...batch) : close(run)),
      (error) => fail(run, error),
    )
    .finally(() => {
      run.isBeginning = false;
      run.bell.ring();
    });
}

function sendBegun(run: Run): void {
  const room = run.concurrency - run.underWay;
  for (const begun of run.begun.splice(0, room)) deliver(run, begun);
}

function deliver(run: Run, begun: Begun): void {
  const { body, event_id } = begun.delivery;
  // Receivers refuse an old timestamp: it is that of this attempt, and so is the signature.
  const timestamp = Math.floor(Date.now() / 1_000);
  const headers = { ...HEADERS, ...signatureHeaders({ id: event_id, timestamp, body }, run.target.signers) };
  const limits = { timeoutMs: run.timeoutMs, signal: run.lease.signal };
  run.underWay += 1;
  post(run.egress.dispatcher, { url: run.target.url, headers, body }, limits).then(
    (answer) => {
      run.underWay -= 1;
      run.lastAnswerMs = answer.durationMs;
      run.results.add(resultOf(begun, answer, { now: new Date(), random: Math.random() }));
      run.bell.ring();
    },
    (error) => fail(run, error),
  );
}

async function store(run: Run, results: Result[]): Promise<void> {
  await run.end({ lease: run.lease, results });
  const { endpoint } = run.target;
  const verdict = judge(endpoint, results, new Date());
  if (verdict !== 'nothing') run.target.endpoint = await applyVerdict(run.transact, endpoint, verdict);
  for (const result of results) {
    run.inHand.delete(result.delivery.id);
    becomesDue(run, result.nextAttemptAt);
    report(run, result);
  }
}

function report(run: Run, { delivery, answer, status }: Result): void {
  const facts = {
    endpoint_id: run.target.endpoint.id,
    delivery_id: delivery.id,
    event_id: delivery.event_id,
    status,
    outcome: answer.outcome,
    status_code: answer.statusCode,
    duration_ms: answer.durationMs,
  };
  if (answer.outcome === 'delivered') run.log.debug(facts, 'delivered');
  else run.log.info(facts, 'delivery failed');
}
