import { removeFiles } from '../../attachments/removed-files.ts';
import type { Sql } from '../../database/connect.ts';
import type { Transact } from '../../database/transact.ts';
import { blankConversations, blankMessages } from './rows.ts';

const BATCH = 100;

/** Empties conversations that are over and in which nobody has written for so many days. True while there are more. */
export async function expireConversations(transact: Transact, days: number): Promise<boolean> {
  return transact(async (tx) => {
    const conversations = await overdue(tx, days);
    if (conversations.length === 0) return false;
    const files = await blankMessages(tx, tx`conversation_id = any(${conversations}) and type <> 'activity'`);
    await removeFiles(
      tx,
      files.map((storage_key) => ({ storage_key })),
    );
    // Its customer may still come back to it.
    await blankConversations(tx, conversations, { keep: ['thread_key'], set: { expired_at: tx`now()` } });
    return true;
  });
}

async function overdue(tx: Sql, days: number): Promise<string[]> {
  const rows = await tx<{ id: string }[]>`
    select c.id from conversations c
    where c.status in ('resolved', 'closed') and c.last_message_at < now() - make_interval(days => ${days})
      and (c.expired_at is null or c.expired_at < c.last_message_at)
    order by c.id limit ${BATCH} for update skip locked`;
  return rows.map(({ id }) => id);
}
