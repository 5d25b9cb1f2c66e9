import { Readable } from 'node:stream';

/** How far one request came: once bytes may have left, only an answer tells what became of it. */
export interface Wire {
  written: boolean;
}

/** The body of a request, which notes on the wire when its first byte is asked for. */
export function notedBody(body: string | Uint8Array | Readable, wire: Wire): Readable {
  // Nothing is read ahead: what was read is what may have left.
  return Readable.from(noting(body, wire), { objectMode: false, highWaterMark: 0 });
}

async function* noting(body: string | Uint8Array | Readable, wire: Wire): AsyncGenerator<Uint8Array> {
  wire.written = true;
  if (body instanceof Readable) yield* body;
  else yield typeof body === 'string' ? Buffer.from(body) : body;
}
