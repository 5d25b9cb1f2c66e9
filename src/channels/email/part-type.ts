const BYTES = 'application/octet-stream';
const TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+\s*(;|$)/;
const LONGEST_LINE = 998;

/** The type under which a file travels in a mail: an attached mail must not be encoded, so that only a plain one goes as what it is. */
export function partType(contentType: string, bytes: Buffer): string {
  if (!TYPE.test(contentType) || /^multipart\//i.test(contentType)) return BYTES;
  return !/^message\//i.test(contentType) || isPlain(bytes) ? contentType : BYTES;
}

function isPlain(bytes: Buffer): boolean {
  const lines = bytes.toString('latin1').split('\n');
  return lines.every((line) => line.length <= LONGEST_LINE) && bytes.every((byte) => byte > 0 && byte < 128);
}
