import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, Sql } from './database/connect.ts';
import { unpackEventData } from './events/event-data.ts';
import type { EventRow } from './events.ts';
import { wakeLanes } from './lanes.ts';
import type { Log } from './log.ts';
import { type Loop, loop } from './loop.ts';
import type { Slots } from './slots.ts';
import type { Wake } from './wake.ts';

/**
 * Inserts the deliveries of events and marks their lanes; what it resolves with is called after the commit and names the
 * lanes that are to be woken. The dispatcher's only tie to webhooks.
 */
export type FanOut = (tx: Sql, events: EventRow[]) => Promise<() => string[]>;

interface DispatcherOptions {
  pool: Pool;
  wake: Wake;
  lanes: { wake(keys: readonly string[]): Promise<void> };
  fanOut: FanOut;
  /** Whose turn it is to place events, in this process. */
  turns: Slots;
  log: Log;
}

const POLL_MS = 1_000;
const BATCH = 500;
const BUSY_BATCH = 16;
const BUSY_PAUSE_MS = 10;
// Who places events holds the lock until its commit, a few milliseconds later, and wakes nobody here.
const LOCKED_PAUSE_MS = 5;
// A table that is filled and emptied keeps what was deleted in the way of every look at its beginning.
const EVENTS_BETWEEN_VACUUMS = 5_000;
// One dispatcher at a time in the whole database, whichever process it is: that is what makes the order of events one.
export const DISPATCH_LOCK = 7_321_001;

/** Moves the outbox into events, gives each its place in the one order, and wakes whoever has something to do. */
export function startDispatcher({ pool, wake, lanes, fanOut, turns, log }: DispatcherOptions): Loop {
  let movedSinceVacuum = 0;
  const dispatcher = loop({
    everyMs: POLL_MS,
    async turn() {
      const endTurn = await turns.take();
      const moved = await pool.begin((tx) => dispatchBatch(tx, fanOut)).finally(endTurn);
      if (moved === 'locked') return await sleep(LOCKED_PAUSE_MS, true);
      if (moved.count === 0) return false;
      movedSinceVacuum += moved.count;
      wake.notify('events');
      void lanes.wake(moved.lanes());
      if (movedSinceVacuum >= EVENTS_BETWEEN_VACUUMS) {
        await pool`vacuum outbox`;
        movedSinceVacuum = 0;
      }
      // Under load fewer and larger turns: each costs a commit, and what waits is a burst already.
      if (moved.count >= BUSY_BATCH && moved.count < BATCH) await sleep(BUSY_PAUSE_MS);
      return moved.count === BATCH;
    },
    onError: (error) => log.error({ err: error }, 'dispatching failed'),
  });
  const unsubscribe = wake.on('outbox', dispatcher.wake);
  return {
    wake: dispatcher.wake,
    async stop() {
      unsubscribe();
      await dispatcher.stop();
    },
  };
}

interface Moved {
  count: number;
  /** Called after the commit: the lanes that are to be woken. */
  lanes(): string[];
}

async function dispatchBatch(tx: Sql, fanOut: FanOut): Promise<Moved | 'locked'> {
  const { is_ours, count, wakes, heard } = await moveOutbox(tx);
  if (!is_ours) return 'locked';
  const fannedOut = heard === null ? undefined : await fanOut(tx, heard.map(revived));
  await wakeLanes(tx, wakes ?? []);
  return { count, lanes: () => [...(wakes ?? []), ...(fannedOut?.() ?? [])] };
}

interface MovedOutbox {
  /** False while somebody else gives events their place; then nothing was moved. */
  is_ours: boolean;
  count: number;
  wakes: string[] | null;
  /** Events of businesses that have an endpoint, as JSON: the others' are never read here. */
  heard: EventJson[] | null;
}

type EventJson = Omit<EventRow, 'created_at' | 'occurred_at'> & { created_at: string; occurred_at: string };

/** Asks for the lock only where something waits: a look at nothing gets in nobody's way. */
async function moveOutbox(tx: Sql): Promise<MovedOutbox> {
  const [moved] = await tx<[MovedOutbox]>`
    with lock as materialized (
      select case when exists (select from outbox) then pg_try_advisory_xact_lock(${DISPATCH_LOCK}) else true end as is_ours
    ), moved as (
      delete from outbox where id in (
        select id from outbox where (select is_ours from lock) order by id limit ${BATCH})
      returning *
    ), placed as (
      insert into events (id, business_id, type, conversation_id, customer_id, message_id, data, caused_by,
        occurred_at, created_at)
      select event_id, business_id, type, conversation_id, customer_id, message_id, data, caused_by,
        occurred_at, clock_timestamp()
      from moved order by moved.id
      returning *
    ), listening as (
      select distinct business_id from webhook_endpoints where is_active and deleted_at is null
    )
    select
      (select is_ours from lock) as is_ours,
      (select count(*) from placed) as count,
      (select array_agg(distinct lane) from moved, unnest(moved.wakes) as lane) as wakes,
      (select json_agg(p order by p.seq) from placed p where p.business_id in (select * from listening)) as heard`;
  return moved;
}

function revived(event: EventJson): EventRow {
  return {
    ...event,
    data: unpackEventData(event.data),
    occurred_at: new Date(event.occurred_at),
    created_at: new Date(event.created_at),
  };
}
