import type { Sql } from '../database/connect.ts';
import type { ListWindow } from '../list-window.ts';
import type { MessageRow } from '../views/message.ts';

export interface CustomerMessage extends MessageRow {
  /** When it was said, to the microsecond. */
  said_at: string;
}

/** One window of what was said with a customer, whatever the channel and the conversation, newest first. */
export function listCustomerMessages(
  sql: Sql,
  { customerId, activity }: { customerId: string; activity: boolean },
  { after, fetch, offset }: ListWindow,
): Promise<CustomerMessage[]> {
  const [saidAt = '', id = ''] = after ?? [];
  // What was scheduled was said at its time, not when somebody wrote it down.
  const time = sql`greatest(m.created_at, m.send_at)`;
  return sql<CustomerMessage[]>`
    select m.*, to_char(${time} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as said_at
    from conversations c join messages m on m.conversation_id = c.id
    where c.customer_id = ${customerId} and m.seq is not null
      ${activity ? sql`` : sql`and m.type <> 'activity'`}
      ${after === undefined ? sql`` : sql`and (${time}, m.id) < (${saidAt}::text::timestamptz, ${id}::uuid)`}
    order by ${time} desc, m.id desc limit ${fetch} offset ${offset}`;
}
