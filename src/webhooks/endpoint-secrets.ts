import type { Sql } from '../core/database/connect.ts';
import { invalidField } from '../core/errors.ts';
import { newId } from '../core/id.ts';
import type { Secrets } from '../core/secrets.ts';
import { generateSecret, isSymmetricSecret, type SecretKind } from './sign.ts';

/** A secret that receivers may still verify with. */
export interface EndpointSecret {
  id: string;
  kind: SecretKind;
  secret: string;
  expires_at: Date | null;
  created_at: Date;
}

interface Owner {
  id: string;
  business_id: string;
}

export const OVERLAP_SECONDS = 86_400;
// More signatures would only make the header longer: nobody rotates that often by intent.
const MAX_VALID = 10;

export interface NewSecret {
  kind: SecretKind;
  /** One that receivers already hold, such as another system's; else one is generated. */
  given?: string | undefined;
}

/** Gives the endpoint a new secret of this kind and returns it. */
export async function addSecret(
  tx: Sql,
  endpoint: Owner,
  { secrets, kind, given }: NewSecret & { secrets: Secrets },
): Promise<string> {
  const id = newId();
  const secret = given === undefined ? generateSecret(kind) : vetSecret(given, kind);
  const sealed = secrets.encrypt(secret, scopeOf(endpoint, id));
  await tx`
    insert into endpoint_secrets (id, endpoint_id, kind, secret) values (${id}, ${endpoint.id}, ${kind}, ${sealed})`;
  return secret;
}

function vetSecret(secret: string, kind: SecretKind): string {
  if (kind === 'v1' && isSymmetricSecret(secret)) return secret;
  throw invalidField('secret', 'must be whsec_ and the base64 of 24 to 64 bytes, of kind v1');
}

/** Stops signing with a kind. */
export async function dropSecrets(tx: Sql, endpointId: string, kind: SecretKind): Promise<void> {
  await tx`delete from endpoint_secrets where endpoint_id = ${endpointId} and kind = ${kind}`;
}

export interface Rotation extends NewSecret {
  /** How long the old secret goes on signing beside the new one. */
  overlapSeconds: number;
}

/** Replaces the endpoint's secret of a kind; both sign until the overlap ends. The caller holds the endpoint's row. */
export async function rotateSecret(
  tx: Sql,
  endpoint: Owner,
  { overlapSeconds, ...secret }: Rotation & { secrets: Secrets },
): Promise<void> {
  await tx`
    update endpoint_secrets set expires_at = now() + make_interval(secs => ${overlapSeconds})
    where endpoint_id = ${endpoint.id} and kind = ${secret.kind} and expires_at is null`;
  await addSecret(tx, endpoint, secret);
  await tx`
    delete from endpoint_secrets where endpoint_id = ${endpoint.id} and (
      expires_at <= now()
      or id not in (
        select id from endpoint_secrets where endpoint_id = ${endpoint.id}
        order by expires_at is null desc, id desc limit ${MAX_VALID}))`;
}

/** Every valid secret: the current ones first, then those that still overlap, newest first. */
export async function listSecrets(sql: Sql, secrets: Secrets, endpoint: Owner): Promise<EndpointSecret[]> {
  const rows = await listSealedSecrets(sql, endpoint.id);
  return rows.map((row) => openSecret(secrets, endpoint, row));
}

type SealedSecret = Omit<EndpointSecret, 'secret'> & { secret: Buffer };

/** The same, still encrypted. */
export async function listSealedSecrets(sql: Sql, endpointId: string): Promise<SealedSecret[]> {
  return sql<SealedSecret[]>`
    select id, kind, secret, expires_at, created_at from endpoint_secrets
    where endpoint_id = ${endpointId} and (expires_at is null or expires_at > now())
    order by expires_at is null desc, kind, id desc`;
}

/** Decrypts one secret of the endpoint. */
export function openSecret(secrets: Secrets, endpoint: Owner, row: SealedSecret): EndpointSecret {
  return { ...row, secret: secrets.decrypt(row.secret, scopeOf(endpoint, row.id)) };
}

function scopeOf(endpoint: Owner, secretId: string) {
  return { businessId: endpoint.business_id, rowId: secretId, field: 'endpoint_secret' };
}
