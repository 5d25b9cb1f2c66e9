import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { z } from 'zod';
import { invalidField } from '../core/errors.ts';
import type { Secrets } from '../core/secrets.ts';

/** What a receiver that wants to know who delivers is shown, both as PEM: the certificate, with those that vouch for it. */
export interface ClientCertificate {
  certificate: string;
  private_key: string;
}

export const clientCertificateView = z
  .object({ subject: z.string(), fingerprint: z.string(), expires_at: z.string() })
  .meta({ description: 'Shown to a receiver that asks for one; its key is never shown again.' });

const FIELD = 'client_certificate';

/** Throws a refusal that names the field unless it can be shown at this address, now. */
export function vetClientCertificate(
  { certificate, private_key: key }: ClientCertificate,
  url: string,
): void {
  if (URL.parse(url)?.protocol !== 'https:') throw invalidField(FIELD, 'needs an https address');
  const leaf = readCertificate(certificate);
  if (!leaf.checkPrivateKey(readKey(key)))
    throw invalidField(`${FIELD}.private_key`, 'does not belong to the certificate');
  if (leaf.validToDate.getTime() < Date.now()) throw invalidField(`${FIELD}.certificate`, 'has expired');
  try {
    createSecureContext({ cert: certificate, key });
  } catch {
    throw invalidField(`${FIELD}.certificate`, 'cannot be used');
  }
}

function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw invalidField(`${FIELD}.certificate`, 'is no certificate in PEM');
  }
}

function readKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw invalidField(`${FIELD}.private_key`, 'is no private key in PEM, or one with a passphrase');
  }
}

interface Owner {
  id: string;
  business_id: string;
}

interface CertificateColumns {
  client_certificate: string | null;
  client_key: Uint8Array | null;
}

/** The certificate as columns, its key encrypted. */
export function sealClientCertificate(
  secrets: Secrets,
  endpoint: Owner,
  shown: ClientCertificate | null,
): CertificateColumns {
  if (shown === null) return { client_certificate: null, client_key: null };
  const key = secrets.encrypt(shown.private_key, scopeOf(endpoint));
  return { client_certificate: shown.certificate, client_key: key };
}

/** The certificate as TLS takes it; undefined where none is to be shown. */
export function openClientCertificate(
  secrets: Secrets,
  endpoint: Owner & CertificateColumns,
): { cert: string; key: string } | undefined {
  const { client_certificate: cert, client_key: sealed } = endpoint;
  if (cert === null || sealed === null) return undefined;
  return { cert, key: secrets.decrypt(sealed, scopeOf(endpoint)) };
}

/** What everybody may know of it. */
export function viewClientCertificate({
  client_certificate: pem,
}: Pick<CertificateColumns, 'client_certificate'>) {
  if (pem === null) return null;
  const { subject, fingerprint256, validToDate } = new X509Certificate(pem);
  return {
    subject: subject.replaceAll('\n', ', '),
    fingerprint: fingerprint256,
    expires_at: validToDate.toISOString(),
  };
}

function scopeOf({ id, business_id }: Owner) {
  return { businessId: business_id, rowId: id, field: 'client_key' };
}
