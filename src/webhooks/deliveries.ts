import type { Sql } from '../core/database/connect.ts';
import { AppError } from '../core/errors.ts';
import { isUuid, newId } from '../core/id.ts';
import { scheduleLanes } from '../core/lanes.ts';
import type { ListWindow } from '../core/list-window.ts';
import {
  type AttemptRow,
  type DeliveryDetailView,
  type DeliveryRow,
  type DeliveryStatus,
  type Trigger,
  viewAttempt,
  viewDelivery,
} from './delivery-view.ts';
import type { EndpointRow } from './endpoint-view.ts';
import { endpointLane } from './fanout.ts';
import { type PayloadEvent, payloadOf } from './payload.ts';

/** Which deliveries of a log are asked for; what is undefined is not asked. */
export interface DeliveryFilter {
  status?: DeliveryStatus | undefined;
  event_type?: string | undefined;
  event_id?: string | undefined;
  conversation_id?: string | undefined;
  trigger?: Trigger | undefined;
  last_outcome?: string | undefined;
  last_status_code?: number | undefined;
}

interface LogQuery extends ListWindow {
  filter: DeliveryFilter;
  since?: string | undefined;
  until?: string | undefined;
}

/** One window of an endpoint's deliveries, newest first. */
export async function listDeliveries(
  sql: Sql,
  endpointId: string,
  { filter, since, until, after, fetch, offset }: LogQuery,
): Promise<DeliveryRow[]> {
  const [afterTime, afterId] = after ?? [];
  const wanted = Object.entries(filter).filter(([, value]) => value !== undefined);
  return sql<DeliveryRow[]>`
    select *, created_at::text as created_text from deliveries
    where endpoint_id = ${endpointId}
      ${wanted.length === 0 ? sql`` : wanted.map(([column, value]) => sql`and ${sql(column)} = ${value}`)}
      ${since === undefined ? sql`` : sql`and created_at >= ${new Date(since)}`}
      ${until === undefined ? sql`` : sql`and created_at < ${new Date(until)}`}
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
  return {
    ...viewDelivery(delivery),
    body: delivery.body,
    attempts: attempts.map((attempt) => viewAttempt(attempt, delivery.event_id)),
  };
}

/** How the erasure of a customer leaves a body: inside of a text the quotes would be escaped. */
export const ERASED = '"data": {"erased": true}';

/** Tries a delivery again now, whatever became of it, with the whole schedule before it and the same `webhook-id`. */
export async function retryDelivery(tx: Sql, endpoint: EndpointRow, id: string): Promise<DeliveryRow> {
  refuseInactive(endpoint);
  const before = await findDelivery(tx, endpoint.id, id);
  if (before.body.includes(ERASED))
    throw new AppError('conflict', 'What it told was erased with its customer.');
  const [row] = await tx<[DeliveryRow]>`
    update deliveries
    set status = 'pending', tries = 0, next_attempt_at = now(), delivered_at = null, trigger = 'retry'
    where id = ${id} and created_at = ${before.created_at} returning *`;
  await wakeEndpoint(tx, endpoint.id);
  return row;
}

/** Gives a delivery up that is still to be tried; what waits behind it in an order goes on. */
export async function skipDelivery(tx: Sql, endpoint: EndpointRow, id: string): Promise<DeliveryRow> {
  const before = await findDelivery(tx, endpoint.id, id);
  const [row = before] = await tx<DeliveryRow[]>`
    update deliveries set status = 'failed', next_attempt_at = null
    where id = ${id} and created_at = ${before.created_at} and status = 'pending' returning *`;
  await wakeEndpoint(tx, endpoint.id);
  return row;
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
    trigger: 'test' satisfies Trigger,
    body: payloadOf(event, { dialect: endpoint.dialect, wholeUrl: () => null }),
    next_attempt_at: event.occurred_at,
  };
  const [delivery] = await tx<[DeliveryRow]>`insert into deliveries ${tx(row)} returning *`;
  await wakeEndpoint(tx, endpoint.id);
  return delivery;
}

/** Who asks for a delivery by hand wants it now: a pause ends with it. */
export async function wakeEndpoint(tx: Sql, endpointId: string): Promise<void> {
  await tx`update webhook_endpoints set paused_until = null where id = ${endpointId} and paused_until is not null`;
  await scheduleLanes(tx, [endpointLane(endpointId)]);
}

/** Throws `conflict` for an endpoint that hears nothing. */
export function refuseInactive(endpoint: EndpointRow): void {
  if (!endpoint.is_active) throw new AppError('conflict', 'The endpoint is not active; switch it on first.');
}
