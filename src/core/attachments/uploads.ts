import type { Pool, Sql } from '../database/connect.ts';
import type { Transact } from '../database/transact.ts';
import { AppError } from '../errors.ts';
import { newId } from '../id.ts';
import { type AttachmentRow, type AttachmentView, viewAttachment } from '../views/message.ts';
import { safeFileName, trustedType } from './file-name.ts';
import { type Files, FileTooLarge, fileKey } from './files.ts';

/** Uploads of the agent side, by whichever of the business's keys; a visitor's are `visitor:ID`. */
export const AGENT_SIDE = 'agents';
export const MAX_UPLOAD_BYTES = 25 * 1024 * 1024;
/** What a message does not take within a day is forgotten; until then nobody may pile up more than this. */
const MOST_UNUSED = 100;

export interface Upload {
  businessId: string;
  conversationId: string | null;
  /** Who uploads: only they may put it in a message. */
  uploadedBy: string;
  name: string | undefined;
  contentType: string | undefined;
  body: AsyncIterable<Uint8Array>;
  /** Commits that the file is there: a request that comes again loses here, and its own copy goes. */
  transact?: Transact | undefined;
}

/** Keeps a file until a message takes it. The row is first: bytes without one would stay for ever. */
export async function storeUpload(pool: Pool, files: Files, upload: Upload): Promise<AttachmentView> {
  if (upload.uploadedBy !== AGENT_SIDE) await refuseHoarding(pool, upload);
  const id = newId();
  const key = fileKey(id);
  await pool`insert into attachments ${pool({
    id,
    business_id: upload.businessId,
    conversation_id: upload.conversationId,
    name: safeFileName(upload.name),
    content_type: trustedType(upload.contentType, undefined),
    state: 'uploaded',
    uploaded_by: upload.uploadedBy,
  })}`;
  try {
    const file = await files.write(key, upload.body, { maxBytes: MAX_UPLOAD_BYTES });
    const set = {
      content_type: trustedType(upload.contentType, file.sniffedType),
      size_bytes: file.sizeBytes,
      sha256: file.sha256,
      storage_key: key,
      width: file.picture?.width ?? null,
      height: file.picture?.height ?? null,
    };
    const finish = (sql: Sql) =>
      sql<AttachmentRow[]>`update attachments set ${sql(set)} where id = ${id} returning *`;
    const [row] = await (upload.transact === undefined ? finish(pool) : upload.transact(finish));
    if (row === undefined) throw new AppError('conflict', 'Whoever uploads it was erased meanwhile.');
    return viewAttachment({ ...row, state: 'ready' });
  } catch (error) {
    await files.remove(key);
    await pool`delete from attachments where id = ${id} and message_id is null`;
    throw error instanceof FileTooLarge ? tooLarge(error) : error;
  }
}

function tooLarge(cause: FileTooLarge): AppError {
  return new AppError('payload_too_large', `an upload may have up to ${MAX_UPLOAD_BYTES} bytes`, { cause });
}

async function refuseHoarding(pool: Pool, { businessId, uploadedBy }: Upload): Promise<void> {
  const [row] = await pool<[{ unused: number }]>`
    select count(*)::int as unused from (
      select 1 from attachments
      where state = 'uploaded' and business_id = ${businessId} and uploaded_by = ${uploadedBy} limit ${MOST_UNUSED}) u`;
  if (row.unused < MOST_UNUSED) return;
  throw new AppError('rate_limited', 'Too many files that no message has taken.', {
    retryAfterSeconds: 3_600,
  });
}
