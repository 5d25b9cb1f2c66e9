import type { MiddlewareHandler } from 'hono';
import type { ApiEnv } from './deps.ts';
import { requestHeader, tooLarge } from './node-request.ts';

/**
 * Refuses a body over the limit. One of declared length is left unread until its handler wants it; any other is read
 * here, no further than the limit. (Hono's own makes a new Request, which needs node-server's global one.)
 */
export function limitBody(maxBytes: number): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const declared = requestHeader(c, 'content-length');
    if (declared !== undefined) {
      if (Number(declared) > maxBytes) throw tooLarge(maxBytes);
    } else if (c.req.method !== 'GET' && c.req.method !== 'HEAD' && c.req.raw.body !== null) {
      const bytes = Promise.resolve(await readUpTo(c.req.raw.body, maxBytes));
      // Hono keeps promises here although its type says otherwise.
      c.req.bodyCache.arrayBuffer = bytes as unknown as ArrayBuffer;
    }
    await next();
  };
}

async function readUpTo(body: ReadableStream<Uint8Array>, maxBytes: number): Promise<ArrayBuffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer();
}
