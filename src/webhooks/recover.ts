import type postgres from 'postgres';
import type { Sql } from '../core/database/connect.ts';
import { type EventRow, type Position, positionOf, readEvents } from '../core/events.ts';
import { ERASED, refuseInactive, wakeEndpoint } from './deliveries.ts';
import type { EndpointRow } from './endpoint-view.ts';
import { type FanOutOptions, hears, insertDeliveries } from './fanout.ts';

// What one call brings back; who needs more calls again.
const MOST = 10_000;
const CHUNK = 500;
export const USUAL_PER_SECOND = 100;

/** What is to come back, and how fast: beside it, what happens now is delivered as ever. */
export interface Recovery {
  since: Date;
  until: Date;
  perSecond: number;
}

export interface Recovered {
  count: number;
  hasMore: boolean;
}

/**
 * Tries again what failed or was canceled in a time, the oldest first, so many a second. The caller holds the endpoint's row,
 * so that two calls bring nothing twice.
 */
export async function recoverDeliveries(
  tx: Sql,
  endpoint: EndpointRow,
  recovery: Recovery,
): Promise<Recovered> {
  refuseInactive(endpoint);
  const which = tx`status in ('failed', 'canceled') and created_at >= ${recovery.since}`;
  const recovered = await revive(tx, endpoint, { ...recovery, which });
  await wakeEndpoint(tx, endpoint.id);
  return recovered;
}

interface Revival extends Recovery {
  which: postgres.Fragment;
}

async function revive(
  tx: Sql,
  endpoint: EndpointRow,
  { which, until, perSecond }: Revival,
): Promise<Recovered> {
  const { count } = await tx`
    update deliveries d
    set status = 'pending', tries = 0, trigger = 'recover', next_attempt_at = now() + (c.n - 1) * ${1 / perSecond}::float8 * interval '1 second'
    from (
      select id, created_at, row_number() over (order by created_at, id) as n from deliveries
      where endpoint_id = ${endpoint.id} and ${which}
        and created_at < ${until} and position(${ERASED} in body) = 0
      order by created_at, id limit ${MOST}) c
    where d.id = c.id and d.created_at = c.created_at`;
  return { count, hasMore: count === MOST };
}

/**
 * Delivers what the endpoint never got: events that happened while it was off, or before it was there, and what was canceled
 * when it was switched off. The caller holds the endpoint's row here too.
 */
export async function replayMissed(
  tx: Sql,
  endpoint: EndpointRow,
  { options, ...recovery }: Recovery & { options: FanOutOptions },
): Promise<Recovered> {
  refuseInactive(endpoint);
  const which = canceledSince(tx, endpoint, recovery);
  const canceled = await revive(tx, endpoint, { ...recovery, which });
  const missed = await insertMissed(tx, endpoint, { ...recovery, options, done: canceled.count });
  const hasMore = canceled.hasMore || missed.hasMore;
  if (!hasMore) await tx`update webhook_endpoints set missed_since = null where id = ${endpoint.id}`;
  await wakeEndpoint(tx, endpoint.id);
  return { count: canceled.count + missed.count, hasMore };
}

/**
 * What waited when the endpoint was switched off is older than what it missed from then on; what an earlier time off canceled
 * stays so.
 */
function canceledSince(tx: Sql, { missed_since }: EndpointRow, { since }: Recovery) {
  const at =
    since.getTime() === missed_since?.getTime() ? tx`coalesce(canceled_at, ${since})` : tx`created_at`;
  return tx`status = 'canceled' and ${at} >= ${since}`;
}

interface Insertion extends Recovery {
  options: FanOutOptions;
  /** How many were brought back before. */
  done: number;
}

async function insertMissed(tx: Sql, endpoint: EndpointRow, insertion: Insertion): Promise<Recovered> {
  const { since, until, perSecond, options, done } = insertion;
  const begunAt = Date.now();
  let count = 0;
  let after = await positionBefore(tx, endpoint.business_id, since);
  while (after !== undefined && done + count < MOST) {
    const events = await readEvents(tx, { businessId: endpoint.business_id, after, limit: CHUNK });
    const heard = events.filter((event) => event.created_at < until && hears(endpoint, event));
    const missed = (await undelivered(tx, endpoint.id, heard)).slice(0, MOST - done - count);
    const pairs = missed.map((event, index) => ({
      event,
      subscriber: endpoint,
      replayAt: new Date(begunAt + ((done + count + index) * 1_000) / perSecond),
    }));
    if (pairs.length > 0) await insertDeliveries(tx, pairs, options);
    count += pairs.length;
    const last = events.at(-1);
    after =
      events.length < CHUNK || last === undefined || last.created_at >= until ? undefined : positionOf(last);
  }
  return { count, hasMore: after !== undefined };
}

/** Where to read from to find what happened since a time; undefined when nothing did. */
async function positionBefore(tx: Sql, businessId: string, since: Date): Promise<Position | undefined> {
  const [first] = await tx<Pick<EventRow, 'seq' | 'created_at'>[]>`
    select seq, created_at from events where business_id = ${businessId} and created_at >= ${since}
    order by seq limit 1`;
  return first === undefined ? undefined : { ...positionOf(first), seq: first.seq - 1 };
}

/** A delivery is as old as its event: the endpoint's of that time are looked at, and no others. */
async function undelivered(tx: Sql, endpointId: string, events: EventRow[]): Promise<EventRow[]> {
  const [first, last] = [events.at(0), events.at(-1)];
  if (first === undefined || last === undefined) return [];
  const rows = await tx<{ event_id: string }[]>`
    select event_id from deliveries
    where endpoint_id = ${endpointId} and created_at between ${first.created_at} and ${last.created_at}`;
  const delivered = new Set(rows.map((row) => row.event_id));
  return events.filter((event) => !delivered.has(event.id));
}
