import type { Sql } from '../database/connect.ts';
import { recordset } from '../database/recordset.ts';
import { AppError } from '../errors.ts';
import { type IngestRequest, storable } from './item.ts';

export interface RequestOutcome {
  request: IngestRequest;
  status: 'processed' | 'ignored' | 'failed';
  reason: string | null;
  customerId: string | null;
}

const BYTEA = 17;
const LARGE_BYTES = 1024 * 1024;
const PIECE_BYTES = 1024 * 1024;

/** Keeps what was received, byte for byte, and what became of it. What is large of it was brought before. */
export async function keepRequests(tx: Sql, outcomes: RequestOutcome[]): Promise<void> {
  const replays = outcomes.filter(({ request }) => request.isReplay);
  for (const replay of replays) await noteReplay(tx, replay);
  const small = outcomes.filter(({ request }) => !request.isReplay && !isLarge(request));
  const large = outcomes.filter(({ request }) => isLarge(request));
  await Promise.all([
    small.length > 0 && insertRequests(tx, small),
    large.length > 0 && insertLargeRequests(tx, large),
  ]);
}

/**
 * Brings large bodies to the database in pieces, before any lock is taken; they are put together where they are kept.
 * Whole, as one parameter, a body takes ten times its size in memory.
 */
export async function bringLargeBodies(tx: Sql, requests: IngestRequest[]): Promise<void> {
  const large = requests.filter(isLarge);
  if (large.length === 0) return;
  await tx`create temporary table body_pieces (request_id uuid, n int, bytes bytea) on commit drop`;
  for (const { id, raw } of large) {
    for (let n = 0; n * PIECE_BYTES < raw.body.byteLength; n++) {
      const piece = raw.body.subarray(n * PIECE_BYTES, (n + 1) * PIECE_BYTES);
      await tx`insert into body_pieces values (${id}, ${n}, ${piece})`;
    }
  }
}

function isLarge({ raw, isReplay }: IngestRequest): boolean {
  return raw.body.byteLength > LARGE_BYTES && isReplay !== true;
}

/** What was processed once stays so, whatever a second look brings. */
async function noteReplay(tx: Sql, { request, status, reason, customerId }: RequestOutcome): Promise<void> {
  await refuseErased(tx, request);
  await tx`
    update inbound_requests
    set status = ${status}, reason = ${reason === null ? 'replayed' : storable(reason)},
      customer_id = coalesce(customer_id, ${customerId})
    where id = ${request.id} and received_at = ${request.receivedAt}
      and (status <> 'processed' or ${status} = 'processed')`;
}

/**
 * Refuses to bring in anew what may be of somebody whom an erasure is still searching requests for. Asked behind all else:
 * where none has begun by then, the batch found them as they were before it.
 */
async function refuseErased(tx: Sql, { id, receivedAt, channel }: IngestRequest): Promise<void> {
  const [row] = await tx<[{ is_kept: boolean }]>`
    select exists (
        select from inbound_requests where id = ${id} and received_at = ${receivedAt} and body is not null)
      and not exists (
        select from erasures
        where business_id = ${channel.businessId} and swept_at is null and requested_at > ${receivedAt}
          and ${channel.id} = any(channel_ids)) as is_kept`;
  if (!row.is_kept) throw new AppError('unavailable', 'Somebody is being erased who wrote on this channel.');
}

async function insertRequests(tx: Sql, outcomes: RequestOutcome[]): Promise<void> {
  const bodies = outcomes.map(({ request: { raw } }) =>
    Buffer.from(raw.body.buffer, raw.body.byteOffset, raw.body.byteLength),
  );
  await tx`
    insert into inbound_requests (id, received_at, business_id, channel_id, customer_id, status, reason, headers, url, body)
    select * from rows from (
      json_to_recordset(${recordset(tx, outcomes.map(withoutBody))}) as (id uuid, received_at timestamptz, business_id uuid,
        channel_id uuid, customer_id uuid, status text, reason text, headers jsonb, url text),
      unnest(${tx.array(bodies, BYTEA)})
    )`;
}

async function insertLargeRequests(tx: Sql, outcomes: RequestOutcome[]): Promise<void> {
  await tx`
    insert into inbound_requests (id, received_at, business_id, channel_id, customer_id, status, reason, headers, url, body)
    select r.*, (select string_agg(bytes, ''::bytea order by n) from body_pieces where request_id = r.id)
    from json_to_recordset(${recordset(tx, outcomes.map(withoutBody))}) as r(id uuid, received_at timestamptz,
      business_id uuid, channel_id uuid, customer_id uuid, status text, reason text, headers jsonb, url text)`;
}

function withoutBody({ request, status, reason, customerId }: RequestOutcome) {
  return {
    id: request.id,
    received_at: request.receivedAt,
    business_id: request.channel.businessId,
    channel_id: request.channel.id,
    customer_id: customerId,
    status,
    reason: reason === null ? null : storable(reason),
    headers: request.raw.headers,
    url: request.raw.url ?? null,
  };
}
