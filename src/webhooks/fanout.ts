import type { Sql } from '../core/database/connect.ts';
import type { EventData, EventRow } from '../core/events.ts';
import { newId } from '../core/id.ts';
import { type Dialect, payloadOf } from './payload.ts';

interface Subscriber {
  id: string;
  business_id: string;
  events: string[];
  dialect: Dialect;
}

interface FanOutOptions {
  /** Puts addresses into an event's attachments, as long-lived as subscribers may need them. */
  mintUrls?(data: EventData): EventData;
}

/** Inserts a delivery for every active endpoint that hears an event, and returns the lanes to wake. */
export async function fanOut(tx: Sql, events: EventRow[], options: FanOutOptions = {}): Promise<string[]> {
  const subscribers = await listSubscribers(tx, events);
  const pairs = events.flatMap((event) =>
    (subscribers.get(event.business_id) ?? [])
      .filter((subscriber) => hears(subscriber, event))
      .map((subscriber) => ({ event, subscriber })),
  );
  if (pairs.length === 0) return [];
  await insertDeliveries(tx, pairs, options);
  return [...new Set(pairs.map(({ subscriber }) => endpointLane(subscriber.id)))];
}

/** The key of an endpoint's lane. */
export function endpointLane(endpointId: string): string {
  return `deliver:${endpointId}`;
}

async function listSubscribers(tx: Sql, events: EventRow[]): Promise<Map<string, Subscriber[]>> {
  const businessIds = [...new Set(events.map((event) => event.business_id))];
  const rows = await tx<Subscriber[]>`
    select id, business_id, events, dialect from webhook_endpoints
    where business_id = any(${businessIds}::uuid[]) and is_active and deleted_at is null`;
  return Map.groupBy(rows, (row) => row.business_id);
}

function hears(subscriber: Subscriber, event: EventRow): boolean {
  return subscriber.events.includes('*') || subscriber.events.includes(event.type);
}

interface Pair {
  event: EventRow;
  subscriber: Subscriber;
}

/** One statement for the batch; a body travels once per event and dialect, however many endpoints hear it. */
async function insertDeliveries(
  tx: Sql,
  pairs: Pair[],
  { mintUrls = unchanged }: FanOutOptions,
): Promise<void> {
  const bodies: string[] = [];
  const bodyNumbers = new Map<string, number>();
  const rows = pairs.map(({ event, subscriber }) => ({
    id: newId(),
    created_at: event.created_at,
    business_id: event.business_id,
    endpoint_id: subscriber.id,
    customer_id: event.customer_id,
    event_id: event.id,
    event_seq: event.seq,
    event_type: event.type,
    body_number: bodyNumber(event, subscriber.dialect),
  }));

  function bodyNumber(event: EventRow, dialect: Dialect): number {
    const key = `${event.id} ${dialect}`;
    const known = bodyNumbers.get(key);
    if (known !== undefined) return known;
    const number = bodies.push(payloadOf({ ...event, data: mintUrls(event.data) }, dialect));
    bodyNumbers.set(key, number);
    return number;
  }

  await tx`
    insert into deliveries (id, created_at, business_id, endpoint_id, customer_id, event_id, event_seq, event_type, body,
      next_attempt_at)
    select r.id, r.created_at, r.business_id, r.endpoint_id, r.customer_id, r.event_id, r.event_seq, r.event_type, b.body,
      now()
    from jsonb_to_recordset(${tx.json(rows as never)}) as r(id uuid, created_at timestamptz, business_id uuid,
      endpoint_id uuid, customer_id uuid, event_id uuid, event_seq bigint, event_type text, body_number bigint)
    join unnest(${bodies}::text[]) with ordinality as b(body, number) on b.number = r.body_number`;
}

function unchanged(data: EventData): EventData {
  return data;
}
