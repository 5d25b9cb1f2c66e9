const MAX_LENGTH = 150;
// Path separators, control characters, and the marks that reverse the reading direction to hide an extension.
const UNSAFE = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069/\\:*?"<>|]/gu;

/** A name that no file system or browser reads as anything but a name. */
export function safeFileName(name: string | undefined): string {
  const safe = (name ?? '')
    .toWellFormed()
    .replace(UNSAFE, '_')
    .replace(/^[.\s]+|[.\s]+$/g, '');
  return safe === '' ? 'attachment' : shorten(safe);
}

/** Keeps the extension: it says what the file is. */
function shorten(name: string): string {
  if (name.length <= MAX_LENGTH) return name;
  const extension = /\.[A-Za-z0-9]{1,10}$/.exec(name)?.[0] ?? '';
  return name.slice(0, MAX_LENGTH - extension.length).toWellFormed() + extension;
}

const EXTENSIONS: Record<string, string> = { 'image/jpeg': '.jpg', 'image/png': '.png' };

/** The name of a picture that was converted to this type. */
export function renamed(name: string, contentType: string | undefined): string {
  const extension = EXTENSIONS[contentType ?? ''];
  return extension === undefined ? name : `${name.replace(/\.[A-Za-z0-9]{1,10}$/, '')}${extension}`;
}

const UNKNOWN = 'application/octet-stream';
// Containers of many formats: what was declared says more than what the bytes can.
const CONTAINERS = new Set(['application/zip', 'application/x-cfb', 'application/xml', 'application/gzip']);
// Formats that the bytes always betray: declared, but not found in the bytes, is a lie.
const ALWAYS_RECOGNISED =
  /^(image\/(?!svg)|audio\/|video\/|application\/(pdf|zip|gzip|x-7z-compressed|vnd\.rar)$)/;
const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/;

/** The type that we tell readers: what the bytes say, and what was declared only where they cannot contradict it. */
export function trustedType(declared: string | undefined, sniffed: string | undefined): string {
  const claim = mediaType(declared);
  if (sniffed !== undefined)
    return CONTAINERS.has(sniffed) && claim !== UNKNOWN ? plausible(claim, sniffed) : sniffed;
  return ALWAYS_RECOGNISED.test(claim) ? UNKNOWN : claim;
}

function plausible(claim: string, sniffed: string): string {
  return ALWAYS_RECOGNISED.test(claim) || claim.startsWith('text/html') ? sniffed : claim;
}

/** The bare media type of a Content-Type, without parameters. */
export function mediaType(contentType: string | undefined): string {
  const bare = contentType?.split(';')[0]?.trim().toLowerCase() ?? '';
  return MEDIA_TYPE.test(bare) ? bare : UNKNOWN;
}
