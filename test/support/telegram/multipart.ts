import type { Params } from './rules.ts';

export interface UploadedFile {
  name: string;
  /** What the part itself says of its content. */
  type: string;
  bytes: Buffer;
}

/** The parameters and files of a request, as JSON or as multipart/form-data. */
export function readRequest(
  contentType: string,
  body: Buffer,
): { params: Params; files: Map<string, UploadedFile> } {
  const boundary = /^multipart\/form-data;\s*boundary="?([^";]+)"?/i.exec(contentType)?.[1];
  if (boundary !== undefined) return readMultipart(body, boundary);
  const text = body.toString('utf8');
  return { params: text === '' ? {} : (JSON.parse(text) as Params), files: new Map() };
}

function readMultipart(body: Buffer, boundary: string) {
  const params: Params = {};
  const files = new Map<string, UploadedFile>();
  for (const part of body.toString('latin1').split(`--${boundary}`).slice(1, -1)) {
    const end = part.indexOf('\r\n\r\n');
    const bytes = Buffer.from(part.slice(end + 4, -2), 'latin1');
    const head = Buffer.from(part.slice(0, end), 'latin1').toString('utf8');
    const name = /name="?([^";\r\n]+)"?/.exec(head)?.[1] ?? '';
    const filename = /filename="?([^";\r\n]+)"?/.exec(head)?.[1];
    if (filename === undefined) params[name] = fieldValue(name, bytes.toString('utf8'));
    else
      files.set(name, {
        name: filename,
        type: /^content-type:\s*([^;\r\n]+)/im.exec(head)?.[1] ?? '',
        bytes,
      });
  }
  return { params, files };
}

const WORDS = new Set(['text', 'caption', 'parse_mode', 'business_connection_id']);

/** Form fields are text; Telegram reads objects and numbers in them as JSON, and so must we. */
function fieldValue(name: string, text: string): unknown {
  if (WORDS.has(name)) return text;
  return /^[[{]/.test(text) ? JSON.parse(text) : /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}
