import type { Sql } from '../core/database/connect.ts';
import type { EgressGuard } from '../core/egress.ts';
import { AppError, invalidField } from '../core/errors.ts';
import { isUuid, newId } from '../core/id.ts';
import { scheduleLanes } from '../core/lanes.ts';
import type { ListWindow } from '../core/list-window.ts';
import type { Secrets } from '../core/secrets.ts';
import { sealClientCertificate, vetClientCertificate } from './client-certificate.ts';
import { columnsOf, type EndpointFields } from './endpoint-fields.ts';
import { addSecret, dropSecrets, type Rotation, rotateSecret } from './endpoint-secrets.ts';
import type { EndpointRow } from './endpoint-view.ts';
import { endpointLane } from './fanout.ts';
import { sealHeaders } from './headers.ts';
import type { Dialect } from './payload.ts';

export interface NewEndpoint extends EndpointFields {
  businessId: string;
  url: string;
  events: string[];
  dialect: Dialect;
  /** A symmetric secret that the receiver already holds; else one is generated. */
  secret?: string | undefined;
}

interface Guards {
  secrets: Secrets;
  egress: EgressGuard;
}

// Should none of them ever answer, half of the lanes that a process works at once are left for everybody else.
const MAX_ENDPOINTS = 500;

/** Stores an endpoint and its first secret, which is shown this once. */
export async function createEndpoint(tx: Sql, draft: NewEndpoint, { secrets, egress }: Guards) {
  const { businessId, dialect, secret: given, ...fields } = draft;
  await refuseTooMany(tx, businessId);
  const owner = { id: newId(), business_id: businessId };
  const shown = fields.client_certificate ?? null;
  if (shown !== null) vetClientCertificate(shown, fields.url);
  const row = {
    ...owner,
    dialect,
    ...columnsOf(fields, egress),
    ...sealHeaders(secrets, owner, fields.headers ?? null),
    ...sealClientCertificate(secrets, owner, shown),
  };
  const [endpoint] = await tx<[EndpointRow]>`insert into webhook_endpoints ${tx(row as never)} returning *`;
  if (endpoint.signatures.includes('v1a')) await addSecret(tx, endpoint, { secrets, kind: 'v1a' });
  return { endpoint, secret: await addSecret(tx, endpoint, { secrets, kind: 'v1', given }) };
}

async function refuseTooMany(tx: Sql, businessId: string): Promise<void> {
  const [row] = await tx<[{ count: number }]>`
    select count(*) from webhook_endpoints where business_id = ${businessId} and deleted_at is null`;
  if (row.count >= MAX_ENDPOINTS)
    throw new AppError('conflict', `A business has ${MAX_ENDPOINTS} webhook endpoints at most.`);
}

/** The business's endpoints, newest first. */
export async function listEndpoints(
  sql: Sql,
  businessId: string,
  window: ListWindow,
): Promise<EndpointRow[]> {
  return sql<EndpointRow[]>`
    select * from webhook_endpoints
    where business_id = ${businessId} and deleted_at is null
      ${window.after === undefined ? sql`` : sql`and id < ${window.after[0] ?? ''}::uuid`}
    order by id desc limit ${window.fetch} offset ${window.offset}`;
}

/** The business's endpoint. Throws `not_found` for any other id. */
export async function findEndpoint(sql: Sql, businessId: string, id: string): Promise<EndpointRow> {
  const endpoint = await findEndpointById(sql, id);
  if (endpoint?.business_id !== businessId) throw notFound();
  return endpoint;
}

/** An endpoint of any business, unless it was deleted. */
export async function findEndpointById(sql: Sql, id: string): Promise<EndpointRow | undefined> {
  if (!isUuid(id)) return undefined;
  const [row] = await sql<
    EndpointRow[]
  >`select * from webhook_endpoints where id = ${id} and deleted_at is null`;
  return row;
}

export interface EndpointChange {
  businessId: string;
  id: string;
  fields: EndpointFields;
}

/** Changes what is named. Switching one on again forgives what it failed before. */
export async function updateEndpoint(
  tx: Sql,
  { businessId, id, fields }: EndpointChange,
  { secrets, egress }: Guards,
): Promise<EndpointRow> {
  const before = await lockEndpoint(tx, businessId, id);
  refuseLeak(before, fields);
  const shown = fields.client_certificate;
  if (shown) vetClientCertificate(shown, fields.url ?? before.url);
  const set = {
    ...columnsOf(fields, egress),
    ...(fields.headers === undefined ? {} : sealHeaders(secrets, before, fields.headers)),
    ...(shown === undefined ? {} : sealClientCertificate(secrets, before, shown)),
    ...switched(before, fields),
    paused_until: null,
    updated_at: new Date(),
  };
  const [endpoint] = await tx<
    [EndpointRow]
  >`update webhook_endpoints set ${tx(set as never)} where id = ${id} returning *`;
  if (fields.signatures !== undefined) await followSignatures(tx, { before, endpoint }, secrets);
  await scheduleLanes(tx, [endpointLane(id)]);
  return endpoint;
}

/** Whoever may change the address must not learn, or be taken for, what was meant for another one. */
function refuseLeak(before: EndpointRow, { url, ...given }: EndpointFields): void {
  if (url === undefined || URL.parse(url)?.origin === URL.parse(before.url)?.origin) return;
  for (const field of ['headers', 'client_certificate'] as const) {
    if (before[field] !== null && given[field] === undefined)
      throw invalidField(field, 'must be given again for another host');
  }
}

const FORGIVEN = {
  failing_since: null,
  failing_announced_at: null,
  disabled_at: null,
  disabled_reason: null,
};

/** What changes with being switched on or off; from then on it misses what happens. */
function switched(before: EndpointRow, { is_active }: EndpointFields) {
  if (is_active === undefined || is_active === before.is_active) return {};
  return is_active ? FORGIVEN : { missed_since: before.missed_since ?? new Date() };
}

async function followSignatures(
  tx: Sql,
  { before, endpoint }: { before: EndpointRow; endpoint: EndpointRow },
  secrets: Secrets,
): Promise<void> {
  const [had, has] = [before, endpoint].map(({ signatures }) => signatures.includes('v1a'));
  if (has && !had) await addSecret(tx, endpoint, { secrets, kind: 'v1a' });
  if (had && !has) await dropSecrets(tx, endpoint.id, 'v1a');
}

/** Deletes the endpoint; its lane cancels what was still to be delivered. */
export async function deleteEndpoint(tx: Sql, businessId: string, id: string): Promise<void> {
  await lockEndpoint(tx, businessId, id);
  await tx`
    update webhook_endpoints
    set deleted_at = now(), is_active = false, headers = null, header_names = '{}',
      client_certificate = null, client_key = null, updated_at = now()
    where id = ${id}`;
  await tx`delete from endpoint_secrets where endpoint_id = ${id}`;
  await scheduleLanes(tx, [endpointLane(id)]);
}

/** Gives the endpoint a new secret; the old one goes on signing for the overlap. */
export async function rotateEndpointSecret(
  tx: Sql,
  { businessId, id }: { businessId: string; id: string },
  rotation: Rotation & { secrets: Secrets },
): Promise<EndpointRow> {
  const endpoint = await lockEndpoint(tx, businessId, id);
  await rotateSecret(tx, endpoint, rotation);
  if (rotation.kind === 'v1a')
    await tx`update webhook_endpoints set signatures = '{v1,v1a}' where id = ${id} and signatures = '{v1}'`;
  return endpoint;
}

/** The endpoint, which nobody else changes until this transaction ends. Throws `not_found` for any other id. */
export async function lockEndpoint(tx: Sql, businessId: string, id: string): Promise<EndpointRow> {
  const [row] = isUuid(id)
    ? await tx<EndpointRow[]>`
        select * from webhook_endpoints
        where id = ${id} and business_id = ${businessId} and deleted_at is null for update`
    : [];
  if (row === undefined) throw notFound();
  return row;
}

function notFound(): AppError {
  return new AppError('not_found', 'There is no such webhook endpoint.');
}
