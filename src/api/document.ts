import { readFileSync } from 'node:fs';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { AppError } from '../core/errors.ts';
import type { ApiEnv } from './deps.ts';
import { addExamples } from './examples.ts';

type Document = ReturnType<OpenAPIHono['getOpenAPI31Document']>;
type Operation = NonNullable<NonNullable<Document['paths']>[string]['get']>;

const ABOUT = {
  openapi: '3.1.0',
  info: {
    title: 'Tributary',
    version: '1',
    license: { name: 'MIT', identifier: 'MIT' },
    description: readFileSync(new URL('../../web/docs/guide.md', import.meta.url), 'utf8'),
  },
  servers: [{ url: '/' }],
  // In the order in which a newcomer needs them; one that a route names and that is not here fails `npm run check`.
  tags: [
    { name: 'Conversations', description: 'The inbox: list, read, assign, snooze, resolve, merge.' },
    { name: 'Messages', description: 'Reply, write notes, schedule, retry, cancel.' },
    { name: 'AI', description: 'A program of yours that answers, and what it suggests to agents.' },
    { name: 'Canned responses', description: 'Answers that are written once and used often.' },
    { name: 'Automation', description: 'Rules: what happens by itself, when and in which case.' },
    { name: 'Customers', description: 'Who writes: identities, merging, export and erasure.' },
    { name: 'Blocked senders', description: 'People, addresses and domains that are kept out.' },
    {
      name: 'Channels',
      description: "A business's connected accounts: this bot, that number, that mailbox.",
    },
    { name: 'Team', description: 'Agents, invitations, presence and hand-offs.' },
    { name: 'Teams', description: 'Groups of agents that share what is assigned to them.' },
    { name: 'Webhooks', description: 'Signed deliveries of events to your servers.' },
    { name: 'Events', description: 'Everything that happened, in one order, under a cursor.' },
    { name: 'Realtime', description: 'Tickets for sockets; the socket protocol is in the README.' },
    { name: 'Web chat', description: 'What a widget asks: its theme, its visitor, uploads.' },
    { name: 'Search', description: 'Messages, conversations and people by their words.' },
    { name: 'Analytics', description: 'Counts and times, by channel, agent, tag and day.' },
    { name: 'Businesses', description: 'The tenant itself.' },
    { name: 'API keys', description: 'Who may ask, and with which role.' },
    { name: 'Audit', description: 'Who did what to settings, secrets and people.' },
    { name: 'Inbound events', description: 'What providers sent, raw, and how to receive it again.' },
    { name: 'Doors', description: 'Where providers call us.' },
    { name: 'Support dialect', description: 'The same conversations in camelCase.' },
    { name: 'Operation', description: 'Health and metrics.' },
  ],
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
    rendered ??= JSON.stringify(addExamples(completed(app.getOpenAPI31Document(ABOUT))));
    return c.body(rendered, 200, { 'Content-Type': 'application/json' });
  });
  // Whoever opens the address that the start printed finds a way on.
  app.get('/', (c) => c.redirect('/docs'));
  app.get('/docs', (c) =>
    c.html(readFileSync(PAGE, 'utf8'), 200, { 'Content-Security-Policy': PAGE_POLICY }),
  );
  app.get('/docs/:file', (c) => {
    const asset = ASSETS[c.req.param('file')];
    if (asset === undefined) throw new AppError('not_found', 'There is nothing at this address.');
    return c.body(readFileSync(asset.url, 'utf8'), 200, { 'Content-Type': asset.type });
  });
}

const PAGE = new URL('../../web/docs/page.html', import.meta.url);
const SCRIPT = 'text/javascript; charset=utf-8';
const STYLE = 'text/css; charset=utf-8';

/** Everything the page needs comes from here: it works where there is no internet. */
const ASSETS: Record<string, { url: URL; type: string }> = {
  'style.css': { url: new URL('../../web/docs/style.css', import.meta.url), type: STYLE },
  'start.js': { url: new URL('../../web/docs/start.js', import.meta.url), type: SCRIPT },
  'swagger-ui.js': {
    url: new URL(import.meta.resolve('swagger-ui-dist/swagger-ui-bundle.js')),
    type: SCRIPT,
  },
  'swagger-ui.css': {
    url: new URL(import.meta.resolve('swagger-ui-dist/swagger-ui.css')),
    type: STYLE,
  },
};

const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; frame-ancestors 'none'";

/** Adds what holds for every route of a kind: names for generated clients, and the key that makes a POST happen once. */
function completed(document: Document): Document {
  for (const [path, item] of Object.entries(document.paths ?? {}))
    for (const method of METHODS) complete(item[method], method, path);
  return document;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

function complete(operation: Operation | undefined, method: string, path: string): void {
  if (operation === undefined) return;
  operation.operationId ??= operationId(method, path);
  if (method === 'post' && path.startsWith('/api/'))
    operation.parameters = [...(operation.parameters ?? []), IDEMPOTENCY_KEY];
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
