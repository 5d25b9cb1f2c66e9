import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Channel, DoorRequest } from '../../core/adapter.ts';
import type { ApiSettings } from './settings.ts';

const TOLERANCE_SECONDS = 300;

/** What Standard Webhooks signs. */
export interface Signed {
  id: string;
  /** Unix seconds. */
  timestamp: number;
  body: Uint8Array | string;
}

/** The three headers by which a receiver knows that it is us. */
export function signatureHeaders(signed: Signed, { secret }: ApiSettings): Record<string, string> {
  return {
    'webhook-id': signed.id,
    'webhook-timestamp': String(signed.timestamp),
    'webhook-signature': `v1,${signatureOf(signed, secret).toString('base64')}`,
  };
}

/** Standard Webhooks over the raw bytes, no older than five minutes; or the secret itself as Bearer. */
export function verify(request: DoorRequest, { settings }: Channel<ApiSettings>): boolean {
  const [, bearer] = /^Bearer +(\S+) *$/i.exec(request.headers['authorization'] ?? '') ?? [];
  if (bearer !== undefined) return isEqual(Buffer.from(bearer), Buffer.from(settings.secret));
  const { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': given } = request.headers;
  if (id === undefined || given === undefined || !/^\d{1,12}$/.test(time ?? '')) return false;
  const timestamp = Number(time);
  if (Math.abs(Date.now() / 1000 - timestamp) > TOLERANCE_SECONDS) return false;
  const expected = signatureOf({ id, timestamp, body: request.body }, settings.secret);
  return given.split(' ').some((entry) => {
    const [version, signature = ''] = entry.split(',');
    return version === 'v1' && isEqual(Buffer.from(signature, 'base64'), expected);
  });
}

/** A request that holds nothing, with the key that opens the door. */
export function probe({ settings }: Channel<ApiSettings>): Pick<DoorRequest, 'headers' | 'body'> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${settings.secret}` };
  return { headers, body: Buffer.from('[]') };
}

function signatureOf({ id, timestamp, body }: Signed, secret: string): Buffer {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  return createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
}

function isEqual(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
