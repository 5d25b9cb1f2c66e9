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
      select m.sender_type as type, case m.sender_type when 'customer' then m.customer_id else m.sender_id end as id,
        m.sender_name as name, m.seq
      from messages m
      where m.conversation_id = ${id} and m.sender_type <> 'system' and m.type <> 'activity' and m.seq is not null
      union all
      select 'customer', c.id, c.name, 0 from customers c where c.id = ${customer_id})
    select type, id, (array_agg(name order by seq desc) filter (where name is not null))[1] as name
    from writers group by type, id order by min(seq)`;
}
