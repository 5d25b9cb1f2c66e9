import { z } from 'zod';
import type { Sql } from '../core/database/connect.ts';
import { AppError } from '../core/errors.ts';
import { isUuid, newId } from '../core/id.ts';
import { scheduleLanes } from '../core/lanes.ts';
import { isoOrNull } from '../core/views/time.ts';
import type { EndpointRow, Window } from './endpoints.ts';
import { endpointLane } from './fanout.ts';
import { type PayloadEvent, payloadOf } from './payload.ts';

export const DELIVERY_STATUSES = ['pending', 'delivered', 'failed', 'canceled'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

export interface DeliveryRow {
  id: string;
  created_at: Date;
  /** As Postgres writes it: the key of a page, which a Date would cut. */
  created_text: string;
  endpoint_id: string;
  event_id: string;
  event_type: string;
  status: DeliveryStatus;
  tries: number;
  next_attempt_at: Date | null;
  last_outcome: string | null;
  last_status_code: number | null;
  delivered_at: Date | null;
  body: string;
}

interface AttemptRow {
  id: string;
  started_at: Date;
  finished_at: Date | null;
  outcome: string | null;
  status_code: number | null;
  message: string | null;
  response_excerpt: string | null;
  duration_ms: number | null;
}

export const deliveryView = z.object({
  id: z.string(),
  endpoint_id: z.string(),
  event_id: z.string(),
  event_type: z.string(),
  status: z.enum(DELIVERY_STATUSES),
  tries: z.number().int(),
  next_attempt_at: z.string().nullable(),
  last_outcome: z.string().nullable(),
  last_status_code: z.number().int().nullable(),
  created_at: z.string(),
  delivered_at: z.string().nullable(),
});
export type DeliveryView = z.infer<typeof deliveryView>;

const deliveryAttemptView = z.object({
  id: z.string(),
  number: z.number().int(),
  started_at: z.string(),
  finished_at: z.string().nullable(),
  duration_ms: z.number().int().nullable(),
  outcome: z.string().nullable(),
  status_code: z.number().int().nullable(),
  message: z.string().nullable(),
  response_excerpt: z.string().nullable(),
});

export const deliveryDetailView = deliveryView.extend({
  body: z.string(),
  attempts: z.array(deliveryAttemptView),
});
export type DeliveryDetailView = z.infer<typeof deliveryDetailView>;

/** One window of an endpoint's deliveries, newest first. */
export async function listDeliveries(
  sql: Sql,
  { endpointId, status }: { endpointId: string; status?: DeliveryStatus | undefined },
  { after, fetch, offset }: Window,
): Promise<DeliveryRow[]> {
  const [afterTime, afterId] = after ?? [];
  return sql<DeliveryRow[]>`
    select *, created_at::text as created_text from deliveries
    where endpoint_id = ${endpointId}
      ${status === undefined ? sql`` : sql`and status = ${status}`}
      ${afterTime === undefined || afterId === undefined ? sql`` : sql`and (created_at, id) < (${afterTime}::text::timestamptz, ${afterId}::uuid)`}
    order by created_at desc, id desc limit ${fetch} offset ${offset}`;
}

/** The endpoint's delivery. Throws `not_found` for any other id. */
export async function findDelivery(sql: Sql, endpointId: string, id: string): Promise<DeliveryRow> {
  const [row] = isUuid(id)
    ? await sql<DeliveryRow[]>`select * from deliveries where id = ${id} and endpoint_id = ${endpointId}`
    : [];
  if (row === undefined) throw new AppError('not_found', 'There is no such delivery.');
  return row;
}

/** The delivery with what was sent, and each try with what came back. */
export async function showDelivery(sql: Sql, delivery: DeliveryRow): Promise<DeliveryDetailView> {
  const attempts = await sql<AttemptRow[]>`
    select * from attempts
    where kind = 'delivery' and subject_id = ${delivery.id} and started_at >= ${delivery.created_at}
    order by started_at, id`;
  return { ...viewDelivery(delivery), body: delivery.body, attempts: attempts.map(viewAttempt) };
}

/** Tries a delivery again now, whatever became of it, with the whole schedule before it and the same `webhook-id`. */
export async function retryDelivery(tx: Sql, endpoint: EndpointRow, id: string): Promise<DeliveryRow> {
  refuseInactive(endpoint);
  const before = await findDelivery(tx, endpoint.id, id);
  const [row] = await tx<[DeliveryRow]>`
    update deliveries set status = 'pending', tries = 0, next_attempt_at = now(), delivered_at = null
    where id = ${id} and created_at >= ${before.created_at} returning *`;
  await scheduleLanes(tx, [endpointLane(endpoint.id)]);
  return row;
}

/** Tries again everything of a time that failed or was canceled; returns how many. */
export async function recoverDeliveries(
  tx: Sql,
  endpoint: EndpointRow,
  { since, until }: { since: Date; until: Date },
): Promise<number> {
  refuseInactive(endpoint);
  const { count } = await tx`
    update deliveries set status = 'pending', tries = 0, next_attempt_at = now()
    where endpoint_id = ${endpoint.id} and status in ('failed', 'canceled')
      and created_at >= ${since} and created_at < ${until}`;
  await scheduleLanes(tx, [endpointLane(endpoint.id)]);
  return count;
}

/** Sends the endpoint an `endpoint.test` event of its own, signed and logged like any other. */
export async function testEndpoint(tx: Sql, endpoint: EndpointRow): Promise<DeliveryRow> {
  refuseInactive(endpoint);
  const event: PayloadEvent = {
    id: newId(),
    business_id: endpoint.business_id,
    type: 'endpoint.test',
    occurred_at: new Date(),
    data: { endpoint: { id: endpoint.id, url: endpoint.url } },
  };
  const row = {
    id: newId(),
    created_at: event.occurred_at,
    business_id: endpoint.business_id,
    endpoint_id: endpoint.id,
    event_id: event.id,
    // It has no place in the order of events.
    event_seq: 0,
    event_type: event.type,
    body: payloadOf(event, endpoint.dialect),
    next_attempt_at: event.occurred_at,
  };
  const [delivery] = await tx<[DeliveryRow]>`insert into deliveries ${tx(row)} returning *`;
  await scheduleLanes(tx, [endpointLane(endpoint.id)]);
  return delivery;
}

function refuseInactive(endpoint: EndpointRow): void {
  if (!endpoint.is_active) throw new AppError('conflict', 'The endpoint is not active; switch it on first.');
}

/** The delivery as lists show it. */
export function viewDelivery(row: DeliveryRow): DeliveryView {
  return {
    id: row.id,
    endpoint_id: row.endpoint_id,
    event_id: row.event_id,
    event_type: row.event_type,
    status: row.status,
    tries: row.tries,
    next_attempt_at: isoOrNull(row.next_attempt_at),
    last_outcome: row.last_outcome,
    last_status_code: row.last_status_code,
    created_at: row.created_at.toISOString(),
    delivered_at: isoOrNull(row.delivered_at),
  };
}

/** Numbered by their order: a retry by hand starts the schedule anew, not the count. */
function viewAttempt(row: AttemptRow, index: number): z.infer<typeof deliveryAttemptView> {
  return {
    id: row.id,
    number: index + 1,
    started_at: row.started_at.toISOString(),
    finished_at: isoOrNull(row.finished_at),
    duration_ms: row.duration_ms,
    outcome: row.outcome,
    status_code: row.status_code,
    message: row.message,
    response_excerpt: row.response_excerpt,
  };
}
