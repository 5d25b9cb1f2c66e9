import type { AttachmentDraft } from './attachments/attach.ts';
import { removeFiles } from './attachments/removed-files.ts';
import { AGENT_SIDE } from './attachments/uploads.ts';
import { containing } from './containing.ts';
import type { Sql } from './database/connect.ts';
import { refuseTaken } from './database/taken.ts';
import type { EgressGuard } from './egress.ts';
import { AppError, invalidField } from './errors.ts';
import { isUuid, newId } from './id.ts';
import type { ListWindow } from './list-window.ts';
import { checkPlaceholders } from './placeholders.ts';

/** A file of a canned response: one that we keep, or an address elsewhere. */
export type CannedAttachment = {
  name: string | null;
  type: string | null;
  size: number | null;
} & ({ id: string } | { url: string });

export interface CannedResponseRow {
  id: string;
  business_id: string;
  title: string;
  shortcut: string | null;
  content: string;
  attachments: CannedAttachment[];
  created_at: Date;
  updated_at: Date;
}

export interface CannedResponseFields {
  title?: string | undefined;
  shortcut?: string | null | undefined;
  content?: string | undefined;
  attachments?: AttachmentDraft[] | undefined;
}

export interface Files {
  egress: Pick<EgressGuard, 'vetUrl'>;
  idOfUrl(url: string): string | undefined;
}

interface CannedFilter {
  businessId: string;
  q?: string | undefined;
  shortcut?: string | undefined;
}

/** One window of the business's canned responses, the oldest first. */
export function listCannedResponses(
  sql: Sql,
  { businessId, q, shortcut }: CannedFilter,
  { after, fetch, offset }: ListWindow,
): Promise<CannedResponseRow[]> {
  const pattern = containing(q ?? '');
  return sql<CannedResponseRow[]>`
    select * from canned_responses
    where business_id = ${businessId}
      ${q === undefined ? sql`` : sql`and (title ilike ${pattern} or shortcut ilike ${pattern} or content ilike ${pattern})`}
      ${shortcut === undefined ? sql`` : sql`and lower(ltrim(shortcut, '/')) = lower(ltrim(${shortcut}, '/'))`}
      ${after === undefined ? sql`` : sql`and id > ${after[0] ?? null}::uuid`}
    order by id limit ${fetch} offset ${offset}`;
}

/** How many canned responses the business has. */
export async function countCannedResponses(sql: Sql, businessId: string): Promise<number> {
  const [row] = await sql<[{ total: number }]>`
    select count(*)::int as total from canned_responses where business_id = ${businessId}`;
  return row.total;
}

/** The business's canned response. Throws `not_found` for any other id. */
export async function findCannedResponse(
  sql: Sql,
  businessId: string,
  id: string,
): Promise<CannedResponseRow> {
  const [row] = isUuid(id)
    ? await sql<CannedResponseRow[]>`
        select * from canned_responses where id = ${id} and business_id = ${businessId}`
    : [];
  if (row === undefined) throw notFound();
  return row;
}

function notFound(): AppError {
  return new AppError('not_found', 'There is no such canned response.');
}

interface Creation {
  businessId: string;
  fields: CannedResponseFields & { title: string; content: string };
  files: Files;
}

/** Stores a new canned response. */
export async function createCannedResponse(
  tx: Sql,
  { businessId, fields, files }: Creation,
): Promise<CannedResponseRow> {
  checkPlaceholders(fields.content, 'content');
  const id = newId();
  const attachments = await keepFiles(tx, { id, businessId, drafts: fields.attachments ?? [], files });
  const row = {
    id,
    business_id: businessId,
    title: fields.title,
    shortcut: fields.shortcut ?? null,
    content: fields.content,
    attachments: tx.json(attachments),
  };
  const [created] = await tx<[CannedResponseRow]>`
    insert into canned_responses ${tx(row)} returning *`.catch(refuseTaken('shortcut', 'canned response'));
  return created;
}

interface Edit {
  businessId: string;
  id: string;
  fields: CannedResponseFields;
  files: Files;
}

/** Changes what is named; `attachments` replaces all of them. */
export async function changeCannedResponse(
  tx: Sql,
  { businessId, id, fields, files }: Edit,
): Promise<CannedResponseRow> {
  await findCannedResponse(tx, businessId, id);
  const [before] = await tx<CannedResponseRow[]>`select * from canned_responses where id = ${id} for update`;
  // Somebody was faster to delete it.
  if (before === undefined) throw notFound();
  const { title = before.title, content = before.content, shortcut = before.shortcut } = fields;
  checkPlaceholders(content, 'content');
  const attachments =
    fields.attachments === undefined
      ? before.attachments
      : await keepFiles(tx, { id, businessId, drafts: fields.attachments, files });
  const [after] = await tx<[CannedResponseRow]>`
    update canned_responses set title = ${title}, content = ${content}, shortcut = ${shortcut},
      attachments = ${tx.json(attachments)}, updated_at = now()
    where id = ${id} returning *`.catch(refuseTaken('shortcut', 'canned response'));
  return after;
}

/** Takes a canned response away, its files too; messages that it was put into keep theirs. */
export async function removeCannedResponse(tx: Sql, businessId: string, id: string): Promise<void> {
  await findCannedResponse(tx, businessId, id);
  await letGoOfFiles(tx, id, []);
  await tx`delete from canned_responses where id = ${id}`;
}

interface Keeping {
  id: string;
  businessId: string;
  drafts: AttachmentDraft[];
  files: Files;
}

/** The files that it is to have: its own stay, uploads become its own, and what is not named any more goes. */
async function keepFiles(tx: Sql, keeping: Keeping): Promise<CannedAttachment[]> {
  const kept: CannedAttachment[] = [];
  for (const [position, draft] of keeping.drafts.entries()) {
    kept.push(await keepFile(tx, keeping, { draft, field: `attachments.${position}` }));
  }
  const ids = kept.flatMap((one) => ('id' in one ? [one.id] : []));
  await letGoOfFiles(tx, keeping.id, ids);
  return kept;
}

interface Place {
  draft: AttachmentDraft;
  field: string;
}

async function keepFile(tx: Sql, keeping: Keeping, { draft, field }: Place): Promise<CannedAttachment> {
  const { url = '', name = null, type = null, size = null } = draft;
  const ours = draft.id ?? keeping.files.idOfUrl(url);
  if (ours !== undefined) return keepUpload(tx, keeping, { draft: { ...draft, id: ours }, field });
  keeping.files.egress.vetUrl(url, `${field}.url`);
  return { url, name, type, size };
}

/** An upload of the agent side that no message has taken, or one that it has already. */
async function keepUpload(
  tx: Sql,
  { id, businessId }: Keeping,
  { draft, field }: Place,
): Promise<CannedAttachment> {
  const [file] = isUuid(draft.id ?? '')
    ? await tx<{ id: string; name: string; content_type: string; size_bytes: number }[]>`
        update attachments set state = 'ready', canned_response_id = ${id}, conversation_id = null
        where id = ${draft.id ?? null} and business_id = ${businessId} and storage_key is not null
          and (canned_response_id = ${id} or state = 'uploaded' and uploaded_by = ${AGENT_SIDE})
        returning id, name, content_type, size_bytes`
    : [];
  if (file === undefined) throw invalidField(field, 'is not an unused upload of yours');
  return { id: file.id, name: draft.name ?? file.name, type: file.content_type, size: file.size_bytes };
}

async function letGoOfFiles(tx: Sql, id: string, except: string[]): Promise<void> {
  const rows = await tx<{ storage_key: string | null }[]>`
    delete from attachments where canned_response_id = ${id} and id <> all(${except}::uuid[])
    returning storage_key`;
  await removeFiles(tx, rows);
}
