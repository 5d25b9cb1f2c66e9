import { AppError } from '../../core/errors.ts';
import { decoded } from './eight-bit.ts';

/** A posted form whose values keep their bytes: mails in it are in no particular charset. */
export interface Form {
  /** In UTF-8, or in the charset that the sender names for it. */
  text(name: string, charset?: string): string | undefined;
  bytes(name: string): Promise<Uint8Array | undefined>;
  /** What the sender called the file and its type. */
  file(name: string): { name: string; type: string; size: number } | undefined;
  names: string[];
}

/** Reads a form, multipart or urlencoded. Throws AppError `invalid_request` on what is none. */
export async function readForm(body: Uint8Array, contentType: string): Promise<Form> {
  const form = await parse(body, contentType);
  const entry = (name: string) => form.get(name) ?? undefined;
  const decode = (text: string, charset?: string) => decoded(Buffer.from(text, 'latin1'), charset);
  return {
    names: [...form.keys()],
    text(name, charset) {
      const value = entry(name);
      return typeof value === 'string' ? decode(value, charset) : undefined;
    },
    async bytes(name) {
      const value = entry(name);
      if (value === undefined) return undefined;
      return Buffer.from(typeof value === 'string' ? value : await value.text(), 'latin1');
    },
    file(name) {
      const value = entry(name);
      return value instanceof File
        ? { name: decode(value.name), type: value.type, size: value.size }
        : undefined;
    },
  };
}

async function parse(body: Uint8Array, contentType: string): Promise<FormData> {
  // Each byte as one letter: the parser of forms believes that all text is UTF-8.
  const letters = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1');
  try {
    if (/urlencoded/i.test(contentType)) return fromPairs(letters);
    return await new Response(Buffer.from(letters), { headers: { 'content-type': contentType } }).formData();
  } catch (error) {
    throw new AppError('invalid_request', 'The body is no form.', { cause: error });
  }
}

function fromPairs(text: string): FormData {
  const form = new FormData();
  for (const [name, value] of new URLSearchParams(text))
    form.append(name, Buffer.from(value).toString('latin1'));
  return form;
}
