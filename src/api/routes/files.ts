import { Readable } from 'node:stream';
import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { create as createDisposition } from 'content-disposition';
import { Hono } from 'hono';
import parseRange from 'range-parser';
import { findAttachment, refetchAttachment } from '../../core/attachments/refetch.ts';
import { FileGone } from '../../core/attachments/storage/gone.ts';
import type { Span } from '../../core/attachments/storage.ts';
import type { Attachments, OpenedFile } from '../../core/attachments.ts';
import { AppError } from '../../core/errors.ts';
import { type AttachmentRow, attachmentView, viewAttachment } from '../../core/views/message.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { commitAnswer } from '../idempotency.ts';
import { errors, json } from '../openapi.ts';
import { idParam } from '../validate.ts';

const get = createRoute({
  method: 'get',
  path: '/attachments/{id}',
  tags: ['Messages'],
  summary: 'An attachment with a fresh signed address',
  request: { params: idParam },
  responses: { 200: json('The attachment', attachmentView), ...errors },
});

const refetch = createRoute({
  method: 'post',
  path: '/attachments/{id}/fetch',
  tags: ['Messages'],
  summary: 'Fetch an attachment anew that could not be had, or was too large or let go',
  description:
    'From where it was the first time, if the provider still has it. What is there already stays as it is; `message.updated` tells what came of it.',
  request: { params: idParam },
  responses: { 200: json('The attachment, `pending` until it is here', attachmentView), ...errors },
});

/** Attachments by their id, below /api/v1. */
export function attachmentRoutes({ pool, attachments }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  /** An upload that no message has taken yet is there all the same. */
  function shown(row: AttachmentRow) {
    return attachments.mint(viewAttachment(row.state === 'uploaded' ? { ...row, state: 'ready' } : row));
  }

  app.openapi(get, async (c) => {
    return c.json(shown(await findAttachment(pool, c.var.actor.businessId, c.req.valid('param').id)), 200);
  });

  app.openapi(refetch, async (c) => {
    const { id } = c.req.valid('param');
    const answer = await commitAnswer(c, 200, async (tx) =>
      shown(await refetchAttachment(tx, c.var.actor.businessId, id)),
    );
    return c.json(answer, 200);
  });

  return app;
}

/** The bytes behind signed addresses: mounted at the root, outside /api/v1, since the address itself is the key. */
export function fileRoutes({ attachments }: ApiDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();

  app.get('/files/:token', async (c) => {
    const file = await attachments.open(c.req.param('token'));
    if (file === undefined) throw gone();
    const headers = headersOf(file);
    if (isKnown(c.req.header('if-none-match'), file)) return c.body(null, 304, headers);
    const range = rangeOf(c.req.header('range'), c.req.header('if-range'), file);
    if (range === 'unsatisfiable')
      return c.body(null, 416, { ...headers, 'Content-Range': `bytes */${file.sizeBytes}` });
    const sized = { ...headers, ...lengthOf(file, range) };
    const status = range === undefined ? 200 : 206;
    if (file.sizeBytes === 0 || c.req.method === 'HEAD') return c.body(null, status, sized);
    return c.body(await bytesOf(attachments.files, file, range), status, sized);
  });

  return app;
}

async function bytesOf(
  files: Attachments['files'],
  { storageKey }: OpenedFile,
  range: Span | undefined,
): Promise<ReadableStream> {
  const bytes = await files.stream(storageKey, range).catch((error: unknown) => {
    throw error instanceof FileGone ? gone(error) : error;
  });
  return Readable.toWeb(bytes) as ReadableStream;
}

function gone(cause?: unknown): AppError {
  return new AppError('not_found', 'There is no such file, or its address has expired.', { cause });
}

function isKnown(ifNoneMatch: string | undefined, { etag }: OpenedFile): boolean {
  const known = ifNoneMatch?.split(/\s*,\s*/).map((tag) => tag.replace(/^W\//, '')) ?? [];
  return known.includes(etag) || known.includes('*');
}

function lengthOf({ sizeBytes }: OpenedFile, range: Span | undefined): Record<string, string> {
  if (sizeBytes === undefined) return {};
  if (range === undefined) return { 'Content-Length': String(sizeBytes) };
  const { start, end } = range;
  return {
    'Content-Length': String(end - start + 1),
    'Content-Range': `bytes ${start}-${end}/${sizeBytes}`,
  };
}

/** A stranger's bytes are downloaded, never shown as a page of ours: no sniffing, no script, no origin. */
function headersOf({ name, contentType, sizeBytes, etag }: OpenedFile): Record<string, string> {
  return {
    'Content-Type': contentType,
    'Content-Disposition': createDisposition(name),
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "sandbox; default-src 'none'",
    'Cross-Origin-Resource-Policy': 'cross-origin',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'private, max-age=3600',
    ...(sizeBytes === undefined ? {} : { 'Accept-Ranges': 'bytes' }),
    ETag: etag,
  };
}

const UNSATISFIABLE = -1;

/** One range of bytes; undefined where the whole file is the answer. */
function rangeOf(
  range: string | undefined,
  ifRange: string | undefined,
  { etag, sizeBytes: size }: OpenedFile,
): Span | 'unsatisfiable' | undefined {
  if (range === undefined || size === undefined || (ifRange !== undefined && ifRange !== etag))
    return undefined;
  // The last bytes of a file that has no more than these are the file; range-parser knows none such.
  if (Number(/^bytes=-(\d+)$/.exec(range)?.[1]) >= size) return undefined;
  const ranges = parseRange(size, range);
  if (ranges === UNSATISFIABLE) return 'unsatisfiable';
  return typeof ranges === 'object' && ranges.type === 'bytes' && ranges.length === 1 ? ranges[0] : undefined;
}
