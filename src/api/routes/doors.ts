import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { z } from 'zod';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { refuseManyParts } from '../form-parts.ts';
import { requestBody, requestHeader, requestHeaders } from '../node-request.ts';
import { errors, json } from '../openapi.ts';

const MEGABYTE = 1024 * 1024;
// Meta batches, and mail carries its attachments; every other provider sends small requests.
const BODY_BYTES: Record<string, number> = { whatsapp: 5 * MEGABYTE, email: 25 * MEGABYTE };

const params = z.object({ type: z.string(), channelId: z.string() });
const tags = ['Doors'];

const accepted = z.object({
  data: z.array(
    z.object({
      message_id: z.string().nullable(),
      conversation_id: z.string().nullable(),
      seq: z.number().int().nullable(),
      duplicate: z.boolean(),
    }),
  ),
});

const receive = createRoute({
  method: 'post',
  path: '/webhooks/{type}/{channelId}',
  tags,
  summary: 'Where a provider calls us',
  description:
    'Checked by the signature or secret of the provider. Answered 2xx only after the commit, also for a duplicate.',
  security: [],
  request: { params },
  responses: {
    200: json(
      'Stored, or known already. A channel `api` is told where each item went; others get an empty answer.',
      accepted,
    ),
    ...errors,
  },
});

const challenge = createRoute({
  method: 'get',
  path: '/webhooks/{type}/{channelId}',
  tags,
  summary: 'Where a provider checks our door',
  security: [],
  request: { params },
  responses: { 200: { description: 'The challenge' }, ...errors },
});

/** The doors that providers call, outside of /api and without a key. */
export function doorRoutes({ receiver, config }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  async function pass(c: Context<ApiEnv>): Promise<Response> {
    const { type = '', channelId = '' } = c.req.param();
    const body = await requestBody(c, BODY_BYTES[type] ?? MEGABYTE);
    refuseManyParts(body, requestHeader(c, 'content-type'));
    const answer = await receiver.request(type, channelId, {
      method: c.req.method,
      url: publicUrlOf(c, config.publicUrl),
      headers: requestHeaders(c),
      body,
    });
    const status = answer.status as ContentfulStatusCode;
    // Without a header to set, the answer takes the server's short way.
    if (answer.contentType === undefined) return c.body(answer.body, status);
    return c.body(answer.body, status, { 'Content-Type': answer.contentType });
  }

  for (const route of [receive, challenge]) {
    app.openAPIRegistry.registerPath(route);
    app.on(route.method, '/webhooks/:type/:channelId', pass);
  }
  return app;
}

/** Providers sign the address that they were given, whatever a proxy made of it on the way. */
function publicUrlOf(c: Context<ApiEnv>, publicUrl: string | undefined): string {
  return publicUrl === undefined ? c.req.url : publicUrl + c.req.url.replace(/^https?:\/\/[^/]*/, '');
}
