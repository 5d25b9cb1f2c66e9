import type { Channels, LoadedChannel } from '../channels.ts';
import type { Sql } from '../database/connect.ts';
import { recordset } from '../database/recordset.ts';
import type { Transact } from '../database/transact.ts';
import { type AppError, invalidField } from '../errors.ts';
import type { ListWindow } from '../list-window.ts';
import { refuseAsProvider } from '../messages/provider-refusal.ts';
import type { Template, TemplateInput } from '../template.ts';

interface TemplateDeps {
  pool: Sql;
  transact: Transact;
  channels: Pick<Channels, 'load' | 'markBroken'>;
}

/** Asks the provider for the account's templates and keeps them. Never inside a transaction. */
async function syncTemplates(deps: TemplateDeps, loaded: LoadedChannel): Promise<void> {
  const { adapter, channel, row } = loaded;
  if (adapter.templates === undefined) throw noTemplates();
  const listed = await adapter
    .templates(channel)
    .catch((error: unknown) => refuseAsProvider(deps.channels, loaded, error));
  await deps.transact((tx) => storeTemplates(tx, row, listed));
}

function noTemplates(): AppError {
  return invalidField('template', 'is nothing that this channel has');
}

type Owner = { id: string; business_id: string };

async function storeTemplates(tx: Sql, { id, business_id }: Owner, listed: Template[]): Promise<void> {
  await tx`update channels set templates_synced_at = now() where id = ${id}`;
  const rows = [...new Map(listed.map((template) => [template.id, template])).values()].map((template) => ({
    channel_id: id,
    business_id,
    external_id: template.id,
    name: template.name,
    language: template.language,
    status: template.status,
    template,
  }));
  await tx`delete from templates where channel_id = ${id} and external_id <> all(${rows.map((row) => row.external_id)})`;
  await tx`
    insert into templates (channel_id, business_id, external_id, name, language, status, template)
    select channel_id, business_id, external_id, name, language, status, template
    from json_to_recordset(${recordset(tx, rows)}) as r(channel_id uuid, business_id uuid, external_id text, name text,
      language text, status text, template jsonb)
    on conflict (channel_id, external_id) do update set name = excluded.name, language = excluded.language,
      status = excluded.status, template = excluded.template`;
}

const FRESH_MS = 600_000;

/** When the templates were listed last; asks the provider where that is too long ago, or at the caller's wish. */
export async function freshTemplates(
  deps: TemplateDeps,
  loaded: LoadedChannel,
  { refresh }: { refresh: boolean },
): Promise<Date | null> {
  if (loaded.adapter.templates === undefined) return null;
  const before = await syncedAt(deps.pool, loaded);
  if (!refresh && before !== null && Date.now() - before.getTime() < FRESH_MS) return before;
  try {
    await syncTemplates(deps, loaded);
  } catch (error) {
    // A list from before is better than none, unless somebody asks for the newest.
    if (refresh || before === null) throw error;
  }
  return syncedAt(deps.pool, loaded);
}

async function syncedAt(sql: Sql, { row }: LoadedChannel): Promise<Date | null> {
  const [found] = await sql<{ templates_synced_at: Date | null }[]>`
    select templates_synced_at from channels where id = ${row.id}`;
  return found?.templates_synced_at ?? null;
}

/** Before a message is queued: a template that is not known yet may be new. */
export async function learnTemplate(
  deps: TemplateDeps,
  channelId: string,
  input: TemplateInput | undefined,
): Promise<void> {
  const loaded = input === undefined ? undefined : await deps.channels.load(channelId);
  if (input === undefined || loaded === undefined) return;
  if ((await matching(deps.pool, channelId, input)).length === 0) await syncTemplates(deps, loaded);
}

export interface TemplateFilter {
  name: string | undefined;
  language: string | undefined;
  status: string | undefined;
}

/** One window of the channel's templates, by name. */
export async function listTemplates(
  sql: Sql,
  { row, filter }: { row: Owner; filter: TemplateFilter },
  { after, offset, fetch }: ListWindow,
): Promise<Template[]> {
  const { name, language, status } = filter;
  const rows = await sql<{ template: Template }[]>`
    select template from templates
    where channel_id = ${row.id}
      ${name === undefined ? sql`` : sql`and name = ${name}`}
      ${language === undefined ? sql`` : sql`and language = ${language}`}
      ${status === undefined ? sql`` : sql`and status = ${status}`}
      ${after === undefined ? sql`` : sql`and (name, language, external_id) > (${after[0] ?? ''}, ${after[1] ?? ''}, ${after[2] ?? ''})`}
    order by name, language, external_id limit ${fetch} offset ${offset}`;
  return rows.map(({ template }) => template);
}

/** The one template that is meant. Throws a refusal that names the field when there is none, or more than one. */
export async function findTemplate(sql: Sql, channelId: string, input: TemplateInput): Promise<Template> {
  const found = await matching(sql, channelId, input);
  const [first, ...others] = found;
  if (first === undefined)
    throw invalidField('template.name', 'is no template of this channel in this language');
  if (others.length === 0) return first;
  const languages = found.map(({ language }) => language).join(', ');
  throw invalidField('template.language', `must be one of ${languages}`);
}

async function matching(
  sql: Sql,
  channelId: string,
  { id, name, language }: TemplateInput,
): Promise<Template[]> {
  const rows = await sql<{ template: Template }[]>`
    select template from templates
    where channel_id = ${channelId}
      ${id === undefined ? sql`` : sql`and external_id = ${id}`}
      ${name === undefined ? sql`` : sql`and name = ${name}`}
      ${language === undefined ? sql`` : sql`and language = ${language}`}
    order by language limit 100`;
  return rows.map(({ template }) => template);
}
