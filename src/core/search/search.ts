import type { Pool, Sql } from '../database/connect.ts';
import { sqlState } from '../database/transact.ts';
import { hasIndexedPart, matches, matchesBeginnings } from './matches.ts';

export interface SearchFilter {
  businessId: string;
  q: string;
  kinds?: string[] | undefined;
  status?: string[] | undefined;
  channelId?: string | undefined;
  channelType?: string | undefined;
  assigneeId?: string | undefined;
  customerId?: string | undefined;
  tag?: string | undefined;
  after?: string | undefined;
  before?: string | undefined;
}

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

const MOST = 200;
const PATIENCE_MS = 240;
// As long as looking at the newest may take, so that there is time for the rest.
const FIRST_PATIENCE_MS = 160;
// Frequent words have their newest hits among so many documents: of rare ones the indexes say where they are.
const NEWEST = 10_000;
const CANCELED = '57014';

/** The newest hits, in a bounded time: first among the newest documents, then, where these are too few, among all. */
export async function search(pool: Pool, filter: SearchFilter): Promise<Found> {
  const hasParts = await findsParts(pool);
  const begunAt = performance.now();
  const newest = await within(pool, FIRST_PATIENCE_MS, (tx) => amongNewest(tx, filter, hasParts));
  const known = newest?.hits ?? [];
  if (newest?.isAll === true || known.length > MOST) return found(known, { isWhole: true, hasParts });
  const leftMs = Math.floor(PATIENCE_MS - (performance.now() - begunAt));
  const isIndexed = !hasParts || hasIndexedPart(filter.q);
  const all = await within(pool, leftMs, (tx) =>
    amongAll(tx, filter, isIndexed ? matches(tx, filter.q, hasParts) : matchesBeginnings(tx, filter.q)),
  );
  const isWhole = all !== undefined && isIndexed;
  return found(isWhole ? all : newestOf([...known, ...(all ?? [])]), { isWhole, hasParts });
}

function found(hits: Hit[], { isWhole, hasParts }: { isWhole: boolean; hasParts: boolean }): Found {
  return { hits: hits.slice(0, MOST), isPartial: !isWhole || hits.length > MOST, hasParts };
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

interface Newest {
  hits: Hit[];
  /** There are no older documents; not asked where there are hits enough. */
  isAll: boolean;
}

async function amongNewest(tx: Sql, filter: SearchFilter, hasParts: boolean): Promise<Newest> {
  const newest = tx`from search_documents d where ${scope(tx, filter)} order by d.at desc`;
  const hits = await tx<Hit[]>`
    select d.id, d.kind, d.conversation_id, d.customer_id, d.at from (select d.* ${newest} limit ${NEWEST}) d
    where (${matches(tx, filter.q, hasParts)}) ${conditions(tx, filter)}
    order by d.at desc, d.id desc limit ${MOST + 1}`;
  const older = hits.length > MOST ? [] : await tx`select d.id ${newest} offset ${NEWEST} limit 1`;
  return { hits, isAll: older.length === 0 };
}

/** What matches is found before it is sorted: the planner, which cannot know how rare a word is, would walk from the newest on. */
function amongAll(tx: Sql, filter: SearchFilter, matching: ReturnType<typeof matches>): Promise<Hit[]> {
  return tx<Hit[]>`
    with found as materialized (
      select d.id, d.kind, d.conversation_id, d.customer_id, d.at from search_documents d
      where ${scope(tx, filter)} and (${matching}))
    select d.* from found d where true ${conditions(tx, filter)}
    order by d.at desc, d.id desc limit ${MOST + 1}`;
}

function scope(sql: Sql, { businessId, customerId, after, before }: SearchFilter) {
  return sql`d.business_id = ${businessId}
    ${customerId === undefined ? sql`` : sql`and d.customer_id = ${customerId}`}
    ${after === undefined ? sql`` : sql`and d.at > ${after}::timestamptz`}
    ${before === undefined ? sql`` : sql`and d.at < ${before}::timestamptz`}`;
}

function conditions(sql: Sql, filter: SearchFilter) {
  const { kinds } = filter;
  return sql`${kinds === undefined ? sql`` : sql`and d.kind = any(${kinds})`} ${ofConversations(sql, filter)}`;
}

/** A customer is found where any of their conversations is as asked for. */
function ofConversations(sql: Sql, { status, channelId, channelType, assigneeId, tag }: SearchFilter) {
  const given = [status, channelId, channelType, assigneeId, tag].filter((one) => one !== undefined);
  if (given.length === 0) return sql``;
  const conditions = sql`
    ${status === undefined ? sql`` : sql`and c.status = any(${status})`}
    ${channelId === undefined ? sql`` : sql`and c.channel_id = ${channelId}`}
    ${channelType === undefined ? sql`` : sql`and c.channel_type = ${channelType}`}
    ${assigneeId === undefined ? sql`` : sql`and (c.assignee_id = ${assigneeId} or c.team_id = ${assigneeId})`}
    ${tag === undefined ? sql`` : sql`and c.tags @> ${[tag]}`}`;
  return sql`and case when d.kind = 'customer'
    then exists (select 1 from conversations c where c.customer_id = d.customer_id ${conditions})
    else exists (select 1 from conversations c where c.id = d.conversation_id ${conditions}) end`;
}
