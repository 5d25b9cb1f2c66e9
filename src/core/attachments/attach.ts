import type { Limits } from '../adapter.ts';
import { sealSource } from '../attachments.ts';
import type { Sql } from '../database/connect.ts';
import { invalidField } from '../errors.ts';
import { isUuid, newId } from '../id.ts';
import { laneKey } from '../lanes/lane-key.ts';
import type { Secrets } from '../secrets.ts';
import { lastSegment } from './download.ts';
import { mediaType, safeFileName } from './file-name.ts';
import { isConvertible, type PictureLimits } from './picture.ts';
import { AGENT_SIDE } from './uploads.ts';

/** What a new message names: an upload by its id, an address of ours, or any public http(s) address. */
export interface AttachmentDraft {
  id?: string | undefined;
  url?: string | undefined;
  name?: string | undefined;
  type?: string | undefined;
  size?: number | undefined;
}

interface AttachingMessage {
  id: string;
  businessId: string;
  conversationId: string;
}

interface Attaching {
  drafts: AttachmentDraft[];
  secrets: Secrets;
  idOfUrl(url: string): string | undefined;
  /** What the channel takes; undefined where nothing is sent. */
  limits: Limits | undefined;
}

/** Puts the named attachments into a message; those whose bytes are not here yet are `pending`. Returns the lanes to wake. */
export async function attachToMessage(
  tx: Sql,
  message: AttachingMessage,
  options: Attaching,
): Promise<string[]> {
  const wakes: string[] = [];
  for (const [position, draft] of options.drafts.entries()) {
    wakes.push(
      ...(await attach(tx, message, { ...options, draft, position, field: `attachments.${position}` })),
    );
  }
  return wakes;
}

interface Place extends Attaching {
  draft: AttachmentDraft;
  position: number;
  field: string;
}

async function attach(tx: Sql, message: AttachingMessage, place: Place): Promise<string[]> {
  const { draft, position, field, secrets, idOfUrl } = place;
  const shown = draft.url === undefined ? undefined : idOfUrl(draft.url);
  const ours = draft.id ?? shown;
  const upload = ours === undefined ? undefined : await claimUpload(tx, message, { id: ours, place });
  if (upload !== undefined) return fitUpload(tx, upload, place);
  // Our answers name a file by both its id and its address, and may come back as they are.
  if (draft.url === undefined || (draft.id !== undefined && draft.id !== shown)) {
    throw invalidField(`${field}.id`, 'is not an unused upload of yours');
  }
  if (ours === undefined)
    return [await insertPending(tx, message, { draft, position, ref: { url: draft.url }, secrets })];
  const copied = await findCopied(tx, message, { id: ours, place });
  const { name = copied.name } = draft;
  const asItWas = { name, type: copied.content_type, size: copied.size_bytes };
  return [await insertPending(tx, message, { draft: asItWas, position, ref: { copyOf: ours }, secrets })];
}

interface Stored {
  id: string;
  business_id: string;
  name: string;
  content_type: string;
  size_bytes: number;
  storage_key: string;
}

/** An upload becomes part of one message, once, and only of its uploader's. */
async function claimUpload(
  tx: Sql,
  message: AttachingMessage,
  { id, place }: { id: string; place: Place },
): Promise<Stored | undefined> {
  if (!isUuid(id)) return undefined;
  const { name } = place.draft;
  const [row] = await tx<Stored[]>`
    update attachments
    set state = 'ready', message_id = ${message.id}, conversation_id = ${message.conversationId},
      position = ${place.position}, name = coalesce(${name === undefined ? null : safeFileName(name)}, name)
    where id = ${id} and business_id = ${message.businessId} and state = 'uploaded' and storage_key is not null
      and uploaded_by = ${AGENT_SIDE}
      and (conversation_id is null or conversation_id = ${message.conversationId})
    returning *`;
  return row;
}

/** What the channel does not show as it is gets converted, as if it were fetched from our own storage. */
async function fitUpload(tx: Sql, upload: Stored, { secrets, limits, field }: Place): Promise<string[]> {
  const { id, business_id: businessId, storage_key: stored } = upload;
  if (!needsFitting(upload, limits?.pictures)) {
    refuseTooLarge(upload, limits, field);
    return [];
  }
  const source = sealSource(secrets, { businessId, attachmentId: id }, { ref: { stored } });
  await tx`
    update attachments set state = 'pending', version = version + 1, source = ${source}, next_attempt_at = now()
    where id = ${id}`;
  return [laneKey('fetch', id)];
}

function needsFitting({ content_type, size_bytes }: Stored, pictures: PictureLimits | undefined): boolean {
  if (pictures === undefined || !isConvertible(content_type)) return false;
  return !pictures.types.includes(content_type) || size_bytes > pictures.bytes;
}

function refuseTooLarge({ size_bytes }: Stored, limits: Limits | undefined, field: string): void {
  if (limits === undefined || size_bytes <= limits.outboundBytes) return;
  const megabytes = Math.floor(limits.outboundBytes / 100_000) / 10;
  throw invalidField(field, `is larger than this channel takes (${megabytes} MB)`);
}

/** An attachment of an earlier message is copied, so that each message can lose its own. */
async function findCopied(
  tx: Sql,
  message: AttachingMessage,
  { id, place }: { id: string; place: Place },
): Promise<Stored> {
  const [row] = await tx<Stored[]>`
    select * from attachments where id = ${id} and business_id = ${message.businessId} and state = 'ready'`;
  if (row === undefined) throw invalidField(`${place.field}.url`, 'is not an attachment of yours');
  if (!needsFitting(row, place.limits?.pictures)) refuseTooLarge(row, place.limits, place.field);
  return row;
}

async function insertPending(
  tx: Sql,
  message: AttachingMessage,
  options: { draft: AttachmentDraft; position: number; ref: Record<string, unknown>; secrets: Secrets },
): Promise<string> {
  const { draft, position, ref, secrets } = options;
  const id = newId();
  const row = {
    id,
    business_id: message.businessId,
    conversation_id: message.conversationId,
    message_id: message.id,
    position,
    name: safeFileName(draft.name ?? nameIn(draft.url)),
    content_type: mediaType(draft.type),
    size_bytes: draft.size ?? null,
    state: 'pending',
    source: sealSource(secrets, { businessId: message.businessId, attachmentId: id }, { ref }),
    next_attempt_at: new Date(),
  };
  await tx`insert into attachments ${tx(row)}`;
  return laneKey('fetch', id);
}

function nameIn(url: string | undefined): string | undefined {
  return url !== undefined && URL.canParse(url) ? lastSegment(new URL(url).pathname) : undefined;
}
