import type { Sql } from '../database/connect.ts';
import { DISPATCH_LOCK, type FanOut } from '../dispatch.ts';
import { type EventRow, eventColumns, type NewEvent } from '../events.ts';
import { newId } from '../id.ts';
import { wakeLanes } from '../lanes.ts';
import type { Wake } from '../wake.ts';
import type { EventFeed } from './event-feed.ts';

/** Tells of what was recorded, once it is committed. */
export type Announce = () => void;

/**
 * Records events as the last thing of a transaction: at once in their place in the one order where nothing waits
 * before them, else in the outbox, from where the dispatcher moves them.
 */
export type Place = (tx: Sql, events: NewEvent[]) => Promise<Announce>;

interface PlaceOptions {
  wake: Wake;
  wakeQueue(laneKeys: readonly string[]): Promise<void>;
  fanOut: FanOut;
  feed: EventFeed;
}

/** Saves the way through the outbox, where every event is written a second time by a transaction of its own. */
export function createPlace({ wake, wakeQueue, fanOut, feed }: PlaceOptions): Place {
  const toDispatcher = () => wake.notify('outbox');
  return async (tx, events) => {
    if (events.length === 0) return toDispatcher;
    const identified = events.map((event) => ({ ...event, id: newId() }));
    const placed = await insertEvents(tx, identified);
    if (placed.first_seq === null) return toDispatcher;
    const rows = identified.map((event, index) => toRow(event, index, placed));
    const heard = rows.filter((row) => placed.listening?.includes(row.business_id));
    const lanes = events.flatMap((event) => event.wakes ?? []);
    const fannedOut = heard.length === 0 ? undefined : await fanOut(tx, heard);
    await wakeLanes(tx, lanes);
    return () => {
      feed.give(rows);
      wake.notify('events');
      const toWake = [...lanes, ...(fannedOut?.() ?? [])];
      if (toWake.length > 0) void wakeQueue(toWake);
    };
  };
}

type IdentifiedEvent = NewEvent & { id: string };

interface Placed {
  /** Null where the events went into the outbox. The lock makes the numbers of one statement follow each other. */
  first_seq: number | null;
  created_at: Date;
  occurred_at: Date;
  /** Businesses that have an endpoint. */
  listening: string[] | null;
}

/**
 * The lock is held until the commit and nobody waits for it: who does not get it leaves its events to the dispatcher. Nor
 * is it asked for where events wait already: the dispatcher of another process would hardly ever find it free.
 */
async function insertEvents(tx: Sql, events: IdentifiedEvent[]): Promise<Placed> {
  const [placed] = await tx<[Placed]>`
    with gate as materialized (
      select case when (select id from outbox order by id limit 1) is null
        then pg_try_advisory_xact_lock(${DISPATCH_LOCK}) else false end as open, clock_timestamp() as at
    ), recorded as (
      ${eventColumns(tx, events)}
    ), placed as (
      insert into events (id, business_id, type, conversation_id, customer_id, message_id, data, caused_by,
        occurred_at, created_at)
      select event_id, business_id, type, conversation_id, customer_id, message_id, data, caused_by, now(), gate.at
      from recorded, gate where gate.open order by n
      returning seq
    ), waiting as (
      insert into outbox (event_id, business_id, type, conversation_id, customer_id, message_id, data, caused_by, wakes)
      select event_id, business_id, type, conversation_id, customer_id, message_id, data, caused_by, wakes
      from recorded, gate where not gate.open order by n
    )
    select (select min(seq) from placed) as first_seq, gate.at as created_at, now() as occurred_at,
      (select array_agg(distinct business_id) from webhook_endpoints
        where business_id in (select business_id from recorded) and is_active and deleted_at is null) as listening
    from gate`;
  return placed;
}

function toRow(event: IdentifiedEvent, index: number, placed: Placed): EventRow {
  return {
    seq: (placed.first_seq ?? 0) + index,
    id: event.id,
    business_id: event.businessId,
    type: event.type,
    conversation_id: event.conversationId ?? null,
    customer_id: event.customerId ?? null,
    message_id: event.messageId ?? null,
    data: event.data,
    caused_by: event.causedBy ?? null,
    occurred_at: placed.occurred_at,
    created_at: placed.created_at,
  };
}
