import type { Sql } from '../database/connect.ts';

export interface SearchFilter {
  businessId: string;
  q: string;
  kind?: string | undefined;
  status?: string[] | undefined;
  channelId?: string | undefined;
  channelType?: string | undefined;
  assigneeId?: string | 'none' | undefined;
  customerId?: string | undefined;
  tag?: string | undefined;
  after?: string | undefined;
  before?: string | undefined;
}

/** Whose documents, of which kind and time. */
export function scope(sql: Sql, { businessId, kind, customerId, after, before }: SearchFilter) {
  return sql`d.business_id = ${businessId}
    ${kind === undefined ? sql`` : sql`and d.kind = ${kind}`}
    ${customerId === undefined ? sql`` : sql`and ${ofCustomer(sql, customerId)}`}
    ${after === undefined ? sql`` : sql`and d.at > ${after}::timestamptz`}
    ${before === undefined ? sql`` : sql`and d.at < ${before}::timestamptz`}`;
}

/** Theirs is what stands in the conversations that are theirs now: these pass from one customer to another. */
function ofCustomer(sql: Sql, id: string) {
  const root = sql`(select coalesce(merged_into_id, id) from customers where id = ${id})`;
  return sql`(d.conversation_id = any(array(select id from conversations where customer_id = ${root}))
    or d.kind = 'customer' and d.customer_id = ${root})`;
}

/** Whether anything is asked for of the conversations that documents belong to. */
export function asksOfConversations({
  status,
  channelId,
  channelType,
  assigneeId,
  tag,
}: SearchFilter): boolean {
  return [status, channelId, channelType, assigneeId, tag].some((one) => one !== undefined);
}

/** What is asked for of a conversation `c`. */
export function ofConversation(sql: Sql, { status, channelId, channelType, assigneeId, tag }: SearchFilter) {
  return sql`
    ${status === undefined ? sql`` : sql`and c.status = any(${status})`}
    ${channelId === undefined ? sql`` : sql`and c.channel_id = ${channelId}`}
    ${channelType === undefined ? sql`` : sql`and c.channel_type = ${channelType}`}
    ${assigneeId === undefined ? sql`` : hasAssignee(sql, assigneeId)}
    ${tag === undefined ? sql`` : sql`and c.tags @> ${[tag]} and c.tags <> '{}'`}`;
}

function hasAssignee(sql: Sql, id: string | 'none') {
  if (id === 'none') return sql`and c.assignee_id is null`;
  return sql`and (c.assignee_id = ${id} or c.team_id = ${id})`;
}

/** The same of a document: a customer is found where any of their conversations is as asked for. */
export function inConversation(sql: Sql, filter: SearchFilter) {
  if (!asksOfConversations(filter)) return sql``;
  return sql`and case when d.kind = 'customer'
    then exists (select 1 from conversations c where c.customer_id = d.customer_id ${ofConversation(sql, filter)})
    else exists (select 1 from conversations c where c.id = d.conversation_id ${ofConversation(sql, filter)}) end`;
}
