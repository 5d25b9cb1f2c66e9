import { createHash, timingSafeEqual } from 'node:crypto';
import type { Channel, DoorRequest } from '../../core/adapter.ts';
import type { TelegramSettings } from './settings.ts';

const SECRET_HEADER = 'x-telegram-bot-api-secret-token';

/** Telegram signs nothing; it repeats the secret that setWebhook gave it. No header, no entry. */
export function verify(request: DoorRequest, channel: Channel<TelegramSettings>): boolean {
  const given = request.headers[SECRET_HEADER];
  const secret = channel.settings.secret_token;
  return Boolean(given && secret) && timingSafeEqual(digest(given ?? ''), digest(secret));
}

// Digests have one length, which timingSafeEqual demands and which hides the secret's own.
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
