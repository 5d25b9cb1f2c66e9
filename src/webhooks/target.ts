import type { Sql } from '../core/database/connect.ts';
import type { TlsIdentity } from '../core/egress.ts';
import type { Secrets } from '../core/secrets.ts';
import { openClientCertificate } from './client-certificate.ts';
import { listSealedSecrets, openSecret } from './endpoint-secrets.ts';
import type { EndpointRow } from './endpoint-view.ts';
import { findEndpointById } from './endpoints.ts';
import { type CustomHeaders, openHeaders } from './headers.ts';
import { createSigner, type Signer } from './sign.ts';

/** An endpoint as its lane needs it. */
export interface Target {
  endpoint: EndpointRow;
  url: URL;
  signers: Signer[];
  headers: CustomHeaders;
  /** What it is shown, where it wants to know who delivers. */
  identity: TlsIdentity | undefined;
}

/** Loads the endpoint with every secret that is still valid, the newest first; undefined when nothing may go there. */
export async function loadTarget(
  sql: Sql,
  secrets: Secrets,
  endpointId: string,
): Promise<Target | undefined> {
  const [endpoint, sealed] = await Promise.all([
    findEndpointById(sql, endpointId),
    listSealedSecrets(sql, endpointId),
  ]);
  if (endpoint === undefined || !endpoint.is_active) return undefined;
  const signers = sealed.map((row) => createSigner(openSecret(secrets, endpoint, row).secret));
  return {
    endpoint,
    url: new URL(endpoint.url),
    signers,
    headers: openHeaders(secrets, endpoint),
    identity: openClientCertificate(secrets, endpoint),
  };
}

/** Whether deliveries wait for each other. */
export function isOrdered({ endpoint }: Target): boolean {
  return endpoint.ordering !== 'none';
}
