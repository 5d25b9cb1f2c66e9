import type { Sql } from './database/connect.ts';
import { documents } from './database/recordset.ts';
import { AppError } from './errors.ts';
import { type EventData, packEventData, unpackEventData } from './events/event-data.ts';
import { newId } from './id.ts';
import type { Secrets } from './secrets.ts';

export type { EventData } from './events/event-data.ts';

export const EVENT_TYPES = [
  'conversation.created',
  'conversation.updated',
  'conversation.assigned',
  'conversation.unassigned',
  'conversation.status_changed',
  'conversation.snoozed',
  'conversation.unsnoozed',
  'conversation.resolved',
  'conversation.closed',
  'conversation.reopened',
  'conversation.tags_changed',
  'conversation.handoff_requested',
  'conversation.merged',
  'message.received',
  'message.created',
  'message.sent',
  'message.delivered',
  'message.read',
  'message.failed',
  'message.updated',
  'message.deleted',
  'customer.created',
  'customer.updated',
  'customer.merged',
  'customer.deleted',
  'channel.error',
  'endpoint.failing',
  'endpoint.recovered',
  'endpoint.disabled',
  'delivery.failed',
  'agent.status_changed',
  'draft.created',
  'draft.updated',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

export interface NewEvent {
  type: EventType;
  businessId: string;
  conversationId?: string | null;
  customerId?: string | null;
  messageId?: string | null;
  data: EventData;
  /** The rule or event that led to it, so that automation can refuse to feed itself. */
  causedBy?: Record<string, unknown>;
  /** Lanes that have something to do because of it: `send:<conversation id>`, `fetch:<attachment id>`. */
  wakes?: string[];
}

export interface EventRow {
  seq: number;
  id: string;
  business_id: string;
  type: EventType;
  conversation_id: string | null;
  customer_id: string | null;
  message_id: string | null;
  data: EventData;
  caused_by: Record<string, unknown> | null;
  occurred_at: Date;
  created_at: Date;
}

/** A place in the order of events; the day lets the database skip older partitions (less one, for clocks that step back). */
export interface Position {
  seq: number;
  /** YYYY-MM-DD, UTC. */
  day: string;
}

/** Records that something happened, in the transaction that makes it so. */
export async function record(tx: Sql, events: NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  const identified = events.map((event) => ({ ...event, id: newId() }));
  await tx`
    insert into outbox (event_id, business_id, type, conversation_id, customer_id, message_id, data, caused_by, wakes)
    select event_id, business_id, type, conversation_id, customer_id, message_id, data, caused_by, wakes
    from (${eventColumns(tx, identified)}) recorded order by n`;
}

/** The events as a query, numbered by `n`. Columns rather than a recordset: the data is read as JSON once, not once a level. */
export function eventColumns(sql: Sql, events: (NewEvent & { id: string })[]) {
  const of = <T>(value: (event: NewEvent & { id: string }) => T): T[] => events.map(value);
  const data = of((it) => JSON.stringify(packEventData(it.data)));
  return sql`
    select event_id, business_id, type, conversation_id, customer_id, message_id, data::json, caused_by::jsonb,
      wakes::text[], n
    from rows from (
      unnest(
        ${of((it) => it.id)}::uuid[], ${of((it) => it.businessId)}::uuid[], ${of((it) => it.type)}::text[],
        ${of((it) => it.conversationId ?? null)}::uuid[], ${of((it) => it.customerId ?? null)}::uuid[],
        ${of((it) => it.messageId ?? null)}::uuid[],
        ${of((it) => (it.causedBy === undefined ? null : JSON.stringify(it.causedBy)))}::text[],
        ${of((it) => `{${(it.wakes ?? []).join(',')}}`)}::text[]),
      ${documents(sql, data)})
      with ordinality as r(event_id, business_id, type, conversation_id, customer_id, message_id, caused_by, wakes, data, n)`;
}

interface EventQuery {
  businessId?: string;
  businessIds?: string[];
  after: Position;
  types?: EventType[];
  limit: number;
}

/** The events after a position, in order. */
export async function readEvents(sql: Sql, query: EventQuery): Promise<EventRow[]> {
  const rows = await sql<EventRow[]>`${selectEvents(sql, query)}`;
  return rows.map(unpacked);
}

/** The query of `readEvents`, its data still packed. */
export function selectEvents(sql: Sql, { businessId, businessIds, after, types, limit }: EventQuery) {
  return sql`
    select seq, id, business_id, type, conversation_id, customer_id, message_id, data, caused_by, occurred_at, created_at
    from events e
    where ${isBehind(sql, after)}
      ${businessId === undefined ? sql`` : sql`and business_id = ${businessId}`}
      ${businessIds === undefined ? sql`` : sql`and business_id = any(${businessIds}::uuid[])`}
      ${types === undefined || types.length === 0 ? sql`` : sql`and type = any(${types})`}
    order by seq limit ${limit}`;
}

/** Whether the event `e` comes after a position; its day leaves out the partitions of those before. */
export function isBehind(sql: Sql, { seq, day }: Position) {
  return sql`e.seq > ${seq} and e.created_at >= ${day}::date - 1`;
}

/** A row of `selectEvents` with its data as it was recorded. */
export function unpacked(row: EventRow): EventRow {
  return { ...row, data: unpackEventData(row.data) };
}

/** The position behind the newest event: a reader that starts here hears only what happens from now on. */
export async function latestPosition(sql: Sql): Promise<Position> {
  const [row] = await sql<{ seq: number; created_at: Date }[]>`
    select seq, created_at from events order by seq desc limit 1`;
  return row === undefined ? START : positionOf(row);
}

/** The position before the oldest event that is kept. */
export async function oldestPosition(sql: Sql): Promise<Position> {
  const [row] = await sql<{ seq: number; created_at: Date }[]>`
    select seq, created_at from events order by seq limit 1`;
  return row === undefined ? START : { ...positionOf(row), seq: row.seq - 1 };
}

export const START: Position = { seq: 0, day: '1970-01-01' };

/** Where a reader stands that has read this event. */
export function positionOf(event: Pick<EventRow, 'seq' | 'created_at'>): Position {
  return { seq: event.seq, day: event.created_at.toISOString().slice(0, 10) };
}

/** The opaque text that readers keep. */
export function encodeCursor(position: Position, secrets: Secrets): string {
  return secrets.seal('cursor', `${position.seq}.${position.day}`);
}

/** The position of a cursor that we gave out; any other text is an `invalid_request` naming `after`. */
export function decodeCursor(text: string, secrets: Secrets): Position {
  const [seq, day] = secrets.open('cursor', text)?.split('.') ?? [];
  if (seq === undefined || day === undefined) {
    const message = 'is not a cursor given out by this server';
    throw new AppError('invalid_request', `after: ${message}`, { details: [{ field: 'after', message }] });
  }
  return { seq: Number(seq), day };
}
