import { Readable } from 'node:stream';
import { type Dispatcher, request } from 'undici';

/** How far one request came: once bytes may have left, only an answer tells what became of it. */
export interface Wire {
  written: boolean;
}

interface Outgoing {
  method: string;
  headers: Record<string, string>;
  body?: string | Readable;
}

interface TransportOptions {
  dispatcher: Dispatcher;
  signal: AbortSignal;
  wire: Wire;
}

/** The `fetch` that we give to grammY: through our dispatcher, and it notes when the first byte is asked for. */
export function createTransport({ dispatcher, signal, wire }: TransportOptions) {
  return async function post(url: string, { method, headers, body }: Outgoing) {
    signal.throwIfAborted();
    const response = await request(url, {
      method: method as Dispatcher.HttpMethod,
      headers: { 'content-type': headers['content-type'] ?? 'application/json', ...lengthOf(body) },
      body:
        body === undefined
          ? null
          : Readable.from(noting(body, wire), { objectMode: false, highWaterMark: 0 }),
      dispatcher,
      signal,
    });
    return { json: async () => asAnswer(response.statusCode, await response.body.text()) };
  };
}

function lengthOf(body: string | Readable | undefined): Record<string, string> {
  return typeof body === 'string' ? { 'content-length': String(Buffer.byteLength(body)) } : {};
}

async function* noting(body: string | Readable, wire: Wire): AsyncGenerator<Uint8Array> {
  wire.written = true;
  if (typeof body === 'string') yield Buffer.from(body);
  else yield* body;
}

/** A proxy before Telegram answers in HTML when it fails: its status still tells us what happened. */
function asAnswer(status: number, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (status >= 200 && status < 300) throw new Error('the answer is no JSON', { cause: error });
    return { ok: false, error_code: status, description: `HTTP ${status}` };
  }
}
