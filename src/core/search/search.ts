import type { Pool, Sql } from '../database/connect.ts';
import { sqlState } from '../database/transact.ts';
import { digitsOf, fold } from './fold.ts';

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
const PATIENCE_MS = 200;
// What the second try may look at, and how long: the newest only.
const NEWEST = 3_000;
const LAST_PATIENCE_MS = 80;
const CANCELED = '57014';

/** The newest hits, in a bounded time: where looking through everything takes too long, of the newest documents only. */
export async function search(pool: Pool, filter: SearchFilter): Promise<Found> {
  const hasParts = await findsParts(pool);
  const look = (within: number | undefined, ms: number) =>
    pool.begin(async (tx) => {
      await tx`select set_config('statement_timeout', ${String(ms)}, true)`;
      return tx<Hit[]>`${hits(tx, filter, { within, hasParts })}`;
    }) as Promise<Hit[]>;
  const found = await orCanceled(look(undefined, PATIENCE_MS));
  if (found !== undefined) return { hits: found.slice(0, MOST), isPartial: found.length > MOST, hasParts };
  const newest = (await orCanceled(look(NEWEST, LAST_PATIENCE_MS))) ?? [];
  return { hits: newest.slice(0, MOST), isPartial: true, hasParts };
}

async function orCanceled<T>(query: Promise<T>): Promise<T | undefined> {
  try {
    return await query;
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

function hits(
  sql: Sql,
  filter: SearchFilter,
  { within, hasParts }: { within: number | undefined; hasParts: boolean },
) {
  const { businessId, kinds, customerId, after, before } = filter;
  const documents =
    within === undefined
      ? sql`search_documents`
      : sql`(select * from search_documents where business_id = ${businessId} order by at desc limit ${within})`;
  return sql`
    select d.id, d.kind, d.conversation_id, d.customer_id, d.at from ${documents} d
    where d.business_id = ${businessId} and (${matches(sql, filter.q, hasParts)})
      ${kinds === undefined ? sql`` : sql`and d.kind = any(${kinds})`}
      ${customerId === undefined ? sql`` : sql`and d.customer_id = ${customerId}`}
      ${after === undefined ? sql`` : sql`and d.at > ${after}::timestamptz`}
      ${before === undefined ? sql`` : sql`and d.at < ${before}::timestamptz`}
      ${ofConversations(sql, filter)}
    order by d.at desc, d.id desc limit ${MOST + 1}`;
}

/** Words in any order, the beginnings of words, and parts of them; quotes, OR and a minus mean what they mean elsewhere. */
function matches(sql: Sql, q: string, hasParts: boolean) {
  const text = fold(q);
  if (/"|(^|\s)-\S|\sor\s/.test(text)) return sql`d.words @@ websearch_to_tsquery('simple', ${text})`;
  const beginnings = sql`d.words @@ (
    select to_tsquery('simple', coalesce(string_agg(quote_literal(lexeme) || ':*', ' & '), ''))
    from unnest(to_tsvector('simple', ${text})))`;
  if (!hasParts) return beginnings;
  const parts = [text, digitsOf(q)].filter((part) => part !== undefined && part !== '') as string[];
  return sql`${beginnings} or d.text like any(${parts.map(containing)})`;
}

function containing(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`;
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
