import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { z } from 'zod';
import { MAX_UPLOAD_BYTES } from '../../core/attachments/uploads.ts';
import type { LoadedChannel } from '../../core/channels.ts';
import {
  findVisitorSession,
  revokeVisitorSession,
  type VisitorSession,
  visitorUploader,
} from '../../core/customers/visitor-sessions.ts';
import { AppError } from '../../core/errors.ts';
import { isUuid } from '../../core/id.ts';
import { limitBody } from '../body-limit.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { limitParts } from '../form-parts.ts';
import { errors, json } from '../openapi.ts';
import { keepUpload, uploadBody, uploaded } from '../upload.ts';

const tags = ['Web chat'];
const params = z.object({ channel_id: z.string().refine(isUuid).meta({ format: 'uuid' }) });

// The public part of the channel's settings; its secret and its list of sites stay inside.
const theme = z.object({
  name: z.string(),
  welcome_heading: z.string(),
  welcome_tagline: z.string(),
  primary_color: z.string(),
  logo_url: z.string().nullable(),
  show_online_badge: z.boolean(),
});

const widgetView = theme.extend({
  channel_id: z.string(),
  business_id: z.string(),
  is_online: z
    .boolean()
    .nullable()
    .meta({ description: 'Whether an agent is live; null where the badge is off' }),
});

const config = createRoute({
  method: 'get',
  path: '/webchat/{channel_id}/config',
  tags,
  summary: 'What a widget shows before anybody has written; needs no key',
  request: { params },
  responses: { 200: json('How the widget looks', widgetView), ...errors },
});

const upload = createRoute({
  method: 'post',
  path: '/webchat/{channel_id}/upload',
  tags,
  summary: 'Upload a file as a visitor, with the visitor token as Bearer',
  request: {
    params,
    body: uploadBody,
  },
  responses: {
    201: json(
      'Where it is; put its `url` or `id` into `attachments` of one `client_message` within a day',
      uploaded,
    ),
    ...errors,
  },
});

const endSession = createRoute({
  method: 'delete',
  path: '/webchat/{channel_id}/session',
  tags,
  summary: 'End the session of a visitor token: it resumes nothing any more',
  request: { params },
  responses: { 204: { description: 'The session has ended' }, ...errors },
});

// Called by the handler once the token was checked: until then no byte of the body is read.
const limitUpload = limitBody(MAX_UPLOAD_BYTES);
const UPLOADS_PER_MINUTE = { points: 30, durationSeconds: 60 };

/** What a widget asks over HTTP: outside /api/v1, since its keys are visitor tokens and its origins the channel's own. */
export function webchatRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { pool, rateLimits, attachments } = deps;
  const app = new OpenAPIHono<ApiEnv>();
  app.use('/webchat/:channel_id/*', widgetCors(deps));

  app.openapi(config, async (c) => {
    const { row, channel } = await findWebchat(deps, c.req.valid('param').channel_id);
    const shown = theme.parse(channel.settings);
    const is_online = shown.show_online_badge ? await hasLiveAgent(deps, row.business_id) : null;
    return c.json({ ...shown, channel_id: row.id, business_id: row.business_id, is_online }, 200);
  });

  app.openapi(upload, async (c) => {
    const session = await visitorOf(c, c.req.valid('param').channel_id, deps);
    const { allowed } = await rateLimits.consume('visitor-upload', session.visitorId, UPLOADS_PER_MINUTE);
    if (!allowed)
      throw new AppError('rate_limited', 'Too many uploads: wait a moment.', { retryAfterSeconds: 60 });
    await limitUpload(c, async () => {});
    await limitParts(c, async () => {});
    const { businessId, visitorId } = session;
    const owner = { businessId, conversationId: null, uploadedBy: visitorUploader(visitorId) };
    return c.json(await keepUpload(c, attachments, owner), 201);
  });

  app.openapi(endSession, async (c) => {
    const session = await visitorOf(c, c.req.valid('param').channel_id, deps);
    await revokeVisitorSession(pool, deps.wake, session.id);
    return c.body(null, 204);
  });

  return app;
}

/** The session behind a visitor token, checked before the body is read. */
async function visitorOf(
  c: Context<ApiEnv>,
  channelId: string,
  { pool, secrets, channels }: ApiDeps,
): Promise<VisitorSession> {
  const token = /^Bearer +(\S+) *$/i.exec(c.req.header('authorization') ?? '')?.[1];
  if (token === undefined) {
    throw new AppError('unauthorized', 'Send the visitor token as `Authorization: Bearer TOKEN`.');
  }
  const session = await findVisitorSession(pool, secrets, { token, channelId });
  await findWebchat({ channels }, channelId);
  return session;
}

async function findWebchat({ channels }: Pick<ApiDeps, 'channels'>, id: string): Promise<LoadedChannel> {
  const loaded = isUuid(id) ? await channels.load(id) : undefined;
  if (loaded === undefined || loaded.row.type !== 'webchat' || !loaded.row.is_active) {
    throw new AppError('not_found', 'There is no such web chat.');
  }
  return loaded;
}

async function hasLiveAgent({ pool }: ApiDeps, businessId: string): Promise<boolean> {
  const rows = await pool`
    select id from agents where business_id = ${businessId} and is_active and status = 'live' limit 1`;
  return rows.length > 0;
}

const origins = z.object({ allowed_origins: z.array(z.string()) });

/** A browser may read our answers on the sites that the channel lists; on every site while it lists none. */
function widgetCors({ channels }: ApiDeps): MiddlewareHandler<ApiEnv> {
  return cors({
    async origin(origin, c) {
      const loaded = await channels.load(c.req.param('channel_id') ?? '');
      const settings = origins.safeParse(loaded?.channel.settings);
      const allowed = settings.success ? settings.data.allowed_origins : [];
      return allowed.length === 0 || allowed.includes('*') || allowed.includes(origin) ? origin : null;
    },
    allowMethods: ['GET', 'POST', 'DELETE'],
    allowHeaders: ['Authorization', 'Content-Type'],
    maxAge: 600,
  });
}
