import type { Sql } from '../core/database/connect.ts';
import { documents, recordset } from '../core/database/recordset.ts';
import type { EventData, EventRow } from '../core/events.ts';
import { newId } from '../core/id.ts';
import { wakeLanes } from '../core/lanes.ts';
import type { DueDelivery } from './due.ts';
import { covers } from './endpoint-fields.ts';
import type { EndpointRow } from './endpoint-view.ts';
import { matches } from './filter.ts';
import type { HandOver } from './hand-over.ts';
import { type Dialect, payloadOf } from './payload.ts';

export type Subscriber = Pick<
  EndpointRow,
  'id' | 'business_id' | 'events' | 'filter' | 'dialect' | 'ordering'
>;

export interface FanOutOptions {
  /** Puts addresses into an event's attachments, as long-lived as subscribers may need them. */
  mintUrls?(data: EventData): EventData;
  /** Where the whole event can be read. */
  eventUrl?(event: EventRow): string;
  handOver?: Pick<HandOver, 'give'>;
}

/**
 * Inserts a delivery for every active endpoint that hears an event, and marks their lanes as due. What it resolves with
 * is for after the commit: it hands over the deliveries and returns the lanes that must be woken for theirs.
 */
export async function fanOut(
  tx: Sql,
  events: EventRow[],
  options: FanOutOptions = {},
): Promise<() => string[]> {
  const subscribers = await listSubscribers(tx, events);
  const pairs = events.flatMap((event) =>
    (subscribers.get(event.business_id) ?? [])
      .filter((subscriber) => hears(subscriber, event))
      .map((subscriber) => ({ event, subscriber })),
  );
  if (pairs.length === 0) return () => [];
  // A paused one looks again when its pause ends, whatever comes meanwhile.
  const awake = new Set(pairs.flatMap(({ subscriber: { id, is_paused } }) => (is_paused ? [] : id)));
  const [deliveries] = await Promise.all([
    insertDeliveries(tx, pairs, options),
    wakeLanes(tx, [...awake].map(endpointLane)),
  ]);
  const ofEndpoint = Map.groupBy(deliveries, ({ endpoint_id }) => endpoint_id);
  const isTaken = (id: string) => options.handOver?.give(id, ofEndpoint.get(id) ?? []) === true;
  return () => [...awake].filter((id) => !isTaken(id)).map(endpointLane);
}

/** The key of an endpoint's lane. */
export function endpointLane(endpointId: string): string {
  return `deliver:${endpointId}`;
}

async function listSubscribers(
  tx: Sql,
  events: EventRow[],
): Promise<Map<string, (Subscriber & { is_paused: boolean })[]>> {
  const businessIds = [...new Set(events.map((event) => event.business_id))];
  const rows = await tx<(Subscriber & { is_paused: boolean })[]>`
    select id, business_id, events, filter, dialect, ordering,
      paused_until is not null and paused_until > now() as is_paused
    from webhook_endpoints
    where business_id = any(${businessIds}::uuid[]) and is_active and deleted_at is null`;
  return Map.groupBy(rows, (row) => row.business_id);
}

/** Pure: whether an endpoint is to be told of an event. Of an erased customer's nothing is left that could be told. */
export function hears(subscriber: Pick<Subscriber, 'events' | 'filter'>, event: EventRow): boolean {
  if (event.data['erased'] === true) return false;
  return (
    subscriber.events.some((named) => covers(named, event.type)) && matches(subscriber.filter, event.data)
  );
}

/** What deliveries of one endpoint wait for each other by; null for those that wait for none. */
function orderKey({ ordering, id }: Subscriber, event: EventRow): string | null {
  if (ordering === 'endpoint') return id;
  return ordering === 'conversation' ? event.conversation_id : null;
}

export interface Pair {
  event: EventRow;
  subscriber: Subscriber;
  /** When an event of the past is delivered after all. */
  replayAt?: Date;
}

/** A delivery as it was inserted, nothing tried yet. */
export interface NewDelivery extends DueDelivery {
  endpoint_id: string;
}

/** One statement for the batch; a body travels once per event and dialect, however many endpoints hear it. */
export async function insertDeliveries(
  tx: Sql,
  pairs: Pair[],
  { mintUrls = unchanged, eventUrl }: FanOutOptions,
): Promise<NewDelivery[]> {
  const bodies: string[] = [];
  const bodyNumbers = new Map<string, number>();
  const rows = pairs.map(({ event, subscriber, replayAt }) => ({
    id: newId(),
    created_at: event.created_at,
    business_id: event.business_id,
    endpoint_id: subscriber.id,
    customer_id: event.customer_id,
    conversation_id: event.conversation_id,
    order_key: orderKey(subscriber, event),
    trigger: replayAt === undefined ? 'event' : 'replay',
    next_attempt_at: replayAt ?? null,
    event_id: event.id,
    event_seq: event.seq,
    event_type: event.type,
    body_number: bodyNumber(event, subscriber.dialect),
  }));

  function bodyNumber(event: EventRow, dialect: Dialect): number {
    const key = `${event.id} ${dialect}`;
    const known = bodyNumbers.get(key);
    if (known !== undefined) return known;
    const wholeUrl = () => eventUrl?.(event) ?? null;
    const number = bodies.push(payloadOf({ ...event, data: mintUrls(event.data) }, { dialect, wholeUrl }));
    bodyNumbers.set(key, number);
    return number;
  }

  await tx`
    insert into deliveries (id, created_at, business_id, endpoint_id, customer_id, conversation_id, order_key, trigger,
      event_id, event_seq, event_type, body, next_attempt_at)
    select r.id, r.created_at, r.business_id, r.endpoint_id, r.customer_id, r.conversation_id, r.order_key, r.trigger,
      r.event_id, r.event_seq, r.event_type, b.body, coalesce(r.next_attempt_at, now())
    from json_to_recordset(${recordset(tx, rows)}) as r(id uuid, created_at timestamptz, business_id uuid,
      endpoint_id uuid, customer_id uuid, conversation_id uuid, order_key uuid, trigger text, next_attempt_at timestamptz,
      event_id uuid, event_seq bigint, event_type text, body_number bigint)
    join ${documents(tx, bodies)} with ordinality as b(body, number) on b.number = r.body_number`;
  return rows.map((row) => ({ ...row, body: bodies[row.body_number - 1] ?? '', tries: 0, attempt: 0 }));
}

function unchanged(data: EventData): EventData {
  return data;
}
