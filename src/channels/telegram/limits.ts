import type { Limits } from '../../core/adapter.ts';
import { isSelfHosted, type TelegramSettings } from './settings.ts';

const SELF_HOSTED_INBOUND_BYTES = 2_000_000_000;
const CLOUD_INBOUND_BYTES = 20 * 1_048_576;

/** What Telegram takes; a file of a customer is held to `fetchableBytes` besides. */
export const LIMITS = {
  textLength: 4096,
  captionLength: 1024,
  attachmentsPerPart: 10,
  inboundBytes: SELF_HOSTED_INBOUND_BYTES,
  outboundBytes: 50_000_000,
  pictures: { types: ['image/jpeg', 'image/png', 'image/webp'], bytes: 10_000_000 },
  // Telegram names no limit; beyond a hundred buttons it cuts the keyboard.
  cards: {
    buttons: { most: 100, labelLength: 200 },
    links: { most: 100, labelLength: 200 },
    mixed: true,
  },
} as const satisfies Limits;

/** The largest file that this bot can fetch: Telegram's own servers give out less than a self-hosted one. */
export function fetchableBytes(settings: TelegramSettings): number {
  return isSelfHosted(settings) ? SELF_HOSTED_INBOUND_BYTES : CLOUD_INBOUND_BYTES;
}
