import type { Sql } from '../database/connect.ts';
import { AppError } from '../errors.ts';
import { isUuid } from '../id.ts';
import { laneKey } from '../lanes/lane-key.ts';
import { recordUpdate } from '../messages.ts';
import type { AttachmentRow, MessageRow } from '../views/message.ts';

interface Refetched extends AttachmentRow {
  source: Buffer | null;
}

/** Fetches an attachment whose bytes are not here anew, from where it was the first time. Throws `not_found` or `conflict`. */
export async function refetchAttachment(tx: Sql, businessId: string, id: string): Promise<AttachmentRow> {
  const found = await findAttachment(tx, businessId, id);
  if (found.state === 'ready' || found.state === 'uploaded') return found;
  if (found.source === null || found.message_id === null)
    throw new AppError('conflict', 'It was uploaded: there is nowhere to fetch it from.');
  const [message] = await tx<[MessageRow]>`select * from messages where id = ${found.message_id} for update`;
  // The bytes of the next try get a key of their own: those of the last may be on their way out.
  const [pending] = await tx<AttachmentRow[]>`
    update attachments
    set state = 'pending', tries = 0, version = version + 1, error = null, next_attempt_at = now()
    where id = ${id} and state <> 'ready' returning *`;
  if (pending === undefined) return findAttachment(tx, businessId, id);
  await recordUpdate(tx, message, { wakes: [laneKey('fetch', id)] });
  return pending;
}

/** The business's attachment. Throws `not_found` for any other id. */
export async function findAttachment(sql: Sql, businessId: string, id: string): Promise<Refetched> {
  const [row] = isUuid(id)
    ? await sql<Refetched[]>`select * from attachments where id = ${id} and business_id = ${businessId}`
    : [];
  if (row === undefined) throw new AppError('not_found', 'There is no such attachment.');
  return row;
}
