import type { Pool } from '../database/connect.ts';
import type { ListWindow } from '../list-window.ts';
import type { MessageRow } from '../views/message.ts';

export interface CustomerMessage extends MessageRow {
  /** When it was said, to the microsecond. */
  said_at: string;
}

/** One window of what was said with a customer, whatever the channel and the conversation, newest first. */
export function listCustomerMessages(
  pool: Pool,
  { customerId, activity }: { customerId: string; activity: boolean },
  { after, fetch, offset }: ListWindow,
): Promise<CustomerMessage[]> {
  const [saidAt = '', id = ''] = after ?? [];
  const most = fetch + offset;
  return pool.begin(async (tx) => {
    // What was scheduled was said at its time, not when somebody wrote it down.
    const time = tx`greatest(m.created_at, m.send_at)`;
    const inConversation = tx`
      m.conversation_id = c.id and m.seq is not null ${activity ? tx`` : tx`and m.type <> 'activity'`}
      ${after === undefined ? tx`` : tx`and (${time}, m.id) < (${saidAt}::text::timestamptz, ${id}::uuid)`}`;
    // The planner expects short conversations, and would read and sort the whole of a long one.
    await tx`set local enable_sort = off`;
    // No more conversations than messages can have a part in the window: those whose newest are the newest.
    return tx<CustomerMessage[]>`
      with talks as (
        select c.id from conversations c cross join lateral (
          select ${time} as said, m.id from messages m where ${inConversation}
          order by ${time} desc, m.id desc limit 1) m
        where c.customer_id = ${customerId} order by m.said desc, m.id desc limit ${most})
      select m.*, to_char(m.said at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as said_at
      from talks c cross join lateral (
        select m.*, ${time} as said from messages m where ${inConversation}
        order by ${time} desc, m.id desc limit ${most}) m
      order by m.said desc, m.id desc limit ${fetch} offset ${offset}`;
  }) as Promise<CustomerMessage[]>;
}
