import type { Secrets } from '../core/secrets.ts';

/** One use of an Idempotency-Key. */
export interface Claim {
  businessId: string;
  apiKeyId: string;
  method: string;
  path: string;
  key: string;
  requestHash: Buffer;
  secrets: Secrets;
  /** The answer that is already stored, so that it is not written twice. */
  storedBody?: string;
  isInserted?: boolean;
}
