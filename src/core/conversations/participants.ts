import type { Sql } from '../database/connect.ts';
import type { ConversationRow } from '../views/conversation.ts';

interface Participant {
  type: 'customer' | 'agent' | 'bot';
  id: string | null;
  name: string | null;
}

/** Everybody who wrote in the conversation, in the order of their first message, its customer first. */
export async function listParticipants(
  sql: Sql,
  { id, customer_id }: ConversationRow,
): Promise<Participant[]> {
  return sql<Participant[]>`
    with writers as (
      select sender_type as type, case sender_type when 'customer' then customer_id else sender_id end as id,
        min(seq) as first, max(seq) filter (where sender_name is not null) as named
      from messages
      where conversation_id = ${id} and sender_type <> 'system' and type <> 'activity' and seq is not null
      group by 1, 2
    ), people as (
      select w.type, coalesce(c.merged_into_id, w.id) as id, w.first, w.named
      from writers w left join customers c on w.type = 'customer' and c.id = w.id
      union all select 'customer', ${customer_id}::uuid, 0, null where ${customer_id}::uuid is not null
    )
    select type, id, coalesce(
      (select sender_name from messages where conversation_id = ${id} and seq = max(p.named)),
      (select name from customers where type = 'customer' and customers.id = p.id)) as name
    from people p group by type, id order by min(first)`;
}
