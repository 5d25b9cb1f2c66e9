import { AGENT_SIDE, sealSource } from './attachments.ts';
import type { Sql } from './database/connect.ts';
import { invalidField } from './errors.ts';
import { mediaType, safeFileName } from './file-name.ts';
import { isUuid, newId } from './id.ts';
import type { Secrets } from './secrets.ts';

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

/** Puts the named attachments into a message; those whose bytes are not here yet are `pending`. Returns the lanes to wake. */
export async function attachToMessage(
  tx: Sql,
  message: AttachingMessage,
  {
    drafts,
    secrets,
    idOfUrl,
  }: { drafts: AttachmentDraft[]; secrets: Secrets; idOfUrl(url: string): string | undefined },
): Promise<string[]> {
  const wakes: string[] = [];
  for (const [position, draft] of drafts.entries()) {
    const field = `attachments.${position}`;
    const ours = draft.id ?? (draft.url === undefined ? undefined : idOfUrl(draft.url));
    if (ours !== undefined && (await claimUpload(tx, message, { id: ours, position, name: draft.name })))
      continue;
    if (draft.id !== undefined || draft.url === undefined) {
      throw invalidField(`${field}.id`, 'is not an unused upload of yours');
    }
    const ref = ours === undefined ? { url: draft.url } : await copyOf(tx, message, { id: ours, field });
    wakes.push(await insertPending(tx, message, { draft, position, ref, secrets }));
  }
  return wakes;
}

/** An upload becomes part of one message, once, and only of its uploader's. */
async function claimUpload(
  tx: Sql,
  message: AttachingMessage,
  { id, position, name }: { id: string; position: number; name: string | undefined },
): Promise<boolean> {
  if (!isUuid(id)) return false;
  const rows = await tx`
    update attachments
    set state = 'ready', message_id = ${message.id}, conversation_id = ${message.conversationId},
      position = ${position}, name = coalesce(${name === undefined ? null : safeFileName(name)}, name)
    where id = ${id} and business_id = ${message.businessId} and state = 'uploaded'
      and uploaded_by = ${AGENT_SIDE}
      and (conversation_id is null or conversation_id = ${message.conversationId})
    returning id`;
  return rows.length === 1;
}

/** An attachment of an earlier message is copied, so that each message can lose its own. */
async function copyOf(tx: Sql, message: AttachingMessage, { id, field }: { id: string; field: string }) {
  const rows = await tx`
    select id from attachments where id = ${id} and business_id = ${message.businessId} and state = 'ready'`;
  if (rows.length === 0) throw invalidField(`${field}.url`, 'is not an attachment of yours');
  return { copyOf: id };
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
    name: safeFileName(draft.name ?? lastSegment(draft.url)),
    content_type: mediaType(draft.type),
    size_bytes: draft.size ?? null,
    state: 'pending',
    source: sealSource(secrets, { businessId: message.businessId, attachmentId: id }, { ref }),
    next_attempt_at: new Date(),
  };
  await tx`insert into attachments ${tx(row)}`;
  return `fetch:${id}`;
}

function lastSegment(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const segment = new URL(url).pathname.split('/').at(-1) ?? '';
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
