import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { audit } from '../../core/audit.ts';
import { createEndpoint } from '../../webhooks/endpoints.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { commitAnswer } from '../idempotency.ts';
import { body } from '../openapi.ts';
import { endpointInput } from '../routes/webhook-endpoints.ts';
import { errors, succeeds, success, tags } from './envelope.ts';

const webhookView = z.object({
  id: z.string(),
  url: z.string(),
  events: z.array(z.string()),
  isActive: z.boolean(),
  secret: z.string().meta({ description: 'Verifies the signatures; shown this once.' }),
  createdAt: z.string(),
});

const create = createRoute({
  method: 'post',
  path: '/webhooks',
  tags,
  summary: "Subscribe a URL to events, with this dialect's payload",
  request: { body: body(endpointInput.pick({ url: true, events: true })) },
  responses: { 201: succeeds('The endpoint, and its secret for this once', webhookView), ...errors },
});

/** Subscribing in the support dialect; from there on it is an endpoint like any other. */
export function supportWebhookRoutes({ secrets, egress }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(create, async (c) => {
    const { actor } = c.var;
    const draft = { ...c.req.valid('json'), businessId: actor.businessId, dialect: 'support' } as const;
    const answer = await commitAnswer(c, 201, async (tx) => {
      const { endpoint, secret } = await createEndpoint(tx, draft, { secrets, egress });
      await audit(tx, actor, { action: 'webhook_endpoint.created', subjectId: endpoint.id });
      const { id, url, events, is_active, created_at } = endpoint;
      return success({ id, url, events, isActive: is_active, secret, createdAt: created_at.toISOString() });
    });
    return c.json(answer, 201);
  });

  return app;
}
