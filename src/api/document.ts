import { readFileSync } from 'node:fs';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { ApiEnv } from './deps.ts';

type Document = ReturnType<OpenAPIHono['getOpenAPI31Document']>;

const ABOUT = {
  openapi: '3.1.0',
  info: {
    title: 'Tributary',
    version: '1',
    description:
      'A self-hosted multi-channel messaging gateway. Send your key as `Authorization: Bearer KEY` or `X-API-Key: KEY`. ' +
      'Lists are pages of `{data, meta}`; errors are `{error: {code, message, details, request_id}}`. Text with NUL ' +
      'characters or broken surrogate pairs is refused, JSON nested deeper than 64 levels too. `/api/support` is a second ' +
      'dialect of the same conversations: camelCase, `{success, data, meta}` and `{success, error}`.',
  },
  servers: [{ url: '/' }],
  security: [{ bearer: [] }, { apiKey: [] }],
};

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header' as const,
  required: false,
  schema: { type: 'string' as const, maxLength: 255 },
  description:
    'For 24 hours the same key and body is answered as the first time, with `Idempotency-Replayed: true`.',
};

/** Serves the OpenAPI document of all routes mounted so far, and a page that reads it. */
export function serveDocument(app: OpenAPIHono<ApiEnv>): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' });
  app.openAPIRegistry.registerComponent('securitySchemes', 'apiKey', {
    type: 'apiKey',
    in: 'header',
    name: 'X-API-Key',
  });
  let rendered: string | undefined;
  app.get('/openapi.json', (c) => {
    rendered ??= JSON.stringify(completed(app.getOpenAPI31Document(ABOUT)));
    return c.body(rendered, 200, { 'Content-Type': 'application/json' });
  });
  const page = readFileSync(new URL('../../web/docs/page.html', import.meta.url), 'utf8');
  const script = readFileSync(new URL('../../web/docs/docs.js', import.meta.url), 'utf8');
  app.get('/docs', (c) => c.html(page, 200, { 'Content-Security-Policy': PAGE_POLICY }));
  app.get('/docs/docs.js', (c) => c.body(script, 200, { 'Content-Type': 'text/javascript; charset=utf-8' }));
}

const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/** Adds what holds for every route of a kind: names for generated clients, and the key that makes a POST happen once. */
function completed(document: Document): Document {
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const method of ['get', 'post', 'put', 'patch', 'delete'] as const) {
      const operation = item[method];
      if (operation === undefined) continue;
      operation.operationId ??= operationId(method, path);
      if (method === 'post' && path.startsWith('/api/'))
        operation.parameters = [...(operation.parameters ?? []), IDEMPOTENCY_KEY];
    }
  }
  return document;
}

function operationId(method: string, path: string): string {
  const isApi = path.startsWith('/api/');
  const words = path
    .replace(/^\/api(\/v1)?/, '')
    .split(/[^a-zA-Z]+/)
    .filter((word) => word !== '');
  const name = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  return isApi ? `${method}${name}` : `${method}Root${name}`;
}
