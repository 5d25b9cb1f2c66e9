import { Readable } from 'node:stream';
import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { Hono } from 'hono';
import type { StoredAttachment } from '../../core/attachments.ts';
import { AppError } from '../../core/errors.ts';
import { isUuid } from '../../core/id.ts';
import { type AttachmentRow, attachmentView } from '../../core/views/message.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { errors, json } from '../openapi.ts';
import { idParam, refuseInvalid } from '../validate.ts';

const get = createRoute({
  method: 'get',
  path: '/attachments/{id}',
  tags: ['Messages'],
  summary: 'An attachment with a fresh signed address',
  request: { params: idParam },
  responses: { 200: json('The attachment', attachmentView), ...errors },
});

/** Attachments by their id, below /api/v1. */
export function attachmentRoutes({ pool, attachments }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>({ defaultHook: refuseInvalid });

  app.openapi(get, async (c) => {
    const { id } = c.req.valid('param');
    const [row] = isUuid(id)
      ? await pool<AttachmentRow[]>`
          select id, message_id, name, content_type, size_bytes, state from attachments
          where id = ${id} and business_id = ${c.var.actor.businessId}`
      : [];
    if (row === undefined) throw new AppError('not_found', 'There is no such attachment.');
    const isStored = row.state === 'ready' || row.state === 'uploaded';
    const state = row.state === 'uploaded' ? 'ready' : row.state;
    const url = isStored ? attachments.url(id) : null;
    return c.json({ id, name: row.name, type: row.content_type, size: row.size_bytes, url, state }, 200);
  });

  return app;
}

/** The bytes behind signed addresses: mounted at the root, outside /api/v1, since the address itself is the key. */
export function fileRoutes({ attachments }: ApiDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();

  app.get('/files/:token', async (c) => {
    const file = await attachments.open(c.req.param('token'));
    if (file === undefined)
      throw new AppError('not_found', 'There is no such file, or its address has expired.');
    const etag = `"${file.sha256.toString('hex')}"`;
    const headers = headersOf(file, etag);
    if (
      c.req
        .header('if-none-match')
        ?.split(/\s*,\s*/)
        .includes(etag)
    )
      return c.body(null, 304, headers);
    const range = rangeOf(c.req.header('range'), c.req.header('if-range'), { etag, size: file.size_bytes });
    if (range === 'unsatisfiable') {
      return c.body(null, 416, { ...headers, 'Content-Range': `bytes */${file.size_bytes}` });
    }
    const { start, end } = range ?? { start: 0, end: file.size_bytes - 1 };
    const sized = { ...headers, 'Content-Length': String(end - start + 1) };
    if (file.size_bytes === 0 || c.req.method === 'HEAD') return c.body(null, 200, sized);
    const stream = Readable.toWeb(
      attachments.files.stream(file.storage_key, { start, end }),
    ) as ReadableStream;
    if (range === undefined) return c.body(stream, 200, sized);
    return c.body(stream, 206, { ...sized, 'Content-Range': `bytes ${start}-${end}/${file.size_bytes}` });
  });

  return app;
}

/** A stranger's bytes are downloaded, never shown as a page of ours: no sniffing, no script, no origin. */
function headersOf(file: StoredAttachment, etag: string): Record<string, string> {
  return {
    'Content-Type': file.content_type,
    'Content-Disposition': `attachment; filename*=UTF-8''${encodeRfc5987(file.name)}`,
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "sandbox; default-src 'none'",
    'Cross-Origin-Resource-Policy': 'cross-origin',
    'Cache-Control': 'private, max-age=3600',
    'Accept-Ranges': 'bytes',
    ETag: etag,
  };
}

function encodeRfc5987(name: string): string {
  return encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

interface Span {
  start: number;
  end: number;
}

/** One range of bytes; undefined where the whole file is the answer. */
function rangeOf(
  range: string | undefined,
  ifRange: string | undefined,
  { etag, size }: { etag: string; size: number },
): Span | 'unsatisfiable' | undefined {
  if (ifRange !== undefined && ifRange !== etag) return undefined;
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(range ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  return start > end || start >= size ? 'unsatisfiable' : { start, end };
}
