import type { Sharp, SharpOptions } from 'sharp';

/** What a channel shows as a picture; others, and larger ones, are converted to the first of these types. */
export interface PictureLimits {
  types: readonly string[];
  bytes: number;
}

export interface Size {
  width: number;
  height: number;
}

// SVG is a program and PDF a world of its own: neither is drawn here.
const PICTURES = new Set(['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif', 'image/tiff']);
/** Whether pictures of this type can be converted and stay what they are: an animation would not. */
export function isConvertible(contentType: string | undefined): boolean {
  return isPicture(contentType) && contentType !== 'image/gif';
}

const THUMBNAIL_PIXELS = 320;
// What is small in bytes may be huge unpacked: a picture of more than this is left alone.
const MOST_PIXELS = 64_000_000;
const MOST_SECONDS = 15;

/** Whether pictures of this type are drawn. */
export function isPicture(contentType: string | undefined): boolean {
  return contentType !== undefined && PICTURES.has(contentType);
}

/** Writes a small WebP of the picture, without its metadata; resolves with the size of the original, undefined when it cannot be drawn. */
export async function drawThumbnail(from: string, to: string): Promise<Size | undefined> {
  try {
    const picture = await openPicture(from);
    const { autoOrient } = await picture.metadata();
    await picture
      .autoOrient()
      .resize(THUMBNAIL_PIXELS, THUMBNAIL_PIXELS, { fit: 'inside', withoutEnlargement: true })
      .webp({ quality: 75 })
      .timeout({ seconds: MOST_SECONDS })
      .toFile(to);
    return autoOrient;
  } catch {
    return undefined;
  }
}

const SIDES = [4_096, 2_560, 1_600, 1_024];

/** Writes the picture as the limits want it, as large as they let it be; resolves with its type, undefined when it cannot be converted. */
export async function fitPicture(
  from: string,
  to: string,
  { types, bytes }: PictureLimits,
): Promise<string | undefined> {
  const type = types.find((one) => one === 'image/jpeg' || one === 'image/png');
  if (type === undefined) return undefined;
  try {
    for (const side of SIDES) {
      const picture = (await openPicture(from))
        .autoOrient()
        .resize(side, side, { fit: 'inside', withoutEnlargement: true })
        .timeout({ seconds: MOST_SECONDS });
      if ((await encoded(picture, type).toFile(to)).size <= bytes) return type;
    }
  } catch {
    // What the library cannot read is sent as it is, or refused by its size.
  }
  return undefined;
}

function encoded(picture: Sharp, type: string): Sharp {
  if (type === 'image/png') return picture.png({ compressionLevel: 9 });
  return picture.flatten({ background: '#ffffff' }).jpeg({ quality: 85 });
}

const OPTIONS: SharpOptions = { limitInputPixels: MOST_PIXELS, sequentialRead: true, failOn: 'error' };

/** Loaded when the first picture comes: not every process ever sees one. */
async function openPicture(path: string): Promise<Sharp> {
  const { default: sharp } = await import('sharp');
  sharp.cache(false);
  return sharp(path, OPTIONS);
}
