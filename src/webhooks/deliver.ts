import type { LaneKind } from '../core/lanes.ts';
import { type Beginning, type Begun, beginAttempts, closeCutAttempts, withAttempt } from './attempts.ts';
import { heed, store } from './conclude.ts';
import { cancelPending, type DueDelivery, type DuePage, readAgain, readDue } from './due.ts';
import { createGroup } from './group.ts';
import { withoutHeaders } from './headers.ts';
import { createPaces } from './pace.ts';
import {
  concurrencyOf,
  dueAgain,
  isDone,
  isFresh,
  isTargetFresh,
  msUntilNext,
  roomToBegin,
  takesHanded,
  wantsMore,
} from './progress.ts';
import { post } from './request.ts';
import { type Ending, resultOf, writeResults } from './results.ts';
import {
  becomesDue,
  close,
  type DeliverOptions,
  fail,
  letGo,
  notice,
  openRun,
  putInHand,
  type Run,
  retarget,
  type Streak,
} from './run.ts';
import { signatureHeaders } from './sign.ts';
import { isOrdered, loadTarget, type Target } from './target.ts';

const HEADERS = { 'content-type': 'application/json', 'user-agent': 'Tributary-Webhooks/1' };

/** Delivers an endpoint's events, several at a time, until nothing is due. */
export function createDeliverLane(options: DeliverOptions): LaneKind {
  const { pool, secrets } = options;
  const paceOf = createPaces();
  const streaks = new Map<string, Streak>();
  const writers = {
    begin: createGroup((beginnings: Beginning[]) => beginAttempts(pool, beginnings)),
    end: createGroup((endings: Ending[]) => writeResults(pool, endings)),
  };
  return {
    name: 'deliver',
    async work(endpointId, lease) {
      // Heard from before the first look on: what it misses rings.
      const woken = lease.woken();
      const [target, page] = await Promise.all([
        loadTarget(pool, secrets, endpointId),
        readDue(pool, endpointId, { isOrdered: false }),
      ]);
      if (target === undefined) {
        await cancelPending(pool, endpointId, lease);
        return null;
      }
      const firstPage = isOrdered(target) ? await readDue(pool, endpointId, { isOrdered: true }) : page;
      const streak = streaks.get(endpointId) ?? { failures: 0 };
      const assignment = { lease, target, paceOf, streak, ...writers };
      try {
        return await workTarget(openRun(options, assignment, store), firstPage, woken);
      } finally {
        if (streak.failures === 0) streaks.delete(endpointId);
        else streaks.set(endpointId, streak);
      }
    },
  };
}

async function workTarget(run: Run, firstPage: DuePage, woken: Promise<void>): Promise<Date | null> {
  followWakeUps(run, woken);
  await take(run, firstPage, firstPage.due);
  const unfollow = run.handOver.follow(run.target.endpoint.id, (deliveries) => takeHanded(run, deliveries));
  for (;;) {
    notice(run);
    if (wantsMore(run)) readMore(run);
    beginMore(run);
    sendBegun(run);
    if (isDone(run)) break;
    await run.bell.wait(msUntilNext(run));
  }
  unfollow();
  letGo(run);
  const next = dueAgain(run);
  run.isClosed = true;
  if (run.failure !== undefined) throw run.failure;
  return next;
}

/** Wake-ups while requests are under way: what arrived is begun at once, not after them. */
function followWakeUps(run: Run, woken: Promise<void>): void {
  void woken.then(() => {
    run.mayHaveMore = true;
    run.bell.ring();
    if (!run.isClosed) followWakeUps(run, run.lease.woken());
  });
}

/** What was just committed, if it may go ahead. */
function takeHanded(run: Run, deliveries: readonly DueDelivery[]): boolean {
  if (!takesHanded(run, deliveries)) return false;
  putInHand(run, deliveries);
  run.bell.ring();
  return true;
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
  const inHand = new Set(run.inHand.keys());
  const [page] = await Promise.all([
    readDue(run.pool, run.target.endpoint.id, { from: run.readFrom, isOrdered: isOrdered(run.target) }),
    refreshTarget(run),
  ]);
  await take(
    run,
    page,
    page.due.filter(({ id }) => !inHand.has(id)),
  );
}

async function take(run: Run, { due, last, next }: DuePage, fresh: readonly DueDelivery[]): Promise<void> {
  if (run.mayHoldCut) run.mayHoldCut = await closeCutAttempts(run.pool, run.lease, fresh);
  run.readFrom = last;
  if (last !== undefined) run.mayHaveMore = true;
  becomesDue(run, next);
  run.newestRead = Math.max(run.newestRead, ...due.map(({ event_seq }) => event_seq));
  putInHand(run, fresh);
}

async function refreshTarget(run: Run): Promise<void> {
  if (isTargetFresh(run)) return;
  const target = await loadTarget(run.pool, run.secrets, run.target.endpoint.id);
  if (target === undefined) close(run);
  else retarget(run, target);
}

/** As many as there is room for. */
function beginMore(run: Run): void {
  const count = run.pace.take(roomToBegin(run), Date.now());
  if (count === 0) return;
  run.isBeginning = true;
  begin(run, run.ready.splice(0, count))
    .catch((error) => fail(run, error))
    .finally(() => {
      run.isBeginning = false;
      run.bell.ring();
    });
}

/** One statement writes the attempts; then their requests may leave. */
async function begin(run: Run, waited: DueDelivery[]): Promise<void> {
  const due = isFresh(run, waited) ? waited : await lookAgain(run, waited);
  if (due.length === 0 || run.isClosed) return;
  const { lease, target } = run;
  const now = new Date();
  const batch = due.map((delivery) => withAttempt(delivery, now));
  const mayLeave = await run.begin({
    lease,
    endpointId: target.endpoint.id,
    url: target.endpoint.url,
    batch,
  });
  if (mayLeave) run.begun.push(...batch);
  else close(run);
}

/** What waited for its turn may have been given up meanwhile, or its customer erased, and the endpoint may have changed. */
async function lookAgain(run: Run, waited: readonly DueDelivery[]): Promise<DueDelivery[]> {
  const [due] = await Promise.all([readAgain(run.pool, waited), refreshTarget(run)]);
  const ids = new Set(due.map(({ id }) => id));
  for (const { id } of waited) if (!ids.has(id)) run.inHand.delete(id);
  return due;
}

function sendBegun(run: Run): void {
  const room = concurrencyOf(run) - run.underWay;
  for (const begun of run.begun.splice(0, Math.max(0, room))) deliver(run, begun);
}

function deliver(run: Run, begun: Begun): void {
  const { policy, target, lease } = run;
  const { body } = begun.delivery;
  const limits = { timeoutMs: policy.timeoutMs, signal: lease.signal };
  run.underWay += 1;
  post(run.dispatcher, { url: target.url, headers: headersOf(begun, target), body }, limits).then(
    (whole) => {
      const answer = withoutHeaders(whole, target.headers);
      run.underWay -= 1;
      run.activeAt = Date.now();
      run.lastAnswerMs = answer.durationMs;
      run.onAttempt?.(answer.outcome, answer.durationMs);
      const result = resultOf(begun, answer, { schedule: policy, now: new Date(), random: Math.random() });
      heed(run, result);
      run.results.add(result);
      run.bell.ring();
    },
    (error) => fail(run, error),
  );
}

function headersOf({ delivery }: Begun, { headers, signers }: Target): Record<string, string> {
  const { event_id, body, attempt, trigger } = delivery;
  // Receivers refuse an old timestamp: it is that of this attempt, and so is the signature.
  const timestamp = Math.floor(Date.now() / 1_000);
  return {
    ...headers,
    ...HEADERS,
    'webhook-attempt': String(attempt + 1),
    'webhook-trigger': trigger,
    ...signatureHeaders({ id: event_id, timestamp, body }, signers),
  };
}
