import type { Pool } from '../core/database/connect.ts';
import { recordset } from '../core/database/recordset.ts';
import { unhurried } from '../core/database/unhurried.ts';
import { newId } from '../core/id.ts';
import { type Lease, leaseHeld } from '../core/lanes.ts';
import { type DueDelivery, oldestOf, soon } from './due.ts';

/** A delivery with the attempt that is about to be made. */
export interface Begun {
  delivery: DueDelivery;
  attemptId: string;
  startedAt: Date;
}

/** What one lane is about to send. */
export interface Beginning {
  lease: Lease;
  endpointId: string;
  url: string;
  batch: readonly Begun[];
}

/**
 * Writes down that requests are about to leave; false for a lane that may not send any more. Does not wait for the disk:
 * should Postgres itself crash, the trace may be lost, but the delivery is still pending and goes out again.
 */
export async function beginAttempts(pool: Pool, beginnings: readonly Beginning[]): Promise<boolean[]> {
  const rows = beginnings.flatMap(({ lease, endpointId, url, batch }) =>
    batch.map(({ delivery, attemptId, startedAt }) => ({
      lane: lease.key,
      token: lease.token,
      endpoint_id: endpointId,
      id: attemptId,
      started_at: startedAt,
      business_id: delivery.business_id,
      subject_id: delivery.id,
      customer_id: delivery.customer_id,
      number: delivery.attempt + 1,
      url,
    })),
  );
  const inserted = await pool<{ id: string }[]>`
    insert into attempts (id, started_at, business_id, kind, subject_id, customer_id, number, url)
    select r.id, r.started_at, r.business_id, 'delivery', r.subject_id, r.customer_id, r.number, r.url
    from json_to_recordset(${recordset(pool, rows)}) as r(lane text, token uuid, endpoint_id uuid, id uuid,
      started_at timestamptz, business_id uuid, subject_id uuid, customer_id uuid, number integer, url text)
    join lanes l on l.key = r.lane and l.lease_token = r.token
    join webhook_endpoints e on e.id = r.endpoint_id and e.is_active and e.deleted_at is null
    where ${unhurried(pool)}
    returning id`;
  const ids = new Set(inserted.map(({ id }) => id));
  return beginnings.map(({ batch }) => batch.every(({ attemptId }) => ids.has(attemptId)));
}

/** A due delivery with the attempt to be made of it. Never started before it was created, whatever the clocks say. */
export function withAttempt(delivery: DueDelivery, now: Date): Begun {
  const startedAt = new Date(Math.max(now.getTime(), delivery.created_at.getTime()));
  return { delivery, attemptId: newId(), startedAt };
}

// An error or a crash frees its lane a second later at the soonest: what is younger was not tried before.
const UNTRIED_MS = 500;

/**
 * Attempts that a crash left open: nobody can know how they ended, so each counts as a try and its delivery goes on.
 * Resolves with whether there were any: what is due later was begun later.
 */
export async function closeCutAttempts(
  pool: Pool,
  lease: Lease,
  page: readonly DueDelivery[],
): Promise<boolean> {
  const suspects = page.filter(({ created_at }) => created_at.getTime() < Date.now() - UNTRIED_MS);
  if (suspects.length === 0) return false;
  const oldest = oldestOf(suspects);
  const cut = await pool<{ subject_id: string }[]>`
    update attempts set finished_at = now(), outcome = 'unknown', message = 'the process ended before an answer'
    where subject_id = any(${suspects.map(({ id }) => id)}::uuid[]) and kind = 'delivery' and outcome is null
      and started_at >= ${oldest} and started_at < ${soon()} and ${leaseHeld(pool, lease)}
    returning subject_id`;
  if (cut.length === 0) return false;
  const ids = new Set(cut.map((row) => row.subject_id));
  for (const delivery of suspects) {
    if (!ids.has(delivery.id)) continue;
    delivery.tries += 1;
    delivery.attempt += 1;
  }
  await pool`
    update deliveries set tries = tries + 1, attempt = attempt + 1, last_outcome = 'unknown'
    where id = any(${[...ids]}::uuid[]) and created_at >= ${oldest} and created_at < ${soon()}`;
  return true;
}
