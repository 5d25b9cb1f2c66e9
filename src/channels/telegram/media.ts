import { z } from 'zod';
import type { AttachmentRef } from '../../core/envelope.ts';

const file = z.object({
  file_id: z.string().min(1),
  file_unique_id: z.string().optional().catch(undefined),
  file_name: z.string().optional().catch(undefined),
  mime_type: z.string().optional().catch(undefined),
  file_size: z.number().int().min(0).optional().catch(undefined),
  width: z.number().optional().catch(undefined),
  height: z.number().optional().catch(undefined),
  is_animated: z.boolean().optional().catch(undefined),
  is_video: z.boolean().optional().catch(undefined),
});

type File = z.infer<typeof file>;

/** What Telegram leaves unsaid about a file of this kind. */
const MEDIA: Record<string, { name: string; contentType: string }> = {
  // An animation also has a document and a live photo also a photo, so they come first.
  animation: { name: 'animation.mp4', contentType: 'video/mp4' },
  video: { name: 'video.mp4', contentType: 'video/mp4' },
  video_note: { name: 'video-note.mp4', contentType: 'video/mp4' },
  voice: { name: 'voice.ogg', contentType: 'audio/ogg' },
  audio: { name: 'audio.mp3', contentType: 'audio/mpeg' },
  sticker: { name: 'sticker.webp', contentType: 'image/webp' },
  photo: { name: 'photo.jpg', contentType: 'image/jpeg' },
  document: { name: 'file', contentType: 'application/octet-stream' },
};

export const MEDIA_KINDS = Object.keys(MEDIA);

/** The file of a message of this kind; undefined when its shape is not what Telegram documents. */
export function readMedia(kind: string, value: unknown, mostBytes: number): AttachmentRef | undefined {
  const parsed = file.safeParse(kind === 'photo' ? largest(value) : value);
  if (!parsed.success) return undefined;
  const { file_id, file_unique_id, file_size } = parsed.data;
  return {
    ...describe(kind, parsed.data),
    ...(file_size === undefined ? {} : { sizeBytes: file_size }),
    ...(file_size !== undefined && file_size > mostBytes ? { tooLarge: true } : {}),
    ref: { file_id, ...(file_unique_id === undefined ? {} : { file_unique_id }) },
  };
}

function largest(sizes: unknown): File | undefined {
  const known = z.array(file).safeParse(sizes).data ?? [];
  return known.toSorted((a, b) => pixels(b) - pixels(a))[0];
}

function pixels(size: File): number {
  return (size.width ?? 0) * (size.height ?? 0);
}

function describe(kind: string, { file_name, mime_type, is_animated, is_video }: File) {
  if (kind === 'sticker' && is_video) return { name: 'sticker.webm', contentType: 'video/webm' };
  if (kind === 'sticker' && is_animated)
    return { name: 'sticker.tgs', contentType: 'application/x-tgsticker' };
  const usual = MEDIA[kind];
  return {
    name: file_name ?? usual?.name ?? 'file',
    contentType: mime_type ?? usual?.contentType ?? 'application/octet-stream',
  };
}
