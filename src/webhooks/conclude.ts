import { announceExhausted } from './exhausted.ts';
import { applyVerdict, isBroken, isFailure, judge, patienceAsked } from './health.ts';
import type { Result } from './results.ts';
import { becomesDue, close, type Run } from './run.ts';
import { isOrdered } from './target.ts';

/** Counts a result before it is stored: while it looks as if the endpoint were broken, nothing more begins. */
export function heed(run: Run, result: Result): void {
  if (isFailure(result)) run.streak.failures += 1;
  else if (result.status === 'delivered') run.streak.failures = 0;
  run.holdsBack = isBroken(run.streak.failures) || patienceAsked([result], result.finishedAt) !== null;
}

/** Stores results that came in together, and draws the conclusions. */
export async function store(run: Run, results: Result[]): Promise<void> {
  const isAskedAgain = await run.end({ lease: run.lease, results });
  await follow(run, results);
  for (const result of results) {
    run.inHand.delete(result.delivery.id);
    becomesDue(run, result.nextAttemptAt);
    report(run, result);
  }
  // What waited behind them in the order may go now.
  if (isAskedAgain || isOrdered(run.target)) run.mayHaveMore = true;
}

/** What the results mean for the endpoint as a whole. */
async function follow(run: Run, results: Result[]): Promise<void> {
  const { policy, streak, transact } = run;
  const { endpoint } = run.target;
  const verdict = judge(endpoint, results, { now: new Date(), streak: streak.failures, policy });
  if (verdict !== undefined)
    run.target.endpoint = await applyVerdict(transact, endpoint, { verdict, policy });
  run.holdsBack = false;
  if (!run.target.endpoint.is_active) close(run);
  const exhausted = results.find(({ status }) => status === 'failed');
  if (exhausted !== undefined) await announceExhausted(transact, endpoint, { ...exhausted, policy });
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
