import { type Files, thumbnailKey } from './attachments/files.ts';
import { storeUpload, type Upload } from './attachments/uploads.ts';
import type { Pool, Sql } from './database/connect.ts';
import type { AttachmentRef, OutboundAttachment } from './envelope.ts';
import { isUuid } from './id.ts';
import type { Secrets } from './secrets.ts';
import type { AttachmentView, MessageView } from './views/message.ts';

const HOUR_MS = 3_600_000;
/** How long a URL must work for a provider or a subscriber, who may fetch it late. */
export const LONG_URL_MS = 7 * 24 * HOUR_MS;

/** Which bytes of an attachment: its own, or the small picture of a picture. */
type Variant = 'file' | 'thumbnail';

/** Bytes that a signed address opens. */
export interface OpenedFile {
  name: string;
  contentType: string;
  /** Undefined for a thumbnail, which is small and served whole. */
  sizeBytes: number | undefined;
  etag: string;
  storageKey: string;
}

/** An attachment whose bytes are there. */
interface StoredAttachment {
  id: string;
  business_id: string;
  name: string;
  content_type: string;
  size_bytes: number;
  sha256: Buffer;
  storage_key: string;
}

/** Views that hold attachments: a message, an event's data, a list of messages. */
interface Mintable {
  attachments?: AttachmentView[];
  message?: MessageView;
  messages?: MessageView[];
  /** Shows an image of the message itself as `attachment:POSITION`. */
  html?: string | null;
}

export interface Attachments {
  readonly files: Files;
  /** A signed address of the bytes, for an hour unless told otherwise. */
  url(id: string, validForMs?: number): string;
  /** A view with addresses, where the bytes are there. */
  mint(attachment: AttachmentView, validForMs?: number): AttachmentView;
  /** The same view with addresses in those attachments that are ready. */
  mintUrls<T extends Mintable>(view: T, validForMs?: number): T;
  /** The attachment that a signed address names; undefined for any other text, and once it has expired. */
  idOfUrl(url: string): string | undefined;
  /** What a signed token of ours opens. */
  open(token: string): Promise<OpenedFile | undefined>;
  /** Keeps a file until a message takes it. */
  upload(upload: Upload): Promise<AttachmentView>;
  /** A message's attachments on their way to a provider. */
  outbound(sql: Sql, messageId: string): Promise<OutboundAttachment[]>;
}

interface AttachmentsOptions {
  pool: Pool;
  secrets: Secrets;
  files: Files;
  /** The address that readers reach us at. */
  baseUrl(): string;
}

/** Stored attachments, their uploads and their signed addresses. */
export function createAttachments({ pool, secrets, files, baseUrl }: AttachmentsOptions): Attachments {
  function url(id: string, validForMs = HOUR_MS, variant: Variant = 'file'): string {
    return `${baseUrl()}/files/${secrets.seal('file', `${id}.${Date.now() + validForMs}.${variant}`)}`;
  }

  function mint(attachment: AttachmentView, validForMs?: number): AttachmentView {
    const { id, state, width } = attachment;
    if (state !== 'ready') return attachment;
    const thumbnail_url = width === null ? null : url(id, validForMs, 'thumbnail');
    return { ...attachment, url: url(id, validForMs), thumbnail_url };
  }

  function mintUrls<T extends Mintable>(view: T, validForMs?: number): T {
    const minted: T = { ...view };
    if (view.attachments !== undefined)
      minted.attachments = view.attachments.map((one) => mint(one, validForMs));
    if (view.html) minted.html = showImages(view.html, minted.attachments ?? []);
    if (view.message !== undefined) minted.message = mintUrls(view.message, validForMs);
    if (view.messages !== undefined) minted.messages = view.messages.map((one) => mintUrls(one, validForMs));
    return minted;
  }

  function readToken(token: string): { id: string; variant: string } | undefined {
    // Addresses of earlier versions name no variant.
    const [id, expiresAt, variant = 'file'] = secrets.open('file', token)?.split('.') ?? [];
    return id !== undefined && isUuid(id) && Number(expiresAt) > Date.now() ? { id, variant } : undefined;
  }

  return {
    files,
    url: (id, validForMs) => url(id, validForMs),
    mint,
    mintUrls,
    idOfUrl(text) {
      const token = /\/files\/([A-Za-z0-9_.-]+)$/.exec(text)?.[1];
      return token === undefined ? undefined : readToken(token)?.id;
    },
    async open(token) {
      const named = readToken(token);
      const stored = named === undefined ? undefined : await findStored(pool, named.id);
      return stored && (named?.variant === 'thumbnail' ? thumbnailOf(stored) : wholeOf(stored));
    },
    async upload(upload) {
      return mint(await storeUpload(pool, files, upload));
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

/** Those whose bytes are not here yet stay as they are. */
function showImages(html: string, attachments: AttachmentView[]): string {
  return html.replace(/(["'])attachment:(\d{1,3})\1/g, (whole, quote: string, position: string) => {
    const { url = null } = attachments[Number(position)] ?? {};
    return url === null ? whole : `${quote}${url}${quote}`;
  });
}

async function findStored(sql: Sql, id: string): Promise<StoredAttachment | undefined> {
  const [row] = await sql<StoredAttachment[]>`
    select id, business_id, name, content_type, size_bytes, sha256, storage_key
    from attachments where id = ${id} and storage_key is not null and state in ('ready', 'uploaded')`;
  return row;
}

function wholeOf({ name, content_type, size_bytes, sha256, storage_key }: StoredAttachment): OpenedFile {
  const etag = `"${sha256.toString('hex')}"`;
  return { name, contentType: content_type, sizeBytes: size_bytes, etag, storageKey: storage_key };
}

function thumbnailOf(stored: StoredAttachment): OpenedFile {
  const { name, sha256, storage_key } = stored;
  return {
    name: `${name}.webp`,
    contentType: 'image/webp',
    sizeBytes: undefined,
    etag: `"thumbnail-${sha256.toString('hex')}"`,
    storageKey: thumbnailKey(storage_key),
  };
}

/** How an attachment's source is kept: it may hold a provider's token, so it is bound to its row and encrypted. */
export function sealSource(
  secrets: Secrets,
  { businessId, attachmentId }: { businessId: string; attachmentId: string },
  source: AttachmentRef,
): Buffer {
  return secrets.encrypt(JSON.stringify(source), { businessId, rowId: attachmentId, field: 'source' });
}
