import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Channel, DoorAnswer, DoorRequest } from '../../../core/adapter.ts';
import type { CloudSettings } from './settings.ts';

const SIGNATURE = 'x-hub-signature-256';

/** Meta signs the raw bytes with the app's secret: what JSON makes of them has other escapes. */
export function verify(request: DoorRequest, { settings }: Channel<CloudSettings>): boolean {
  const given = request.headers[SIGNATURE];
  return given !== undefined && isSame(given, signatureOf(request.body, settings));
}

function signatureOf(body: Uint8Array, { app_secret }: CloudSettings): string {
  return `sha256=${createHmac('sha256', app_secret).update(body).digest('hex')}`;
}

/** Meta's question whether the door is ours, which it asks when the address is registered. */
export function challenge(
  request: DoorRequest,
  { settings }: Channel<CloudSettings>,
): DoorAnswer | undefined {
  const query = new URL(request.url, 'http://door').searchParams;
  const token = query.get('hub.verify_token') ?? '';
  if (query.get('hub.mode') !== 'subscribe' || !isSame(token, settings.verify_token)) return undefined;
  return { status: 200, contentType: 'text/plain; charset=utf-8', body: query.get('hub.challenge') ?? '' };
}

/** A batch of nothing, signed. */
export function probe({ settings }: Channel<CloudSettings>): Pick<DoorRequest, 'headers' | 'body'> {
  const body = Buffer.from('{"object":"whatsapp_business_account","entry":[]}');
  return { headers: { 'content-type': 'application/json', [SIGNATURE]: signatureOf(body, settings) }, body };
}

/** Whether one app's signature speaks for both numbers. */
export function sharesSecret(one: Channel<CloudSettings>, other: Channel<CloudSettings>): boolean {
  return isSame(one.settings.app_secret, other.settings.app_secret);
}

function isSame(given: string, ours: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(ours)];
  return a.length === b.length && timingSafeEqual(a, b);
}
