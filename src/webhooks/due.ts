import type postgres from 'postgres';
import type { Pool } from '../core/database/connect.ts';
import { type Lease, leaseHeld } from '../core/lanes.ts';

/** A delivery whose time has come. */
export interface DueDelivery {
  id: string;
  created_at: Date;
  business_id: string;
  customer_id: string | null;
  event_id: string;
  event_seq: number;
  event_type: string;
  trigger: string;
  body: string;
  /** Tries of the schedule under way, and attempts ever made. */
  tries: number;
  attempt: number;
}

/** A place in the order in which deliveries are due. */
export interface DuePosition {
  /** As Postgres writes it: a Date would cut it, and so would the driver if it knew that it is a time. */
  next_text: string;
  event_seq: number;
  order_key: string | null;
}

export interface DuePage {
  due: DueDelivery[];
  /** When the first of the others is due. */
  next: Date | null;
  /** Where to read on; undefined when the page holds all that is due now. */
  last: DuePosition | undefined;
}

const PAGE = 100;
const START: DuePosition = { next_text: '-infinity', event_seq: 0, order_key: null };
const CLOCK_SKEW_MS = 3_600_000;

type DueRow = DueDelivery & DuePosition & { later_at: Date | null };

interface DueOptions {
  from?: DuePosition | undefined;
  /** Deliveries of one order key go one after the other: only the first of each is due. */
  isOrdered: boolean;
}

/**
 * What is due at an endpoint from a position on, the longest due first. It may name again what is already in hand:
 * leaving that out here would cost the planner more than all the rest, since it weighs every id for every day.
 */
export async function readDue(
  pool: Pool,
  endpointId: string,
  { from = START, isOrdered }: DueOptions,
): Promise<DuePage> {
  // Days that are still to come are left out when planning.
  const pending = pool`
    endpoint_id = ${endpointId} and status = 'pending' and created_at < ${soon()}`;
  const columns = pool`
    id, created_at, business_id, customer_id, event_id, event_type, trigger, body, tries, attempt, event_seq, order_key`;
  const rows = await pool<DueRow[]>`
    (select ${columns}, next_attempt_at::text as next_text, null::timestamptz as later_at
      from deliveries
      where ${pending} and next_attempt_at <= now() ${isOrdered ? pool`and order_key is null` : pool``}
        and (next_attempt_at, event_seq) >= (${from.next_text}::text::timestamptz, ${from.event_seq}::bigint)
      order by next_attempt_at, event_seq limit ${PAGE})
    ${isOrdered ? pool`union all (${firstOfEachKey(pool, { columns, pending, after: from.order_key })})` : pool``}
    union all
    (select id, created_at, business_id, customer_id, event_id, event_type, trigger, '', tries, attempt, event_seq,
        order_key, '', next_attempt_at
      from deliveries where ${pending} and next_attempt_at > now()
      order by next_attempt_at, event_seq limit 1)`;
  const due = rows.filter((row) => row.later_at === null);
  return { due, next: rows.at(-1)?.later_at ?? null, last: positionAfter(due, isOrdered) };
}

interface FirstOfEachKey {
  columns: postgres.Fragment;
  pending: postgres.Fragment;
  after: string | null;
}

/** Jumps from key to key through the index: however many wait behind the first of each, they are never looked at. */
function firstOfEachKey(pool: Pool, { columns, pending, after }: FirstOfEachKey) {
  const first = (beyond: postgres.Fragment) => pool`
    select ${columns}, next_attempt_at from deliveries
    where ${pending} and order_key is not null ${beyond} order by order_key, event_seq limit 1`;
  return pool`
    with recursive firsts as (
      (${first(after === null ? pool`` : pool`and order_key > ${after}::uuid`)})
      union all
      select n.* from firsts f cross join lateral (${first(pool`and order_key > f.order_key`)}) n
    )
    select ${columns}, next_attempt_at::text, null::timestamptz from firsts where next_attempt_at <= now() limit ${PAGE}`;
}

/** Each of the two goes on where its page ended, or begins anew. */
function positionAfter(due: readonly DueRow[], isOrdered: boolean): DuePosition | undefined {
  const free = isOrdered ? due.filter((row) => row.order_key === null) : due;
  const keyed = isOrdered ? due.filter((row) => row.order_key !== null) : [];
  if (free.length < PAGE && keyed.length < PAGE) return undefined;
  const { next_text, event_seq } = free[PAGE - 1] ?? START;
  return { next_text, event_seq, order_key: keyed[PAGE - 1]?.order_key ?? null };
}

/** Those of them that are still to be delivered, with what they say by now. */
export async function readAgain(pool: Pool, deliveries: readonly DueDelivery[]): Promise<DueDelivery[]> {
  const rows = await pool<Pick<DueDelivery, 'id' | 'trigger' | 'body' | 'tries'>[]>`
    select id, trigger, body, tries from deliveries
    where id = any(${deliveries.map(({ id }) => id)}::uuid[]) and status = 'pending'
      and created_at >= ${oldestOf(deliveries)} and created_at < ${soon()}`;
  const known = new Map(rows.map((row) => [row.id, row]));
  return deliveries.flatMap((delivery) => {
    const row = known.get(delivery.id);
    return row === undefined ? [] : { ...delivery, ...row };
  });
}

/** When the oldest of them was created: no day before it need be looked at. */
export function oldestOf(deliveries: readonly DueDelivery[]): Date {
  return new Date(Math.min(...deliveries.map(({ created_at }) => created_at.getTime())));
}

/** Later than anything that has happened, whatever the clocks say. */
export function soon(): Date {
  return new Date(Date.now() + CLOCK_SKEW_MS);
}

const CANCEL_BATCH = 1_000;

/** What was still to be delivered to an endpoint that hears no more. */
export async function cancelPending(pool: Pool, endpointId: string, lease: Lease): Promise<void> {
  for (;;) {
    const canceled = await pool`
      update deliveries set status = 'canceled', next_attempt_at = null,
        -- Never before the endpoint missed anything, whatever the clocks say.
        canceled_at = greatest(now(), (select missed_since from webhook_endpoints where id = ${endpointId}))
      where (created_at, id) in (
        select created_at, id from deliveries where endpoint_id = ${endpointId} and status = 'pending' limit ${CANCEL_BATCH})
        and ${leaseHeld(pool, lease)}`;
    if (canceled.count < CANCEL_BATCH) return;
  }
}
