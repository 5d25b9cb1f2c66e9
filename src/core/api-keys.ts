import { createHash, randomBytes } from 'node:crypto';
import { type Actor, type Role, reaches } from './actor.ts';
import { audit } from './audit.ts';
import type { Sql } from './database/connect.ts';
import { AppError, invalidField } from './errors.ts';
import { isUuid, newId } from './id.ts';
import type { ListWindow } from './list-window.ts';
import { together } from './together.ts';

export type { Actor } from './actor.ts';

export interface ApiKeyRow {
  id: string;
  business_id: string;
  agent_id: string | null;
  name: string;
  role: Role;
  hint: string;
  expires_at: Date | null;
  revoked_at: Date | null;
  last_used_at: Date | null;
  created_at: Date;
}

/** Finds out whose key this is. Throws the refusal that says why it is none. */
export async function authenticate(sql: Sql, key: string): Promise<Actor> {
  const [row] = await sql<ApiKeyRow[]>`select * from api_keys where key_hash = ${hashKey(key)}`;
  return actorOf(sql, row);
}

/** The same where many ask at once: who comes while the database is asked shares the next question. */
export function createAuthenticate(sql: Sql): (key: string) => Promise<Actor> {
  const find = together((hashes: Buffer[]) => findKeys(sql, hashes), { most: MOST_AT_ONCE });
  return async (key) => actorOf(sql, await find(hashKey(key)));
}

const MOST_AT_ONCE = 100;
const BYTEA = 17;

async function findKeys(sql: Sql, hashes: Buffer[]): Promise<(ApiKeyRow | undefined)[]> {
  const rows = await sql<(ApiKeyRow & { key_hash: Buffer })[]>`
    select * from api_keys where key_hash = any(${sql.array(hashes, BYTEA)})`;
  return hashes.map((hash) => rows.find((row) => row.key_hash.equals(hash)));
}

/** The same for a key whose holder has shown it before. */
export async function authenticateById(sql: Sql, id: string): Promise<Actor> {
  const [row] = await sql<ApiKeyRow[]>`select * from api_keys where id = ${id}`;
  return actorOf(sql, row);
}

async function actorOf(sql: Sql, row: ApiKeyRow | undefined): Promise<Actor> {
  if (row === undefined) throw new AppError('invalid_api_key', 'This API key is not known.');
  if (row.revoked_at !== null) throw new AppError('revoked_api_key', 'This API key was revoked.');
  if (row.expires_at !== null && row.expires_at.getTime() <= Date.now()) {
    throw new AppError('expired_api_key', 'This API key has expired.');
  }
  await noteUse(sql, row);
  return { businessId: row.business_id, apiKeyId: row.id, agentId: row.agent_id, role: row.role };
}

/** The key that a request carries in either of its two headers. */
export function keyInHeaders(
  authorization: string | undefined,
  apiKey: string | undefined,
): string | undefined {
  const key = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? apiKey;
  return key === '' ? undefined : key;
}

/** What somebody hears who carries none. */
export function keyMissing(): AppError {
  const message = 'Send your API key as `Authorization: Bearer KEY` or `X-API-Key: KEY`.';
  return new AppError('unauthorized', message);
}

/** Which of these keys still open the door. */
export async function standingApiKeys(sql: Sql, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const rows = await sql<{ id: string }[]>`
    select id from api_keys
    where id = any(${[...ids]}) and revoked_at is null and (expires_at is null or expires_at > now())`;
  return new Set(rows.map((row) => row.id));
}

const NOTE_USE_EVERY_MS = 60_000;

async function noteUse(sql: Sql, row: ApiKeyRow): Promise<void> {
  if (row.last_used_at !== null && Date.now() - row.last_used_at.getTime() < NOTE_USE_EVERY_MS) return;
  await sql`update api_keys set last_used_at = now() where id = ${row.id}
    and (last_used_at is null or last_used_at < now() - interval '1 minute')`;
}

export interface NewApiKey {
  name: string;
  role: Role;
  agentId?: string | null | undefined;
  expiresAt?: Date | null | undefined;
  /** A key chosen elsewhere (BOOTSTRAP_API_KEY) instead of a random one. */
  key?: string | undefined;
}

/** Creates a key of the business; the clear text is given out here and never again. */
export async function createApiKey(
  sql: Sql,
  businessId: string,
  input: NewApiKey,
): Promise<{ row: ApiKeyRow; key: string }> {
  const key = input.key ?? `trb_${randomBytes(30).toString('base64url')}`;
  const agentId = input.agentId ?? null;
  if (agentId !== null) await requireAgent(sql, businessId, agentId);
  const [row] = await sql<ApiKeyRow[]>`
    insert into api_keys (id, business_id, agent_id, name, role, key_hash, hint, expires_at)
    values (${newId()}, ${businessId}, ${agentId}, ${input.name}, ${input.role}, ${hashKey(key)}, ${key.slice(-4)},
      ${input.expiresAt ?? null})
    returning *`;
  if (row === undefined) throw new Error('insert returned no row');
  return { row, key };
}

async function requireAgent(sql: Sql, businessId: string, agentId: string): Promise<void> {
  const [agent] = isUuid(agentId)
    ? await sql`select id from agents where business_id = ${businessId} and id = ${agentId} and is_active`
    : [];
  if (agent === undefined) throw invalidField('agent_id', 'is no active agent of this business');
}

/** The keys of a business that still stand, newest first. */
export function listApiKeys(sql: Sql, businessId: string, page: ListWindow): Promise<ApiKeyRow[]> {
  return sql<ApiKeyRow[]>`
    select * from api_keys
    where business_id = ${businessId} and revoked_at is null
      ${page.after === undefined ? sql`` : sql`and id < ${page.after[0] ?? null}::uuid`}
    order by id desc limit ${page.fetch} offset ${page.offset}`;
}

/** Revokes a key for good; a key above one's own role stays, and so does the last owner key. */
export async function revokeApiKey(tx: Sql, actor: Actor, id: string): Promise<void> {
  // Locked first, so that two owners cannot revoke each other's key at once.
  await tx`select 1 from businesses where id = ${actor.businessId} for no key update`;
  const [row] = await tx<
    ApiKeyRow[]
  >`select * from api_keys where business_id = ${actor.businessId} and id = ${id}`;
  if (row === undefined) throw new AppError('not_found', 'There is no such API key.');
  if (!reaches(actor.role, row.role)) throw new AppError('forbidden', 'This key is above your own role.');
  if (row.revoked_at !== null) return;
  if (row.role === 'owner') await keepAnOwnerKey(tx, row);
  await tx`update api_keys set revoked_at = now() where id = ${id}`;
  await audit(tx, actor, { action: 'api_key.revoked', subjectId: id });
}

async function keepAnOwnerKey(tx: Sql, row: ApiKeyRow): Promise<void> {
  const [other] = await tx`
    select 1 from api_keys where business_id = ${row.business_id} and role = 'owner' and revoked_at is null
      and (expires_at is null or expires_at > now()) and id <> ${row.id} limit 1`;
  if (other === undefined)
    throw new AppError('conflict', 'This is the last owner key: create another one first.');
}

function hashKey(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
