import type { Pool } from '../database/connect.ts';
import { startReader } from '../events/reader.ts';
import { type EventType, latestPosition, type Position, positionOf } from '../events.ts';
import type { Log } from '../log.ts';
import type { Wake } from '../wake.ts';
import { refreshDocuments, type Touched } from './documents.ts';
import { findsParts } from './search.ts';

const BATCH = 500;

/** Keeps what is searched up to date: a reader of events, which begins with what was there before it. */
export function startIndexing(options: { pool: Pool; wake: Wake; log: Log }): { stop(): Promise<void> } {
  const { pool, log } = options;
  void findsParts(pool).then(
    (isThere) => {
      if (!isThere)
        log.warn(
          'pg_trgm is missing: search finds whole words and their beginnings only (README, Searching)',
        );
    },
    () => {},
  );
  return startReader({ ...options, name: 'search' }, async (after) => {
    const newest = await latestPosition(pool);
    if (after.seq === 0) {
      await indexEverything(pool);
      return { upTo: newest, hasMore: newest.seq > 0 };
    }
    const signals = await readSignals(pool, after, newest);
    await refreshDocuments(pool, await touchedBy(pool, signals));
    const last = signals.length === BATCH ? signals.at(-1) : undefined;
    return { upTo: last === undefined ? newest : positionOf(last), hasMore: last !== undefined };
  });
}

const TABLES = ['messages', 'conversations', 'customers'] as const;

/** What was written before there was an index; again from the beginning when it is interrupted. */
async function indexEverything(pool: Pool): Promise<void> {
  for (const table of TABLES) {
    let after = '00000000-0000-0000-0000-000000000000';
    for (;;) {
      const rows = await pool<{ id: string }[]>`
        select id from ${pool(table)} where id > ${after} order by id limit ${BATCH}`;
      const ids = rows.map(({ id }) => id);
      await refreshDocuments(pool, { messages: [], conversations: [], customers: [], [table]: ids });
      const last = ids.at(-1);
      if (last === undefined || ids.length < BATCH) break;
      after = last;
    }
  }
}

interface Signal {
  seq: number;
  created_at: Date;
  type: EventType;
  conversation_id: string | null;
  customer_id: string | null;
  message_id: string | null;
}

const SIGNALS: EventType[] = [
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

function readSignals(pool: Pool, after: Position, newest: Position): Promise<Signal[]> {
  return pool<Signal[]>`
    select seq, created_at, type, conversation_id, customer_id, message_id from events
    where seq > ${after.seq} and seq <= ${newest.seq} and created_at >= ${after.day}::date - 1
      and type = any(${SIGNALS})
    order by seq limit ${BATCH}`;
}

async function touchedBy(pool: Pool, signals: Signal[]): Promise<Touched> {
  const messages = new Set<string>();
  const conversations = new Set<string>();
  const customers = new Set<string>();
  for (const { type, message_id, conversation_id, customer_id } of signals) {
    if (message_id !== null) messages.add(message_id);
    else if (type.startsWith('conversation.') && conversation_id !== null) conversations.add(conversation_id);
    // Ingest fills in a name without an event of its own.
    if (customer_id !== null && !type.startsWith('conversation.')) customers.add(customer_id);
  }
  // Erasing blanks rows, and merging passes them on, without an event for each.
  const gone = signals.flatMap(({ type, customer_id }) =>
    (type === 'customer.deleted' || type === 'customer.merged') && customer_id !== null ? [customer_id] : [],
  );
  const theirs = gone.length === 0 ? [] : await documentsOf(pool, gone);
  for (const { id, kind } of theirs) {
    ({ message: messages, conversation: conversations, customer: customers })[kind].add(id);
  }
  return { messages: [...messages], conversations: [...conversations], customers: [...customers] };
}

/** All that led to these customers, and those who were merged into them. */
function documentsOf(pool: Pool, ids: string[]) {
  return pool<{ id: string; kind: 'message' | 'conversation' | 'customer' }[]>`
    select id, kind from search_documents where customer_id = any(${ids})
    union select id, 'customer' from customers where merged_into_id = any(${ids})`;
}
