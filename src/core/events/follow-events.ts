import type { Pool, Sql } from '../database/connect.ts';
import { type EventRow, isBehind, type Position, positionOf, selectEvents, unpacked } from '../events.ts';
import type { Log } from '../log.ts';
import { loop } from '../loop.ts';
import type { Wake } from '../wake.ts';
import type { EventFeed } from './event-feed.ts';

const POLL_MS = 1_000;
const BATCH = 500;

interface FollowOptions {
  sql: Pool;
  wake: Wake;
  from: Position;
  log: Log;
  /** Of events that this process places itself; without it all are read from the database. */
  feed?: EventFeed;
  /** Whose events are wanted, asked anew for every batch; without it everybody's. */
  businesses?: () => ReadonlySet<string>;
}

/** What a reader is handed: the events, and where it stands once it has taken them. */
export interface EventBatch {
  events: EventRow[];
  upTo: Position;
  businesses: ReadonlySet<string> | undefined;
}

/** Takes a batch; false when it could not, then it is read again. */
export type Publish = (batch: EventBatch) => boolean | Promise<boolean>;

/** Hands every event after a position to `publish`, in order, one batch at a time; a batch that throws is handed over again. */
export function followEvents(options: FollowOptions, publish: Publish) {
  let position = options.from;
  const fed = options.feed?.follow();
  const follower = loop({
    everyMs: POLL_MS,
    async turn() {
      const businesses = options.businesses?.();
      const next = fed?.take(position, BATCH) ?? [];
      const batch =
        next.length > 0 ? batchOf(next, businesses) : await readBatch(options.sql, position, businesses);
      if (batch === undefined) return false;
      if (!(await publish(batch))) return true;
      position = batch.upTo;
      return Math.max(next.length, batch.events.length) === BATCH;
    },
    onError: (error) => options.log.error({ err: error }, 'following events failed'),
  });
  const unsubscribe = options.wake.on('events', follower.wake);
  return {
    async stop() {
      unsubscribe();
      fed?.stop();
      await follower.stop();
    },
  };
}

/** What was handed over rather than read, as `readBatch` would have. */
function batchOf(events: EventRow[], businesses: ReadonlySet<string> | undefined): EventBatch {
  const last = events.at(-1) as EventRow;
  return {
    events: events.filter((event) => businesses?.has(event.business_id) ?? true),
    upTo: positionOf(last),
    businesses,
  };
}

/** Undefined when nothing has happened. Of a batch that is not full the end is the newest event, whoever's that is. */
async function readBatch(
  sql: Sql,
  after: Position,
  businesses: ReadonlySet<string> | undefined,
): Promise<EventBatch | undefined> {
  const newest = sql`
    select seq, created_at from events e where ${isBehind(sql, after)} order by seq desc limit 1`;
  if (businesses?.size === 0) {
    const [row] = await sql<{ seq: number; created_at: Date }[]>`${newest}`;
    return row && { events: [], upTo: positionOf(row), businesses };
  }
  const wanted = businesses === undefined ? {} : { businessIds: [...businesses] };
  const rows = await sql<(EventRow & { newest_seq: number; newest_at: Date })[]>`
    select newest.seq as newest_seq, newest.created_at as newest_at, e.*
    from (${newest}) newest left join (${selectEvents(sql, { after, limit: BATCH, ...wanted })}) e on true
    order by e.seq`;
  const [first] = rows;
  if (first === undefined) return undefined;
  const found = rows.filter((row) => row.seq !== null);
  const events = found.map(({ newest_seq, newest_at, ...event }) => unpacked(event));
  const last = events.at(-1);
  const atEnd = positionOf({ seq: first.newest_seq, created_at: first.newest_at });
  return {
    events,
    upTo: last !== undefined && events.length === BATCH ? positionOf(last) : atEnd,
    businesses,
  };
}
