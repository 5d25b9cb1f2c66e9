import type { Sql } from '../database/connect.ts';
import type { Transact } from '../database/transact.ts';
import { systemIn } from '../messages/author.ts';
import type { ConversationRow } from '../views/conversation.ts';
import { changeStatus } from './lifecycle.ts';

const BATCH = 100;

/**
 * Resolves the conversations in which nothing happened for as long as their channel, or else their business, says; each
 * once however many processes do this. A snoozed one sleeps on, and one that waits for a person or has a message
 * scheduled is not over. Resolves with how many.
 */
export async function resolveInactive(transact: Transact): Promise<number> {
  let total = 0;
  for (;;) {
    const resolved = await transact(resolveBatch);
    total += resolved;
    if (resolved < BATCH) return total;
  }
}

type Inactive = ConversationRow & { minutes: number };

async function resolveBatch(tx: Sql): Promise<number> {
  const rows = await tx<Inactive[]>`
    with patience as (
      select ch.id as channel_id, ch.business_id, minutes, now() - make_interval(mins => minutes) as before
      from channels ch join businesses b on b.id = ch.business_id,
        coalesce(ch.auto_resolve_after_minutes, b.auto_resolve_after_minutes) as minutes
      where minutes > 0
    )
    select c.*, p.minutes from conversations c join patience p using (channel_id)
    where c.id in (
        select due.id from patience q cross join lateral (
          select id from conversations i
          where i.business_id = q.business_id and i.channel_id = q.channel_id and ${isOver(tx, 'i', 'q')}
            and not exists (select 1 from messages m where m.conversation_id = i.id and m.status = 'scheduled')
          order by i.last_message_at limit ${BATCH}) due
        limit ${BATCH})
      and ${isOver(tx, 'c', 'p')}
    order by c.id for update of c skip locked`;
  for (const { minutes, ...conversation } of rows) {
    const why = `after ${minutes} minutes in which nothing happened`;
    const by = await systemIn(tx, conversation.id);
    await changeStatus(tx, conversation, { to: 'resolved', by, why });
  }
  return rows.length;
}

/** Said twice: when the rows are looked for, and when they are locked. */
function isOver(tx: Sql, conversation: string, patience: string) {
  const c = tx(conversation);
  const before = tx`${tx(patience)}.before`;
  return tx`(${c}.status in ('open', 'pending') and not ${c}.needs_human_handoff and ${c}.assign_at is null and ${c}.merged_into_id is null
    and ${c}.last_message_at < ${before} and ${c}.updated_at < ${before})`;
}
