import { z } from 'zod';
import type { Sql } from '../core/database/connect.ts';
import type { EgressGuard } from '../core/egress.ts';
import { AppError, invalidField } from '../core/errors.ts';
import { EVENT_TYPES } from '../core/events.ts';
import { isUuid, newId } from '../core/id.ts';
import { scheduleLanes } from '../core/lanes.ts';
import type { Secrets } from '../core/secrets.ts';
import { isoOrNull } from '../core/views/time.ts';
import { addSecret, type Rotation, rotateSecret } from './endpoint-secrets.ts';
import { endpointLane } from './fanout.ts';
import type { Dialect } from './payload.ts';

export interface EndpointRow {
  id: string;
  business_id: string;
  url: string;
  events: string[];
  description: string | null;
  dialect: Dialect;
  /** Deliveries a second. */
  rate_limit: number | null;
  is_active: boolean;
  failing_since: Date | null;
  failing_announced_at: Date | null;
  disabled_at: Date | null;
  disabled_reason: string | null;
  created_at: Date;
  updated_at: Date;
}

export const endpointView = z.object({
  id: z.string(),
  business_id: z.string(),
  url: z.string(),
  events: z.array(z.string()),
  description: z.string().nullable(),
  rate_limit: z.number().int().nullable(),
  is_active: z.boolean(),
  failing_since: z.string().nullable(),
  disabled_at: z.string().nullable(),
  disabled_reason: z.string().nullable(),
  created_at: z.string(),
  updated_at: z.string(),
});
export type EndpointView = z.infer<typeof endpointView>;

/** The endpoint as the API and events show it, without its secrets. */
export function viewEndpoint(row: EndpointRow): EndpointView {
  return {
    id: row.id,
    business_id: row.business_id,
    url: row.url,
    events: row.events,
    description: row.description,
    rate_limit: row.rate_limit,
    is_active: row.is_active,
    failing_since: isoOrNull(row.failing_since),
    disabled_at: isoOrNull(row.disabled_at),
    disabled_reason: row.disabled_reason,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

export interface EndpointFields {
  url?: string | undefined;
  events?: string[] | undefined;
  description?: string | null | undefined;
  rate_limit?: number | null | undefined;
  is_active?: boolean | undefined;
}

export interface NewEndpoint extends EndpointFields {
  businessId: string;
  url: string;
  events: string[];
  dialect: Dialect;
}

interface Guards {
  secrets: Secrets;
  egress: EgressGuard;
}

/** Stores an endpoint and its first secret, which is shown this once. */
export async function createEndpoint(tx: Sql, draft: NewEndpoint, { secrets, egress }: Guards) {
  const row = {
    id: newId(),
    business_id: draft.businessId,
    dialect: draft.dialect,
    ...columnsOf(draft, egress),
  };
  const [endpoint] = await tx<[EndpointRow]>`insert into webhook_endpoints ${tx(row as never)} returning *`;
  return { endpoint, secret: await addSecret(tx, endpoint, { secrets, kind: 'v1' }) };
}

/** Which rows of a list are asked for; `after` is the sort key of the last row of the page before. */
export interface Window {
  after: string[] | undefined;
  fetch: number;
  offset: number;
}

/** The business's endpoints, newest first. */
export async function listEndpoints(sql: Sql, businessId: string, window: Window): Promise<EndpointRow[]> {
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

/** Changes what is named. Switching one on again forgives what it failed before. */
export async function updateEndpoint(
  tx: Sql,
  { businessId, id, fields }: { businessId: string; id: string; fields: EndpointFields },
  egress: EgressGuard,
): Promise<EndpointRow> {
  const before = await lockEndpoint(tx, businessId, id);
  const revived = fields.is_active === true && !before.is_active;
  const forgiven = {
    failing_since: null,
    failing_announced_at: null,
    disabled_at: null,
    disabled_reason: null,
  };
  const set = { ...columnsOf(fields, egress), ...(revived ? forgiven : {}), updated_at: new Date() };
  const [endpoint] = await tx<
    [EndpointRow]
  >`update webhook_endpoints set ${tx(set as never)} where id = ${id} returning *`;
  await scheduleLanes(tx, [endpointLane(id)]);
  return endpoint;
}

/** Deletes the endpoint; its lane cancels what was still to be delivered. */
export async function deleteEndpoint(tx: Sql, businessId: string, id: string): Promise<void> {
  await lockEndpoint(tx, businessId, id);
  await tx`update webhook_endpoints set deleted_at = now(), is_active = false, updated_at = now() where id = ${id}`;
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
  return endpoint;
}

async function lockEndpoint(tx: Sql, businessId: string, id: string): Promise<EndpointRow> {
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

function columnsOf({ url, events, description, rate_limit, is_active }: EndpointFields, egress: EgressGuard) {
  return {
    ...(url === undefined ? {} : { url: vetted(url, egress) }),
    ...(events === undefined ? {} : { events: vetEvents(events) }),
    ...(description === undefined ? {} : { description }),
    ...(rate_limit === undefined ? {} : { rate_limit }),
    ...(is_active === undefined ? {} : { is_active }),
  };
}

/** Kept as it was written, so that it reads back the same. */
function vetted(url: string, egress: EgressGuard): string {
  egress.vetUrl(url, 'url');
  return url;
}

const KNOWN_EVENTS: ReadonlySet<string> = new Set(['*', ...EVENT_TYPES]);

function vetEvents(events: string[]): string[] {
  if (events.length === 0) throw invalidField('events', 'must name at least one event type, or "*"');
  const unknown = events.find((type) => !KNOWN_EVENTS.has(type));
  if (unknown !== undefined) throw invalidField('events', `"${unknown}" is no event type`);
  return events.includes('*') ? ['*'] : [...new Set(events)];
}
