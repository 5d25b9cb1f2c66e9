import type { Actor } from './actor.ts';
import { type ApiKeyRow, createApiKey } from './api-keys.ts';
import { audit } from './audit.ts';
import type { CsatSettings } from './csat/settings.ts';
import type { Sql } from './database/connect.ts';
import { newId } from './id.ts';

export interface BusinessRow {
  id: string;
  name: string;
  timezone: string;
  auto_resolve_after_minutes: number | null;
  retention_messages_days: number | null;
  csat: CsatSettings | null;
  created_at: Date;
  updated_at: Date;
}

export interface NewBusiness {
  name: string;
  timezone?: string | undefined;
}

export interface BusinessChanges {
  name?: string | undefined;
  timezone?: string | undefined;
  auto_resolve_after_minutes?: number | null | undefined;
  retention_messages_days?: number | null | undefined;
  csat?: CsatSettings | null | undefined;
}

export interface CreatedBusiness {
  business: BusinessRow;
  apiKey: ApiKeyRow;
  /** The owner's key in clear text, given out only here. */
  key: string;
  ownerId: string;
}

/** Creates a business with its owner and the owner's key. */
export async function createBusiness(tx: Sql, input: NewBusiness, key?: string): Promise<CreatedBusiness> {
  const [business] = await tx<BusinessRow[]>`
    insert into businesses (id, name, timezone) values (${newId()}, ${input.name}, ${input.timezone ?? 'UTC'}) returning *`;
  if (business === undefined) throw new Error('insert returned no row');
  const ownerId = newId();
  await tx`insert into agents (id, business_id, name, role) values (${ownerId}, ${business.id}, 'Owner', 'owner')`;
  const created = await createApiKey(tx, business.id, {
    name: 'Owner',
    role: 'owner',
    agentId: ownerId,
    key,
  });
  return { business, apiKey: created.row, key: created.key, ownerId };
}

/** The business of a key; it always exists, since the key points to it. */
export async function getBusiness(sql: Sql, id: string): Promise<BusinessRow> {
  const [business] = await sql<BusinessRow[]>`select * from businesses where id = ${id}`;
  if (business === undefined) throw new Error(`business ${id} is gone`);
  return business;
}

/** Changes the name or timezone of the actor's business. */
export async function updateBusiness(tx: Sql, actor: Actor, changes: BusinessChanges): Promise<BusinessRow> {
  const fields = Object.entries(changes).filter(([, value]) => value !== undefined);
  const set = Object.fromEntries(fields) as Record<string, never>;
  const [business] = await tx<BusinessRow[]>`
    update businesses set ${tx({ ...set, updated_at: new Date() } as never)} where id = ${actor.businessId} returning *`;
  if (business === undefined) throw new Error(`business ${actor.businessId} is gone`);
  await audit(tx, actor, {
    action: 'business.updated',
    subjectId: business.id,
    detail: { fields: fields.map(([name]) => name) },
  });
  return business;
}
