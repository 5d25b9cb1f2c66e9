import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { OpenAPIHono } from '@hono/zod-openapi';
import { AppError } from '../../core/errors.ts';
import { hasDemo } from '../../core/start/banner.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';

const FOLDER = new URL('../../../web/demo/', import.meta.url);
const PAGE = 'page.html';
const CONTENT_TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The page that shows both ends of a conversation, at /demo (not below /api/v1), for who tries Tributary on a laptop. */
export function demoRoutes({ config }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();
  if (!hasDemo(config)) return app;

  const files = readFiles();
  app.get('/demo/:name?', (c) => {
    const file = files.get(c.req.param('name') ?? PAGE);
    if (file === undefined || !c.var.isLocal)
      throw new AppError('not_found', 'There is nothing at this address.');
    return c.body(file.content, 200, { 'content-type': file.type, 'content-security-policy': POLICY });
  });
  return app;
}

function readFiles(): Map<string, { type: string; content: string }> {
  const files = new Map<string, { type: string; content: string }>();
  for (const name of readdirSync(FOLDER)) {
    const type = CONTENT_TYPES[extname(name)];
    if (type !== undefined) files.set(name, { type, content: readFileSync(new URL(name, FOLDER), 'utf8') });
  }
  return files;
}
