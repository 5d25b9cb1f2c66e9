import { MIMEType } from 'node:util';
import type { MiddlewareHandler } from 'hono';
import { AppError } from '../core/errors.ts';
import type { ApiEnv } from './deps.ts';
import { requestHeader } from './node-request.ts';

// More than any provider posts of a mail or a message.
const MOST_PARTS = 1_000;

/** Refuses a form of very many parts: reading one takes its time however small it is, and meanwhile everybody waits. */
export const limitParts: MiddlewareHandler<ApiEnv> = async (c, next) => {
  const contentType = requestHeader(c, 'content-type');
  if (markOf(contentType) !== undefined)
    refuseManyParts(new Uint8Array(await c.req.arrayBuffer()), contentType);
  await next();
};

/** Does the same with a body that was read. */
export function refuseManyParts(body: Uint8Array, contentType: string | undefined): void {
  const mark = markOf(contentType);
  if (mark === undefined || !isTooOften(mark, body)) return;
  throw new AppError('payload_too_large', `This form has more than ${MOST_PARTS} parts.`);
}

/** What stands between the parts of a form; undefined for any other body. */
function markOf(contentType = ''): string | undefined {
  const boundary = boundaryOf(contentType);
  if (boundary !== undefined) return `--${boundary}`;
  return /urlencoded/i.test(contentType) ? '&' : undefined;
}

/** What a multipart form says of itself in its header; undefined for any other body. */
export function boundaryOf(contentType = ''): string | undefined {
  if (!/^\s*multipart\//i.test(contentType)) return undefined;
  try {
    return new MIMEType(contentType).params.get('boundary') ?? undefined;
  } catch {
    return undefined;
  }
}

function isTooOften(mark: string, body: Uint8Array): boolean {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  let at = -1;
  for (let found = 0; found <= MOST_PARTS; found += 1) {
    at = bytes.indexOf(mark, at + 1);
    if (at === -1) return false;
  }
  return true;
}
