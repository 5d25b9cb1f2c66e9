import type { Pool, Sql } from '../database/connect.ts';
import { sqlState } from '../database/transact.ts';
import { asksOfConversations, inConversation, ofConversation, type SearchFilter, scope } from './filter.ts';
import { hasIndexedPart, matches } from './matches.ts';

export interface Hit {
  id: string;
  kind: 'message' | 'conversation' | 'customer';
  conversation_id: string | null;
  customer_id: string | null;
  at: Date;
}

export interface Found {
  hits: Hit[];
  /** There was not the time to look through everything, or there are more: older hits may be missing. */
  isPartial: boolean;
  /** Whether parts of words were looked for too. */
  hasParts: boolean;
}

const MOST_HITS = 200;
const PATIENCE_MS = 240;
// Filters that leave few conversations need less: what takes longer is looked for like everything else.
const FEW_PATIENCE_MS = 80;
// Less than all of it, so that there is time left to look among all documents.
const NEWEST_PATIENCE_MS = 160;
// A frequent word has enough hits among this many of the newest documents; where a rare one stands the indexes know.
const NEWEST = 10_000;
const CANCELED = '57014';

/** The newest hits, in a bounded time: first among the newest documents, then, where these are too few, among all. */
export async function search(pool: Pool, filter: SearchFilter): Promise<Found> {
  const hasParts = await findsParts(pool);
  const begunAt = performance.now();
  const few = asksOfConversations(filter) ? await amongFew(pool, filter, hasParts) : undefined;
  if (few !== undefined) return found(few, { isWhole: true, hasParts });
  const newest = await within(pool, NEWEST_PATIENCE_MS, (tx) => amongNewest(tx, filter, hasParts));
  const known = newest?.hits ?? [];
  if (newest?.isAll === true || known.length > MOST_HITS) return found(known, { isWhole: true, hasParts });
  const leftMs = Math.floor(PATIENCE_MS - (performance.now() - begunAt));
  const isIndexed = !hasParts || hasIndexedPart(filter.q);
  const all = await within(pool, leftMs, (tx) =>
    amongAll(tx, filter, matches(tx, filter.q, hasParts && isIndexed)),
  );
  const isWhole = all !== undefined && isIndexed;
  return found(isWhole ? all : newestOf([...known, ...(all ?? [])]), { isWhole, hasParts });
}

function found(hits: Hit[], { isWhole, hasParts }: { isWhole: boolean; hasParts: boolean }): Found {
  return { hits: hits.slice(0, MOST_HITS), isPartial: !isWhole || hits.length > MOST_HITS, hasParts };
}

/** Each hit once, the newest first. */
function newestOf(hits: Hit[]): Hit[] {
  const once = [...new Map(hits.map((hit) => [hit.id, hit])).values()];
  return once.sort((one, other) => other.at.getTime() - one.at.getTime());
}

/** Undefined when it takes longer. */
async function within<T>(pool: Pool, ms: number, look: (tx: Sql) => Promise<T>): Promise<T | undefined> {
  if (ms <= 0) return undefined;
  try {
    return (await pool.begin(async (tx) => {
      await tx`
        select set_config('statement_timeout', ${String(ms)}, true), set_config('plan_cache_mode', 'force_custom_plan', true)`;
      return look(tx);
    })) as T;
  } catch (error) {
    if (sqlState(error) === CANCELED) return undefined;
    throw error;
  }
}

/** Whether the database has the index of parts of words. */
export async function findsParts(pool: Pool): Promise<boolean> {
  const [row] = await pool<[{ is_there: boolean }]>`
    select to_regclass('search_documents_parts') is not null as is_there`;
  return row.is_there;
}

const FEW_CONVERSATIONS = 1_000;

/** Where the filters leave few conversations, their documents are fewer than those that a frequent word is in. */
function amongFew(pool: Pool, filter: SearchFilter, hasParts: boolean): Promise<Hit[] | undefined> {
  return within(pool, FEW_PATIENCE_MS, async (tx) => {
    const rows = await tx<{ id: string; customer_id: string | null }[]>`
      select c.id, c.customer_id from conversations c
      where c.business_id = ${filter.businessId} ${ofConversation(tx, filter)} limit ${FEW_CONVERSATIONS + 1}`;
    if (rows.length > FEW_CONVERSATIONS) return undefined;
    const customers = rows.flatMap(({ customer_id }) => customer_id ?? []);
    return tx<Hit[]>`
      with theirs as materialized (
        select * from search_documents where conversation_id = any(${rows.map(({ id }) => id)})
        union all
        select * from search_documents where customer_id = any(${customers}) and kind = 'customer')
      select d.id, d.kind, d.conversation_id, d.customer_id, d.at from theirs d
      where ${scope(tx, filter)} and ${matches(tx, filter.q, hasParts)}
      order by d.at desc, d.id desc limit ${MOST_HITS + 1}`;
  });
}

interface Newest {
  hits: Hit[];
  /** There are no older documents; not asked where there are hits enough. */
  isAll: boolean;
}

async function amongNewest(tx: Sql, filter: SearchFilter, hasParts: boolean): Promise<Newest> {
  const newest = tx`from search_documents d where ${scope(tx, filter)} order by d.at desc`;
  const hits = await tx<Hit[]>`
    select d.id, d.kind, d.conversation_id, d.customer_id, d.at from (select d.* ${newest} limit ${NEWEST}) d
    where (${matches(tx, filter.q, hasParts)}) ${inConversation(tx, filter)}
    order by d.at desc, d.id desc limit ${MOST_HITS + 1}`;
  const older = hits.length > MOST_HITS ? [] : await tx`select d.id ${newest} offset ${NEWEST} limit 1`;
  return { hits, isAll: older.length === 0 };
}

/** What matches is found before it is sorted: the planner, which cannot know how rare a word is, would walk from the newest on. */
function amongAll(tx: Sql, filter: SearchFilter, matching: ReturnType<typeof matches>): Promise<Hit[]> {
  return tx<Hit[]>`
    with found as materialized (
      select d.id, d.kind, d.conversation_id, d.customer_id, d.at from search_documents d
      where ${scope(tx, filter)} and (${matching}))
    select d.* from found d where true ${inConversation(tx, filter)}
    order by d.at desc, d.id desc limit ${MOST_HITS + 1}`;
}
