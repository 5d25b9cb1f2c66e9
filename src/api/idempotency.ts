import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context, MiddlewareHandler } from 'hono';
import type { StatusCode } from 'hono/utils/http-status';
import type { Sql } from '../core/database/connect.ts';
import type { Transact } from '../core/database/transact.ts';
import { AppError } from '../core/errors.ts';
import type { Secrets } from '../core/secrets.ts';
import type { Claim } from './claim.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { boundaryOf } from './form-parts.ts';

// What an operator creates belongs to no business yet.
const NOBODY = '00000000-0000-0000-0000-000000000000';
// Longer than any handler works after its commit, the call to a provider included.
const WAIT_FOR_ANSWER_MS = 25_000;
const LOOK_AGAIN_MS = 50;
// More than any upload has: a boundary of one letter may stand in it millions of times.
const MOST_PARTS = 100;

/**
 * Makes a POST with an `Idempotency-Key` take effect once in 24 hours. The key's row is inserted by the handler's first
 * `c.get('transact')`, in the effect's own transaction: a concurrent second waits inside its own insert for that commit,
 * then finds the row and is answered what the first was answered.
 */
export function idempotency(deps: ApiDeps): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    c.set('transact', deps.transact);
    const claim = await claimOf(c, deps.secrets);
    if (claim === undefined) return next();
    const earlier = await waitForAnswer(deps.pool, claim);
    if (earlier !== undefined) return replay(c, claim, earlier);
    c.set('claim', claim);
    c.set('transact', claiming(deps.transact, claim));
    await next();
    if (c.error instanceof AlreadyClaimed) {
      c.res = replay(c, claim, await waitForAnswer(deps.pool, claim));
    } else {
      // The effect stands whatever becomes of its note: the caller gets the answer.
      await keepAnswer(deps.pool, claim, c.res).catch((error: unknown) => {
        deps.log.warn({ err: error, request_id: c.get('requestId') }, 'could not keep an idempotent answer');
      });
    }
    return undefined;
  };
}

/**
 * Runs the effect and stores what it returns as the answer, in one transaction: not even a crash right after the commit
 * loses the answer that a repeated request is owed. For POSTs whose answer is known before the commit.
 */
export function commitAnswer<T>(
  c: Context<ApiEnv>,
  status: number,
  work: (tx: Sql) => Promise<T>,
): Promise<T> {
  return c.get('transact')(async (tx) => {
    const answer = await work(tx);
    const claim = c.get('claim');
    if (claim !== undefined) await storeAnswer(tx, claim, { status, body: JSON.stringify(answer) });
    return answer;
  });
}

interface Answer {
  status: number;
  body: string;
}

/** Somebody else has the key's row: the effect of this request is rolled back. */
class AlreadyClaimed extends AppError {
  constructor() {
    super('conflict', 'A request with this Idempotency-Key was already carried out.');
  }
}

async function claimOf(c: Context<ApiEnv>, secrets: Secrets): Promise<Claim | undefined> {
  const key = c.req.header('idempotency-key');
  const actor = c.get('actor') as ApiEnv['Variables']['actor'] | undefined;
  if (key === undefined || c.req.method !== 'POST' || isVisitor(c, actor)) return undefined;
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    const details = [{ field: 'Idempotency-Key', message: 'must be 1 to 255 visible ASCII characters' }];
    throw new AppError('invalid_request', 'The Idempotency-Key is not valid.', { details });
  }
  const url = new URL(c.req.url);
  return {
    businessId: actor?.businessId ?? NOBODY,
    apiKeyId: actor?.apiKeyId ?? NOBODY,
    method: c.req.method,
    path: url.pathname.replace(/\/$/, '') + url.search,
    key,
    requestHash: await hashBody(c),
    secrets,
  };
}

/** Visitors have no API key of their own that a key could belong to. */
function isVisitor(c: Context<ApiEnv>, actor: unknown): boolean {
  return actor === undefined && c.req.path.startsWith('/api/v1/webchat/');
}

/** Of a form without its boundary, which is another on every try. */
async function hashBody(c: Context<ApiEnv>): Promise<Buffer> {
  const hash = createHash('sha256');
  const boundary = boundaryOf(c.req.header('content-type'));
  if (boundary === undefined) return hash.update(await c.req.text()).digest();
  const bytes = Buffer.from(await c.req.arrayBuffer());
  let from = 0;
  for (let part = 0; part < MOST_PARTS; part++) {
    const at = bytes.indexOf(boundary, from);
    if (at === -1) break;
    hash.update(bytes.subarray(from, at));
    from = at + boundary.length;
  }
  return hash.update(bytes.subarray(from)).digest();
}

function claiming(transact: Transact, claim: Claim): Transact {
  return async (work) => {
    const result = await transact(async (tx) => {
      if (claim.isInserted !== true) await insertKey(tx, claim);
      return work(tx);
    });
    claim.isInserted = true;
    return result;
  };
}

/** Waits for a concurrent first to commit or roll back; a row older than a day is taken over. */
async function insertKey(tx: Sql, claim: Claim): Promise<void> {
  const inserted = await tx`
    insert into idempotency_keys (business_id, api_key_id, method, path, key, request_hash)
    values (${claim.businessId}, ${claim.apiKeyId}, ${claim.method}, ${claim.path}, ${claim.key}, ${claim.requestHash})
    on conflict (business_id, api_key_id, method, path, key) do update
      set request_hash = excluded.request_hash, response_status = null, response = null, about = null, created_at = now()
      where idempotency_keys.created_at < now() - interval '24 hours'
    returning key`;
  if (inserted.length === 0) throw new AlreadyClaimed();
}

interface StoredRow {
  request_hash: Buffer;
  response_status: number | null;
  response: Buffer | null;
}

async function findAnswer(sql: Sql, claim: Claim): Promise<StoredRow | undefined> {
  const [row] = await sql<StoredRow[]>`
    select request_hash, response_status, response from idempotency_keys
    where ${ofClaim(sql, claim)} and created_at > now() - interval '24 hours'`;
  return row;
}

/** Between the commit of an effect and the end of its handler the answer may still be on its way. */
async function waitForAnswer(sql: Sql, claim: Claim): Promise<StoredRow | undefined> {
  const deadline = Date.now() + WAIT_FOR_ANSWER_MS;
  for (;;) {
    const row = await findAnswer(sql, claim);
    if (row === undefined || row.response_status !== null || Date.now() > deadline) return row;
    await sleep(LOOK_AGAIN_MS);
  }
}

function replay(c: Context<ApiEnv>, claim: Claim, found: StoredRow | undefined): Response {
  if (found === undefined) throw new AppError('unavailable', 'Try again.', { retryAfterSeconds: 1 });
  if (!claim.requestHash.equals(found.request_hash)) {
    throw new AppError('conflict', 'This Idempotency-Key was used with another body.');
  }
  const { response, response_status: status } = found;
  if (response === null || status === null) {
    throw new AppError(
      'conflict',
      'The first request with this Idempotency-Key was carried out, but its answer is not known.',
    );
  }
  const headers = { 'Idempotency-Replayed': 'true', 'Content-Type': 'application/json' };
  const body = claim.secrets.decrypt(response, scopeOf(claim));
  return c.newResponse(body === '' ? null : body, status as StatusCode, headers);
}

/** Only a success is kept: a refused request may be repeated under the same key. */
async function keepAnswer(sql: Sql, claim: Claim, response: Response): Promise<void> {
  if (response.ok) {
    const body = await response.clone().text();
    if (claim.isInserted !== true) await insertKey(sql, claim);
    if (body !== claim.storedBody) await storeAnswer(sql, claim, { status: response.status, body });
  } else if (claim.isInserted === true && response.status < 500) {
    await sql`delete from idempotency_keys where ${ofClaim(sql, claim)}`;
  }
}

/** With all that it tells of: an erasure finds it by that, and who was erased before it is stored is not kept in it. */
async function storeAnswer(sql: Sql, claim: Claim, { status, body }: Answer): Promise<void> {
  const response = claim.secrets.encrypt(body, scopeOf(claim));
  const about = [...new Set(body.match(IDS))];
  await sql`
    update idempotency_keys set response_status = ${status}, about = ${about}, response = case when not exists (
        select from customers where id = any(${about}) and deleted_at is not null
        union all
        select from conversations c join customers p on p.id = c.customer_id
        where c.id = any(${about}) and p.deleted_at is not null)
      then ${response}::bytea end
    where ${ofClaim(sql, claim)}`;
  claim.storedBody = body;
}

const IDS = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;

function ofClaim(sql: Sql, claim: Claim) {
  return sql`business_id = ${claim.businessId} and api_key_id = ${claim.apiKeyId} and method = ${claim.method}
    and path = ${claim.path} and key = ${claim.key}`;
}

function scopeOf(claim: Claim) {
  return {
    businessId: claim.businessId,
    rowId: claim.apiKeyId,
    field: `idempotency ${claim.method} ${claim.path} ${claim.key}`,
  };
}
