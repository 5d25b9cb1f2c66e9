import type { Sql } from '../database/connect.ts';
import type { Transact } from '../database/transact.ts';
import { recordUpdate } from '../messages.ts';
import type { MessageRow } from '../views/message.ts';
import { removeFiles } from './removed-files.ts';

const MESSAGES_PER_TURN = 100;

/** Lets go of the bytes of attachments older than so many days; what they were called stays. True while there are more. */
export async function expireAttachments(transact: Transact, days: number): Promise<boolean> {
  return transact(async (tx) => {
    const messages = await tx<MessageRow[]>`
      select * from messages where id in (
        select message_id from attachments
        where state = 'ready' and message_id is not null and created_at < now() - make_interval(days => ${days})
        order by created_at limit ${MESSAGES_PER_TURN})
      order by id for update skip locked`;
    for (const message of messages) await expire(tx, message, days);
    return messages.length > 0;
  });
}

async function expire(tx: Sql, message: MessageRow, days: number): Promise<void> {
  const before = await tx<{ id: string; storage_key: string | null }[]>`
    select id, storage_key from attachments
    where message_id = ${message.id} and state = 'ready' and created_at < now() - make_interval(days => ${days})
    for update`;
  await removeFiles(tx, before);
  await tx`
    update attachments set state = 'expired', storage_key = null, sha256 = null, width = null, height = null,
      error = 'kept for its time, and removed'
    where id = any(${before.map(({ id }) => id)}::uuid[])`;
  await recordUpdate(tx, message);
}
