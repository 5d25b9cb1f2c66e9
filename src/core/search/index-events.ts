import type { Pool } from '../database/connect.ts';
import { startReader } from '../events/reader.ts';
import { type EventType, isBehind, latestPosition, type Position, positionOf, START } from '../events.ts';
import { NO_ID } from '../id.ts';
import type { Log } from '../log.ts';
import type { Wake } from '../wake.ts';
import { refreshDocuments, type Touched } from './documents.ts';
import { findsParts } from './search.ts';

// Another number has all that was written before read anew, as when texts are folded in another way.
const NAME = 'search-3';
// Small steps: what is written meanwhile waits for none of them.
const BATCH = 200;
const REST = 20;

/** Keeps what is searched up to date: a reader of events, which begins with what was there before it. */
export function startIndexing(options: { pool: Pool; wake: Wake; log: Log }): { stop(): Promise<void> } {
  const { pool, log } = options;
  void warnWithoutParts(pool, log);
  return startReader({ ...options, name: NAME, rest: REST }, async (after) => {
    const newest = await latestPosition(pool);
    if (after.day === START.day) {
      await indexEverything(pool);
      // A day of its own, so that it is known to be done where nothing has happened yet.
      return { upTo: positionOf({ seq: newest.seq, created_at: new Date() }), hasMore: true };
    }
    const changes = await readChanges(pool, after);
    await writeDocuments(pool, await touchedBy(pool, changes));
    const last = changes.at(-1);
    const isFull = changes.length === BATCH;
    const upTo = last !== undefined && (isFull || last.seq > newest.seq) ? positionOf(last) : newest;
    return { upTo, hasMore: isFull };
  });
}

async function warnWithoutParts(pool: Pool, log: Log): Promise<void> {
  // Each search asks anew; this is only for whoever runs it, and no matter while the database is away.
  const isThere = await findsParts(pool).catch(() => true);
  if (!isThere)
    log.warn('pg_trgm is missing: search finds whole words and their beginnings only (README, Searching)');
}

const TABLES = ['messages', 'conversations', 'customers'] as const;

/** What was written before there was an index; again from the beginning when it is interrupted. */
async function indexEverything(pool: Pool): Promise<void> {
  for (const table of TABLES) {
    let after = NO_ID;
    for (;;) {
      const rows = await pool<{ id: string }[]>`
        select id from ${pool(table)} where id > ${after} order by id limit ${BATCH}`;
      const ids = rows.map(({ id }) => id);
      await writeDocuments(pool, { messages: [], conversations: [], customers: [], [table]: ids });
      const last = ids.at(-1);
      if (last === undefined || ids.length < BATCH) break;
      after = last;
    }
  }
}

/** Not waited for until they are on disk: what is lost is lost with the position that comes after it, and made again. */
async function writeDocuments(pool: Pool, touched: Touched): Promise<void> {
  await pool.begin(async (tx) => {
    await tx`set local synchronous_commit = off`;
    await refreshDocuments(tx, touched);
  });
}

/** An event after which something else may be found. */
interface Change {
  seq: number;
  created_at: Date;
  type: EventType;
  conversation_id: string | null;
  customer_id: string | null;
  message_id: string | null;
}

const CHANGES: EventType[] = [
  'conversation.created',
  'conversation.updated',
  'conversation.tags_changed',
  'message.received',
  'message.created',
  'message.updated',
  'message.deleted',
  'customer.created',
  'customer.updated',
  'customer.merged',
  'customer.deleted',
];

/** Without an upper bound: with one the planner sorts all that follows. */
function readChanges(pool: Pool, after: Position): Promise<Change[]> {
  return pool<Change[]>`
    select seq, created_at, type, conversation_id, customer_id, message_id from events e
    where ${isBehind(pool, after)} and type = any(${CHANGES})
    order by seq limit ${BATCH}`;
}

async function touchedBy(pool: Pool, changes: Change[]): Promise<Touched> {
  const touched = {
    message: idsIn(changes.map(({ message_id }) => message_id)),
    conversation: idsIn(changes.map((one) => (nounOf(one) === 'conversation' ? one.conversation_id : null))),
    customer: idsIn(changes.map((one) => (nounOf(one) === 'customer' ? one.customer_id : null))),
  };
  const writers = idsIn(changes.map((one) => (nounOf(one) === 'message' ? one.customer_id : null)));
  for (const { id } of await changedSince(pool, [...writers])) touched.customer.add(id);
  // Erasing blanks rows, and merging passes them on, without an event for each.
  const gone = changes.filter(({ type }) => type === 'customer.deleted' || type === 'customer.merged');
  for (const { id, kind } of await documentsOf(pool, [...idsIn(gone.map((one) => one.customer_id))]))
    touched[kind].add(id);
  // An undo takes along whoever was part of them before.
  for (const { id } of await mergedInto(pool, [...touched.customer])) touched.customer.add(id);
  const { message, conversation, customer } = touched;
  return { messages: [...message], conversations: [...conversation], customers: [...customer] };
}

function nounOf({ type }: Change): string {
  return type.slice(0, type.indexOf('.'));
}

function idsIn(ids: (string | null)[]): Set<string> {
  return new Set(ids.filter((id) => id !== null));
}

/**
 * Those of the writers whose document is behind: ingest follows people to new addresses without an event of its own. A document
 * is as old as what it was made of, to the millisecond.
 */
async function changedSince(pool: Pool, ids: string[]): Promise<{ id: string }[]> {
  if (ids.length === 0) return [];
  return pool<{ id: string }[]>`
    select p.id from customers p left join search_documents d on d.id = p.id
    where p.id = any(${ids}) and (d.at is distinct from date_trunc('milliseconds', p.updated_at)
      or exists (select 1 from identities i where i.customer_id = p.id and i.kind in ('email', 'phone')
        and strpos(d.text, lower(i.address)) = 0))`;
}

/** All that led to these customers. */
async function documentsOf(pool: Pool, ids: string[]) {
  if (ids.length === 0) return [];
  return pool<{ id: string; kind: 'message' | 'conversation' | 'customer' }[]>`
    select id, kind from search_documents where customer_id = any(${ids})`;
}

/** Those who are part of these customers: they are found as part of them. */
async function mergedInto(pool: Pool, ids: string[]): Promise<{ id: string }[]> {
  if (ids.length === 0) return [];
  return pool<{ id: string }[]>`select id from customers where merged_into_id = any(${ids})`;
}
