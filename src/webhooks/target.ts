import type { Sql } from '../core/database/connect.ts';
import type { Secrets } from '../core/secrets.ts';
import { listSecrets } from './endpoint-secrets.ts';
import { type EndpointRow, findEndpointById } from './endpoints.ts';
import { createSigner, type Signer } from './sign.ts';

/** An endpoint as its lane needs it. */
export interface Target {
  endpoint: EndpointRow;
  url: URL;
  signers: Signer[];
}

/** Loads the endpoint with every secret that is still valid, the newest first; undefined when nothing may go there. */
export async function loadTarget(
  sql: Sql,
  secrets: Secrets,
  endpointId: string,
): Promise<Target | undefined> {
  const endpoint = await findEndpointById(sql, endpointId);
  if (endpoint === undefined || !endpoint.is_active) return undefined;
  const valid = await listSecrets(sql, secrets, endpoint);
  return { endpoint, url: new URL(endpoint.url), signers: valid.map(({ secret }) => createSigner(secret)) };
}
