import type { Limits } from '../../../core/adapter.ts';
import type { OutboundAttachment } from '../../../core/envelope.ts';

const MEGABYTE = 1024 * 1024;

/** What WhatsApp takes; each kind of file is held to its own limit besides. */
export const LIMITS = {
  textLength: 4096,
  captionLength: 1024,
  attachmentsPerPart: 1,
  inboundBytes: 100 * MEGABYTE,
  outboundBytes: 100 * MEGABYTE,
  // WebP goes as a sticker only, of 512 × 512 pixels, which pictures of that type are not.
  pictures: { types: ['image/jpeg', 'image/png'], bytes: 5 * MEGABYTE },
  cards: {
    buttons: { most: 3, labelLength: 20 },
    links: { most: 1, labelLength: 20 },
    list: { most: 10, labelLength: 24, descriptionLength: 72 },
  },
} as const satisfies Limits;

/** How long after a customer's message they may be written to freely; then only by template. */
export const REPLY_WINDOW_MS = 24 * 3_600_000;

/** The text above buttons or a list. */
export const INTERACTIVE_LENGTH = 1024;

export type MediaKind = 'image' | 'video' | 'audio' | 'sticker' | 'document';

const KINDS: Record<string, { kind: MediaKind; mostBytes: number }> = {
  'image/jpeg': { kind: 'image', mostBytes: 5 * MEGABYTE },
  'image/png': { kind: 'image', mostBytes: 5 * MEGABYTE },
  'image/webp': { kind: 'sticker', mostBytes: 500 * 1024 },
  'video/mp4': { kind: 'video', mostBytes: 16 * MEGABYTE },
  'video/3gpp': { kind: 'video', mostBytes: 16 * MEGABYTE },
  'audio/aac': { kind: 'audio', mostBytes: 16 * MEGABYTE },
  'audio/amr': { kind: 'audio', mostBytes: 16 * MEGABYTE },
  'audio/mpeg': { kind: 'audio', mostBytes: 16 * MEGABYTE },
  'audio/mp4': { kind: 'audio', mostBytes: 16 * MEGABYTE },
  'audio/ogg': { kind: 'audio', mostBytes: 16 * MEGABYTE },
};

/** How WhatsApp shows a file: what is too large for its kind still goes as a document. */
export function mediaKind({ contentType, sizeBytes }: OutboundAttachment): MediaKind {
  const known = KINDS[contentType.split(';')[0]?.trim().toLowerCase() ?? ''];
  return known !== undefined && (sizeBytes ?? 0) <= known.mostBytes ? known.kind : 'document';
}

const OFFICE = 'application/vnd.openxmlformats-officedocument';
const UPLOADED = new Set([
  ...Object.keys(KINDS),
  'audio/opus',
  'text/plain',
  'application/pdf',
  'application/msword',
  'application/vnd.ms-excel',
  'application/vnd.ms-powerpoint',
  `${OFFICE}.wordprocessingml.document`,
  `${OFFICE}.spreadsheetml.sheet`,
  `${OFFICE}.presentationml.presentation`,
]);

/** The type under which a file can be uploaded; undefined where Meta takes it only from an address. */
export function uploadType(contentType: string): string | undefined {
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  if (UPLOADED.has(type)) return type;
  // The reader's phone goes by the name of the file.
  return /^text\/|^application\/([\w.-]+\+)?(json|xml)$/.test(type) ? 'text/plain' : undefined;
}

/** Voice messages and stickers have no words beside them. */
export function takesCaption(kind: MediaKind): boolean {
  return kind === 'image' || kind === 'video' || kind === 'document';
}
