import { type FoundText, findText, hasText } from './conversations/text.ts';
import { customersKnownBy, type KnownBy } from './customers/list-customers.ts';
import type { Pool, Sql } from './database/connect.ts';
import { AppError, invalidField } from './errors.ts';
import { isUuid } from './id.ts';
import type { ListWindow } from './list-window.ts';
import type { ConversationRow, ConversationStatus } from './views/conversation.ts';
import type { CustomerRow } from './views/customer.ts';

export const CONVERSATION_SORTS = [
  '-last_message_at',
  'last_message_at',
  '-created_at',
  'created_at',
  '-updated_at',
  'updated_at',
] as const;
/** The last is for the list of those that wait for a person. */
export type ConversationSort = (typeof CONVERSATION_SORTS)[number] | 'handoff_requested_at';

export interface ConversationFilter {
  businessId: string;
  status?: ConversationStatus[] | undefined;
  /** An agent or a team. */
  assigneeId?: string | 'none' | undefined;
  channelId?: string | undefined;
  channelType?: string | undefined;
  customerId?: string | undefined;
  /** Whose conversations, where not their id is known. */
  customer?: KnownBy | undefined;
  tag?: string | undefined;
  needsHumanHandoff?: boolean | undefined;
  q?: string | undefined;
  createdAfter?: string | undefined;
  createdBefore?: string | undefined;
  updatedSince?: string | undefined;
  /** Those too that were merged into another one. */
  includeMerged?: boolean | undefined;
  sort: ConversationSort;
}

export interface ListedConversation {
  conversation: ConversationRow;
  customer: CustomerRow | null;
  /** What the list is sorted by, with the microseconds that a Date loses. */
  key: string[];
}

/** The business's conversation. Throws `not_found` for any other id. */
export async function findConversation(sql: Sql, businessId: string, id: string): Promise<ConversationRow> {
  const [row] = isUuid(id)
    ? await sql<
        ConversationRow[]
      >`select * from conversations where id = ${id} and business_id = ${businessId}`
    : [];
  if (row === undefined) throw conversationNotFound();
  return row;
}

/** The same, locked until the end of the transaction: what gives out `seq` and changes the status waits here. */
export async function lockConversation(tx: Sql, businessId: string, id: string): Promise<ConversationRow> {
  const [row] = isUuid(id)
    ? await tx<ConversationRow[]>`
        select * from conversations where id = ${id} and business_id = ${businessId} for update`
    : [];
  if (row === undefined) throw conversationNotFound();
  return row;
}

/** The conversation that a request names in `conversation_id`. Throws a refusal of that field for any other id. */
export function namedConversation(sql: Sql, businessId: string, id: string): Promise<ConversationRow> {
  return findConversation(sql, businessId, id).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'not_found')
      throw invalidField('conversation_id', 'is not a conversation of your business');
    throw error;
  });
}

/** What is heard of a conversation that is none, or somebody else's. */
export function conversationNotFound(): AppError {
  return new AppError('not_found', 'There is no such conversation.');
}

/** One window of the business's conversations. */
export async function listConversations(
  sql: Pool,
  filter: ConversationFilter,
  window: ListWindow,
): Promise<ListedConversation[]> {
  const { column, direction } = orderOf(sql, filter.sort);
  const lookedUp = await lookUp(sql, filter);
  const rows = await sql<(ConversationRow & { sort_key: string })[]>`
    select c.*, to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as sort_key
    from conversations c
    where c.business_id = ${filter.businessId} ${conditions(sql, filter, lookedUp)} ${behind(sql, filter.sort, window.after)}
    order by ${column} ${direction}, c.id ${direction}
    limit ${window.fetch} offset ${window.offset}`;
  const customers = await customersOf(sql, rows);
  return rows.map(({ sort_key, ...conversation }) => ({
    conversation,
    customer: customers.get(conversation.customer_id ?? '') ?? null,
    key: [sort_key, conversation.id],
  }));
}

/** How many of the business's conversations there are. */
export async function countConversations(sql: Pool, filter: ConversationFilter): Promise<number> {
  const lookedUp = await lookUp(sql, filter);
  const [row] = await sql<[{ total: number }]>`
    select count(*)::int as total from conversations c
    where c.business_id = ${filter.businessId} ${conditions(sql, filter, lookedUp)}`;
  return row.total;
}

function orderOf(sql: Sql, sort: ConversationSort) {
  const columns = {
    last_message_at: sql`c.last_message_at`,
    created_at: sql`c.created_at`,
    updated_at: sql`c.updated_at`,
    handoff_requested_at: sql`c.handoff_requested_at`,
  };
  const descending = sort.startsWith('-');
  const column = columns[sort.replace('-', '') as keyof typeof columns];
  return { column, direction: descending ? sql`desc` : sql`asc`, compare: descending ? sql`<` : sql`>` };
}

function behind(sql: Sql, sort: ConversationSort, after: string[] | undefined) {
  const [key, id] = after ?? [];
  if (key === undefined || id === undefined) return sql``;
  // As text: typed as a time, the driver would cut it to milliseconds.
  const { column, compare } = orderOf(sql, sort);
  return sql`and (${column}, c.id) ${compare} (${key}::text::timestamptz, ${id}::uuid)`;
}

type KindOfAssignee = 'agent' | 'team' | undefined;

/** Asked before the list, so that it finds its index. */
interface LookedUp {
  assignee: KindOfAssignee;
  text: FoundText | undefined;
  /** Those who are known by what is asked for. */
  knownIds: string[] | undefined;
}

async function lookUp(sql: Pool, filter: ConversationFilter): Promise<LookedUp> {
  const { businessId, q } = filter;
  const [assignee, text, knownIds] = await Promise.all([
    kindOfAssignee(sql, filter),
    q === undefined ? undefined : findText(sql, businessId, q),
    customersKnownBy(sql, businessId, filter.customer ?? {}),
  ]);
  return { assignee, text, knownIds };
}

async function kindOfAssignee(
  sql: Sql,
  { businessId, assigneeId }: ConversationFilter,
): Promise<KindOfAssignee> {
  if (assigneeId === undefined || assigneeId === 'none') return undefined;
  const teams = await sql`select id from teams where id = ${assigneeId} and business_id = ${businessId}`;
  return teams.length > 0 ? 'team' : 'agent';
}

function assigned(sql: Sql, { assigneeId }: ConversationFilter, kind: KindOfAssignee) {
  if (assigneeId === 'none') return sql`and c.assignee_id is null`;
  if (kind === undefined || assigneeId === undefined) return sql``;
  return kind === 'team' ? sql`and c.team_id = ${assigneeId}` : sql`and c.assignee_id = ${assigneeId}`;
}

function conditions(sql: Sql, filter: ConversationFilter, { assignee, text, knownIds }: LookedUp) {
  const { status, channelId, channelType, customerId, tag, needsHumanHandoff } = filter;
  return sql`
    ${assigned(sql, filter, assignee)}
    ${filter.includeMerged === true ? sql`` : sql`and c.merged_into_id is null`}
    ${status === undefined ? sql`` : statusCondition(sql, status)}
    ${channelId === undefined ? sql`` : sql`and c.channel_id = ${channelId}`}
    ${channelType === undefined ? sql`` : sql`and c.channel_type = ${channelType}`}
    ${customerId === undefined ? sql`` : sql`and c.customer_id = coalesce((select merged_into_id from customers where id = ${customerId}), ${customerId})`}
    ${knownIds === undefined ? sql`` : sql`and c.customer_id = any(${knownIds})`}
    ${tag === undefined ? sql`` : sql`and c.tags @> ${[tag]} and c.tags <> '{}'`}
    ${needsHumanHandoff === undefined ? sql`` : sql`and c.needs_human_handoff = ${needsHumanHandoff}`}
    ${timeConditions(sql, filter)}
    ${text === undefined ? sql`` : sql`and ${hasText(sql, text)}`}`;
}

/** One status as such: its index then gives the order, too. */
function statusCondition(sql: Sql, statuses: readonly string[]) {
  const [only] = statuses;
  if (only !== undefined && statuses.length === 1) return sql`and c.status = ${only}`;
  return sql`and c.status = any(${[...statuses]})`;
}

function timeConditions(sql: Sql, { createdAfter, createdBefore, updatedSince }: ConversationFilter) {
  return sql`
    ${createdAfter === undefined ? sql`` : sql`and c.created_at > ${createdAfter}::timestamptz`}
    ${createdBefore === undefined ? sql`` : sql`and c.created_at < ${createdBefore}::timestamptz`}
    ${updatedSince === undefined ? sql`` : sql`and c.updated_at >= ${updatedSince}::timestamptz`}`;
}

async function customersOf(sql: Sql, rows: readonly ConversationRow[]): Promise<Map<string, CustomerRow>> {
  const ids = [...new Set(rows.flatMap((row) => row.customer_id ?? []))];
  if (ids.length === 0) return new Map();
  const customers = await sql<CustomerRow[]>`select * from customers where id = any(${ids})`;
  return new Map(customers.map((customer) => [customer.id, customer]));
}
