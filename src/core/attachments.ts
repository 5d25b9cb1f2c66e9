import { join } from 'node:path';
import type { Pool, Sql } from './database/connect.ts';
import type { AttachmentRef, OutboundAttachment } from './envelope.ts';
import { AppError } from './errors.ts';
import { safeFileName, trustedType } from './file-name.ts';
import { createFiles, type Files, FileTooLarge } from './files.ts';
import { isUuid, newId } from './id.ts';
import type { Secrets } from './secrets.ts';
import type { AttachmentView, MessageView } from './views/message.ts';

const HOUR_MS = 3_600_000;
/** How long a URL must work for a provider or a subscriber, who may fetch it late. */
export const LONG_URL_MS = 7 * 24 * HOUR_MS;
/** Uploads of the agent side, by whichever of the business's keys; a visitor's are `visitor:ID`. */
export const AGENT_SIDE = 'agents';
export const MAX_UPLOAD_BYTES = 25 * 1024 * 1024;

/** An attachment whose bytes are there. */
export interface StoredAttachment {
  id: string;
  business_id: string;
  name: string;
  content_type: string;
  size_bytes: number;
  sha256: Buffer;
  storage_key: string;
}

export interface Upload {
  businessId: string;
  conversationId: string | null;
  /** Who uploads: only they may put it in a message. */
  uploadedBy: string;
  name: string | undefined;
  contentType: string | undefined;
  body: AsyncIterable<Uint8Array>;
}

/** Views that hold attachments: a message, an event's data, a list of messages. */
interface Mintable {
  attachments?: AttachmentView[];
  message?: MessageView;
  messages?: MessageView[];
}

export interface Attachments {
  readonly files: Files;
  /** A signed address of the bytes, for an hour unless told otherwise. */
  url(id: string, validForMs?: number): string;
  /** The same view with addresses in those attachments that are ready. */
  mintUrls<T extends Mintable>(view: T, validForMs?: number): T;
  /** The attachment that a signed address names; undefined for any other text, and once it has expired. */
  idOfUrl(url: string): string | undefined;
  /** What a signed token of ours opens. */
  open(token: string): Promise<StoredAttachment | undefined>;
  /** Keeps a file until a message takes it. */
  upload(upload: Upload): Promise<AttachmentView>;
  /** A message's attachments on their way to a provider. */
  outbound(sql: Sql, messageId: string): Promise<OutboundAttachment[]>;
}

interface AttachmentsOptions {
  pool: Pool;
  secrets: Secrets;
  dataDir: string;
  /** The address that readers reach us at. */
  baseUrl(): string;
}

/** Stored attachments, their uploads and their signed addresses. */
export function createAttachments({ pool, secrets, dataDir, baseUrl }: AttachmentsOptions): Attachments {
  const files = createFiles(join(dataDir, 'files'));

  function url(id: string, validForMs = HOUR_MS): string {
    return `${baseUrl()}/files/${secrets.seal('file', `${id}.${Date.now() + validForMs}`)}`;
  }

  function mint(attachment: AttachmentView, validForMs?: number): AttachmentView {
    return attachment.state === 'ready' ? { ...attachment, url: url(attachment.id, validForMs) } : attachment;
  }

  function mintUrls<T extends Mintable>(view: T, validForMs?: number): T {
    const minted: T = { ...view };
    if (view.attachments !== undefined)
      minted.attachments = view.attachments.map((one) => mint(one, validForMs));
    if (view.message !== undefined) minted.message = mintUrls(view.message, validForMs);
    if (view.messages !== undefined) minted.messages = view.messages.map((one) => mintUrls(one, validForMs));
    return minted;
  }

  function idOfToken(token: string): string | undefined {
    const [id, expiresAt] = secrets.open('file', token)?.split('.') ?? [];
    return id !== undefined && isUuid(id) && Number(expiresAt) > Date.now() ? id : undefined;
  }

  return {
    files,
    url,
    mintUrls,
    idOfUrl(text) {
      const token = /\/files\/([A-Za-z0-9_.-]+)$/.exec(text)?.[1];
      return token === undefined ? undefined : idOfToken(token);
    },
    async open(token) {
      const id = idOfToken(token);
      return id === undefined ? undefined : findStored(pool, id);
    },
    async upload(upload) {
      const stored = await storeUpload(pool, files, upload);
      return { ...stored, url: url(stored.id) };
    },
    async outbound(sql, messageId) {
      const rows = await sql<StoredAttachment[]>`
        select * from attachments where message_id = ${messageId} and state = 'ready' order by position`;
      return rows.map((row) => ({
        id: row.id,
        name: row.name,
        contentType: row.content_type,
        sizeBytes: row.size_bytes,
        url: url(row.id, LONG_URL_MS),
        open: () => files.read(row.storage_key),
      }));
    },
  };
}

async function findStored(sql: Sql, id: string): Promise<StoredAttachment | undefined> {
  const [row] = await sql<StoredAttachment[]>`
    select id, business_id, name, content_type, size_bytes, sha256, storage_key
    from attachments where id = ${id} and storage_key is not null`;
  return row;
}

async function storeUpload(pool: Pool, files: Files, upload: Upload): Promise<AttachmentView> {
  const file = await files.write(upload.body, { maxBytes: MAX_UPLOAD_BYTES }).catch(refuseTooLarge);
  const row = {
    id: newId(),
    business_id: upload.businessId,
    conversation_id: upload.conversationId,
    name: safeFileName(upload.name),
    content_type: trustedType(upload.contentType, file.sniffedType),
    size_bytes: file.sizeBytes,
    sha256: file.sha256,
    state: 'uploaded' as const,
    storage_key: file.key,
    uploaded_by: upload.uploadedBy,
  };
  try {
    await pool`insert into attachments ${pool(row)}`;
  } catch (error) {
    await files.remove(file.key);
    throw error;
  }
  return {
    id: row.id,
    name: row.name,
    type: row.content_type,
    size: row.size_bytes,
    url: null,
    state: 'ready',
  };
}

function refuseTooLarge(error: unknown): never {
  if (error instanceof FileTooLarge) {
    throw new AppError('payload_too_large', `an upload may have up to ${MAX_UPLOAD_BYTES} bytes`, {
      cause: error,
    });
  }
  throw error;
}

/** How an attachment's source is kept: it may hold a provider's token, so it is bound to its row and encrypted. */
export function sealSource(
  secrets: Secrets,
  { businessId, attachmentId }: { businessId: string; attachmentId: string },
  source: AttachmentRef,
): Buffer {
  return secrets.encrypt(JSON.stringify(source), { businessId, rowId: attachmentId, field: 'source' });
}
