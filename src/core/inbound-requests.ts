import type { DoorRequest } from './adapter.ts';
import type { Sql } from './database/connect.ts';
import type { AttachmentRef } from './envelope.ts';
import { AppError } from './errors.ts';
import { isUuid } from './id.ts';
import type { ListWindow } from './list-window.ts';

export const INBOUND_STATUSES = ['processed', 'ignored', 'failed'] as const;
export type InboundStatus = (typeof INBOUND_STATUSES)[number];

/** One request that a provider sent us. */
export interface InboundRequestRow {
  id: string;
  received_at: Date;
  business_id: string;
  channel_id: string;
  customer_id: string | null;
  status: InboundStatus;
  headers: Record<string, string>;
  url: string | null;
  body: Buffer | null;
  reason: string | null;
}

/** A listed request, without its body. */
export interface ListedInboundRequest extends Omit<InboundRequestRow, 'body' | 'headers' | 'url'> {
  /** When it came, with the microseconds that a Date loses. */
  received_text: string;
}

interface ListOptions {
  businessId: string;
  status: InboundStatus | undefined;
  channelId: string | undefined;
  page: ListWindow;
}

/** What providers sent to a business, newest first. */
export function listInboundRequests(sql: Sql, { businessId, status, channelId, page }: ListOptions) {
  const [receivedAt, id] = page.after ?? [];
  return sql<ListedInboundRequest[]>`
    select id, received_at, business_id, channel_id, customer_id, status, reason, received_at::text as received_text
    from inbound_requests
    where business_id = ${businessId} ${status === undefined ? sql`` : sql`and status = ${status}`}
      ${channelId === undefined ? sql`` : sql`and channel_id = ${channelId}`}
      ${receivedAt === undefined || id === undefined ? sql`` : sql`and (received_at, id) < (${receivedAt}::text::timestamptz, ${id}::uuid)`}
    order by received_at desc, id desc limit ${page.fetch} offset ${page.offset}`;
}

/** One request with its raw body. Throws `not_found` for another business's. */
export async function findInboundRequest(
  sql: Sql,
  businessId: string,
  id: string,
): Promise<InboundRequestRow> {
  const [row] = isUuid(id)
    ? await sql<
        InboundRequestRow[]
      >`select * from inbound_requests where id = ${id} and business_id = ${businessId}`
    : [];
  if (row === undefined) throw new AppError('not_found', 'There is no such inbound event.');
  return row;
}

const PIECE_BYTES = 1024 * 1024;

/** A request as it came, for what is still to be taken out of it. Throws `not_found` once its body is gone. */
export async function keptRequest(
  sql: Sql,
  { id, receivedAt }: NonNullable<AttachmentRef['request']>,
): Promise<DoorRequest> {
  const [kept] = await sql<(Pick<InboundRequestRow, 'headers' | 'url'> & { size: number | null })[]>`
    select headers, url, octet_length(body) as size from inbound_requests
    where id = ${id} and received_at = ${receivedAt}`;
  if (kept?.size == null) throw new AppError('not_found', 'what the provider sent is no longer kept');
  const body = Buffer.allocUnsafe(kept.size);
  // In pieces: whole, as the driver reads it, it takes six times its size in memory.
  for (let at = 0; at < body.length; at += PIECE_BYTES) {
    const [read] = await sql<{ piece: Buffer | null }[]>`
      select substring(body from ${at + 1} for ${PIECE_BYTES}) as piece from inbound_requests
      where id = ${id} and received_at = ${receivedAt}`;
    if (!read?.piece) throw new AppError('not_found', 'what the provider sent is no longer kept');
    read.piece.copy(body, at);
  }
  return { method: 'POST', url: kept.url ?? '', headers: kept.headers, body };
}
