import { removeFiles } from '../../attachments/removed-files.ts';
import type { Pool, Sql } from '../../database/connect.ts';
import { untilRunningEnd } from '../../database/running.ts';
import type { Transact } from '../../database/transact.ts';
import { blankConversations, blankMessages } from './rows.ts';

const BATCH = 100;

interface ExpireOptions {
  pool: Pool;
  transact: Transact;
}

/**
 * Empties conversations that are over and in which nobody has written for as many days as their channel, else their
 * business, keeps them; `most` is the operator's limit. True while there are more.
 */
export async function expireConversations(
  { pool, transact }: ExpireOptions,
  most: number | undefined,
): Promise<boolean> {
  const conversations = await transact((tx) => expireSome(tx, most));
  if (conversations.length === 0) return false;
  // What indexes a message may have read it before it was emptied.
  await untilRunningEnd(pool);
  await pool`
    delete from search_documents d using conversations c
    where c.id = any(${conversations}) and d.conversation_id = c.id and d.at <= c.expired_at`;
  return true;
}

// The words of a rating, and the reason why a person was needed.
const TELLS_WHAT_WAS_SAID = ['rated', 'handoff_requested'];

async function expireSome(tx: Sql, most: number | undefined): Promise<string[]> {
  const conversations = await overdue(tx, most);
  if (conversations.length === 0) return [];
  const files = await blankMessages(
    tx,
    tx`conversation_id = any(${conversations})
      and (type <> 'activity' or metadata ->> 'activity' = any(${TELLS_WHAT_WAS_SAID}))`,
  );
  await removeFiles(
    tx,
    files.map((storage_key) => ({ storage_key })),
  );
  // Its customer may still come back to it.
  await blankConversations(tx, conversations, { keep: ['thread_key'], set: { expired_at: tx`now()` } });
  return conversations;
}

async function overdue(tx: Sql, most: number | undefined): Promise<string[]> {
  const rows = await tx<{ id: string }[]>`
    with kept as materialized (
      select ch.id as channel_id, ch.business_id, now() - make_interval(days => days) as before
      from channels ch join businesses b on b.id = ch.business_id,
        least(coalesce(ch.retention_messages_days, b.retention_messages_days), ${most ?? null}::int) as days
      where days is not null)
    select c.id from kept k cross join lateral (
      select id from conversations
      where channel_id = k.channel_id and business_id = k.business_id and last_message_at < k.before
        and status in ('resolved', 'closed') and (expired_at is null or expired_at < last_message_at)
      order by last_message_at limit ${BATCH} for update skip locked) c
    limit ${BATCH}`;
  return rows.map(({ id }) => id);
}
