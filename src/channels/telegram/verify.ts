import { timingSafeEqual } from 'node:crypto';
import type { Channel, DoorRequest } from '../../core/adapter.ts';
import type { TelegramSettings } from './settings.ts';

const SECRET_HEADER = 'x-telegram-bot-api-secret-token';

/** Telegram signs nothing; it repeats the secret that setWebhook gave it. No header, no entry. */
export function verify(request: DoorRequest, channel: Channel<TelegramSettings>): boolean {
  const given = request.headers[SECRET_HEADER];
  const secret = channel.settings.secret_token;
  if (!given || !secret) return false;
  const [ours, theirs] = [Buffer.from(secret), Buffer.from(given)];
  return ours.length === theirs.length && timingSafeEqual(ours, theirs);
}

/** An update of no kind, with the secret that opens the door. */
export function probe({ settings }: Channel<TelegramSettings>): Pick<DoorRequest, 'headers' | 'body'> {
  const headers = { 'content-type': 'application/json', [SECRET_HEADER]: settings.secret_token ?? '' };
  return { headers, body: Buffer.from('{"update_id":0}') };
}
