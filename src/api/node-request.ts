import type { Context } from 'hono';
import { AppError } from '../core/errors.ts';
import type { ApiEnv } from './deps.ts';

// Web Headers and streams cost more than all the rest of a small request. What runs on every request reads and writes
// Node's own objects where they are there, which they are behind a real server.

/** A header of the request; its name in lower case. */
export function requestHeader(c: Context<ApiEnv>, name: string): string | undefined {
  const headers = c.env?.incoming?.headers;
  if (headers === undefined) return c.req.header(name);
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** All headers of the request; names in lower case. */
export function requestHeaders(c: Context<ApiEnv>): Record<string, string> {
  return (c.env?.incoming?.headers as Record<string, string> | undefined) ?? c.req.header();
}

/** A header of whatever answer comes, which the route may still set otherwise. Call it before the answer exists. */
export function answerHeader(c: Context<ApiEnv>, name: string, value: string): void {
  const { outgoing } = c.env ?? {};
  if (outgoing === undefined) c.header(name, value);
  else outgoing.setHeader(name, value);
}

/** The body as it was sent. Throws AppError `payload_too_large` beyond the limit, having read no further. */
export async function requestBody(c: Context<ApiEnv>, maxBytes: number): Promise<Uint8Array> {
  const declared = Number(requestHeader(c, 'content-length') ?? 0);
  if (declared > maxBytes) throw tooLarge(maxBytes);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of c.env?.incoming ?? c.req.raw.body ?? []) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  const [only, ...more] = chunks;
  return only !== undefined && more.length === 0 ? only : Buffer.concat(chunks);
}

/** The refusal of a body over the limit. */
export function tooLarge(maxBytes: number): AppError {
  return new AppError('payload_too_large', `This route takes bodies of up to ${maxBytes} bytes.`);
}
