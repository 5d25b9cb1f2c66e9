import type { Pool, Sql } from '../database/connect.ts';
import type { Files } from './files.ts';

const BATCH = 100;

/** Takes the attachments away from messages that are gone; their bytes follow the commit within seconds. */
export async function removeAttachments(tx: Sql, messageIds: string[]): Promise<void> {
  if (messageIds.length === 0) return;
  const rows = await tx<{ storage_key: string | null }[]>`
    delete from attachments where message_id = any(${messageIds}::uuid[]) returning storage_key`;
  await removeFiles(tx, rows);
}

/** Notes files whose bytes are to go once this transaction has committed. */
export async function removeFiles(tx: Sql, rows: { storage_key: string | null }[]): Promise<void> {
  const keys = rows.flatMap(({ storage_key }) => (storage_key === null ? [] : [storage_key]));
  if (keys.length === 0) return;
  await tx`insert into removed_files (storage_key) select unnest(${keys}::text[]) on conflict do nothing`;
}

/** Removes the bytes of what was noted; true while there is more. A process that dies in between does it again. */
export async function removeBytes(pool: Pool, files: Pick<Files, 'remove'>): Promise<boolean> {
  const rows = await pool<{ storage_key: string }[]>`
    select storage_key from removed_files order by created_at limit ${BATCH}`;
  for (const { storage_key } of rows) {
    await files.remove(storage_key);
    await pool`delete from removed_files where storage_key = ${storage_key}`;
  }
  return rows.length === BATCH;
}
