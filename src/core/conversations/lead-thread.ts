import type { Sql } from '../database/connect.ts';
import type { ConversationRow } from '../views/conversation.ts';

/** Once a conversation was closed or is so no longer: its thread leads to the newest one there that is not closed. */
export async function leadThread(
  tx: Sql,
  { channel_id, customer_id, thread_key }: ConversationRow,
): Promise<void> {
  if (thread_key === null) return;
  // Threads are locked before conversations: whoever has this one writes there now, and leads it on.
  await tx`
    with thread as (
      select channel_id, thread_key from threads
      where channel_id = ${channel_id} and thread_key = ${thread_key} and customer_id = ${customer_id}
        and merged_from is null
      for update skip locked),
    newest as (
      select id from conversations
      where customer_id = ${customer_id} and channel_id = ${channel_id} and thread_key = ${thread_key}
        and status <> 'closed' and merged_into_id is null
      order by created_at desc, id desc limit 1)
    update threads t set conversation_id = newest.id, updated_at = now()
    from thread, newest
    where t.channel_id = thread.channel_id and t.thread_key = thread.thread_key
      and t.conversation_id is distinct from newest.id`;
}
