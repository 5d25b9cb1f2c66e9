import type { Limits } from '../../../core/adapter.ts';
import type { OutboundAttachment } from '../../../core/envelope.ts';
import { LIMITS as WHATSAPP } from '../cloud/limits.ts';

/** What Twilio takes for WhatsApp. */
export const LIMITS = {
  textLength: 1600,
  captionLength: 1024,
  attachmentsPerPart: 1,
  inboundBytes: WHATSAPP.inboundBytes,
  outboundBytes: 16_000_000,
  pictures: WHATSAPP.pictures,
  cards: WHATSAPP.cards,
} as const satisfies Limits;

/** Voice messages, stickers and contact cards have no words beside them. */
export function takesCaption({ contentType }: OutboundAttachment): boolean {
  return !/^(audio\/|image\/webp|text\/(x-)?vcard)/i.test(contentType);
}
