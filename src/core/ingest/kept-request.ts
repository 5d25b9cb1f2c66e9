import type { DoorRequest } from '../adapter.ts';
import type { LoadedChannel } from '../channels.ts';
import type { Pool } from '../database/connect.ts';
import type { Inbound } from '../envelope.ts';
import { AppError } from '../errors.ts';
import { isUuid } from '../id.ts';
import type { RawRequest } from './item.ts';

/** What a source of ours read, as it came. */
export interface RawUpdate {
  body: Uint8Array;
  contentType: string;
}

// Headers that parsing a replay may need. Never the signature or a secret.
const KEPT_HEADERS = ['content-type', 'content-encoding', 'user-agent', 'i-twilio-idempotency-token'];

/** What is kept of a request that came to a door. */
export function keptOf(request: DoorRequest): RawRequest {
  const headers = Object.fromEntries(
    KEPT_HEADERS.flatMap((name) => {
      const value = request.headers[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  return { body: request.body, headers, url: request.url };
}

const INBOUND_JSON = 'application/vnd.tributary.inbound+json';

/** A source whose adapter has no door is kept in our own words, so that it can be replayed all the same. */
export function sourceRaw({ adapter }: LoadedChannel, raw: RawUpdate, inbound: Inbound[]): RawRequest {
  if (adapter.door !== undefined)
    return { body: raw.body, headers: { 'content-type': raw.contentType }, url: undefined };
  const body = Buffer.from(JSON.stringify(inbound));
  return { body, headers: { 'content-type': INBOUND_JSON }, url: undefined };
}

interface KeptRow {
  channel_id: string;
  received_at: Date;
  headers: Record<string, string>;
  url: string | null;
  body: Buffer | null;
}

type KeptRequest = KeptRow & { body: Buffer };

/** A kept request of the business, with its body. Throws AppError `not_found`, or `conflict` where the body was erased. */
export async function findKept(pool: Pool, businessId: string, id: string): Promise<KeptRequest> {
  const [kept] = isUuid(id)
    ? await pool<KeptRow[]>`
        select channel_id, received_at, headers, url, body from inbound_requests
        where id = ${id} and business_id = ${businessId}`
    : [];
  if (kept === undefined) throw new AppError('not_found', 'there is no such inbound event');
  if (kept.body === null) throw new AppError('conflict', 'the body of this inbound event was erased');
  return { ...kept, body: kept.body };
}

/** The same, on its way in once more. */
export function rawOf(kept: KeptRequest): RawRequest {
  return { body: kept.body, headers: kept.headers, url: kept.url ?? undefined };
}

/** What its adapter understands of it today. */
export function parseKept(
  kept: KeptRequest,
  { adapter, channel }: LoadedChannel,
): Inbound[] | Promise<Inbound[]> {
  if (kept.headers['content-type'] === INBOUND_JSON) return reviveInbound(kept.body);
  if (adapter.door === undefined) throw new AppError('conflict', 'this channel cannot read it again');
  const request = { method: 'POST', url: kept.url ?? '', headers: kept.headers, body: kept.body };
  return adapter.door.parse(request, channel);
}

function reviveInbound(body: Buffer): Inbound[] {
  return JSON.parse(body.toString(), (key, value) => (key === 'occurredAt' ? new Date(value) : value));
}
