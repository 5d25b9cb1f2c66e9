import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { audit } from '../../core/audit.ts';
import type { Sql } from '../../core/database/connect.ts';
import { EVENT_TYPES } from '../../core/events.ts';
import type { Secrets } from '../../core/secrets.ts';
import { listSecrets } from '../../webhooks/endpoint-secrets.ts';
import { type EndpointRow, endpointView, ORDERS, viewEndpoint } from '../../webhooks/endpoint-view.ts';
import {
  createEndpoint,
  deleteEndpoint,
  findEndpoint,
  listEndpoints,
  updateEndpoint,
} from '../../webhooks/endpoints.ts';
import { endpointLane } from '../../webhooks/fanout.ts';
import { filterSchema } from '../../webhooks/filter.ts';
import { publicKeyOf } from '../../webhooks/sign.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { commitAnswer } from '../idempotency.ts';
import { body, errors, json } from '../openapi.ts';
import { page, pageOf, pageQuery, pageWindow } from '../pagination.ts';
import { idParam } from '../validate.ts';
import { givenSecret } from './webhook-secrets.ts';

const endpointFields = z.object({
  url: z.string().trim().min(1).max(2_048).meta({ description: 'A public http(s) address.' }),
  events: z
    .array(z.string())
    .max(EVENT_TYPES.length + 1)
    .meta({
      description: `Which events it hears: \`["*"]\`, kinds such as \`message.*\`, or any of ${EVENT_TYPES.join(', ')}.`,
    }),
  filter: filterSchema.nullable().optional().meta({
    description:
      'Only events with these values in their `data`, by path: `{"message.sender_type": "customer", "conversation.channel_id": ["ID", "ID"]}`.',
  }),
  description: z.string().trim().max(500).nullable().optional(),
  signatures: z
    .array(z.enum(['v1', 'v1a']))
    .optional()
    .meta({ description: '`v1` (HMAC-SHA256) always, and `v1a` (ed25519) beside it.' }),
  headers: z.record(z.string(), z.string()).nullable().optional().meta({
    description: 'Headers of your own, such as `Authorization`; kept encrypted, never shown again.',
  }),
  client_certificate: z
    .object({ certificate: z.string().max(65_536), private_key: z.string().max(16_384) })
    .nullable()
    .optional()
    .meta({
      description:
        'For mutual TLS: what the receiver is shown, as PEM, with the certificates that vouch for it. The key is kept encrypted and never shown again.',
    }),
  order: z.enum(ORDERS).optional().meta({
    description:
      'One delivery after the other, of a `conversation` or of the whole `endpoint`: those behind a failed one wait for it.',
  }),
  concurrency: z.number().int().min(1).max(100).nullable().optional().meta({
    description: 'Requests under way at once, at most; 10 unless chosen.',
  }),
  rate_limit: z
    .number()
    .int()
    .min(1)
    .max(1_000)
    .nullable()
    .optional()
    .meta({ description: 'Deliveries a second, at most.' }),
  is_active: z.boolean().optional(),
});

export const endpointInput = endpointFields.extend({ secret: givenSecret });

const example: z.input<typeof endpointFields> = {
  url: 'https://example.com/hooks/tributary',
  events: ['message.received', 'conversation.*'],
  description: 'Orders',
};

const newEndpoint = endpointView.extend({
  secret: z.string().meta({ description: 'Verifies the signatures; shown this once.' }),
  public_key: z.string().optional().meta({ description: 'Verifies the `v1a` signatures, where enabled.' }),
});

const tags = ['Webhooks'];

const list = createRoute({
  method: 'get',
  path: '/webhook-endpoints',
  tags,
  summary: 'List the endpoints, newest first',
  request: { query: pageQuery },
  responses: { 200: json('A page of endpoints', pageOf(endpointView)), ...errors },
});

const create = createRoute({
  method: 'post',
  path: '/webhook-endpoints',
  tags,
  summary: 'Subscribe a URL to events',
  request: { body: body(endpointInput, example) },
  responses: { 201: json('The endpoint, and its secret for this once', newEndpoint), ...errors },
});

const get = createRoute({
  method: 'get',
  path: '/webhook-endpoints/{id}',
  tags,
  summary: 'Get one endpoint',
  request: { params: idParam },
  responses: { 200: json('The endpoint', endpointView), ...errors },
});

const patch = createRoute({
  method: 'patch',
  path: '/webhook-endpoints/{id}',
  tags,
  summary: 'Change an endpoint; switching it on again forgives its failures',
  request: { params: idParam, body: body(endpointFields.partial(), example) },
  responses: { 200: json('The changed endpoint', endpointView), ...errors },
});

const remove = createRoute({
  method: 'delete',
  path: '/webhook-endpoints/{id}',
  tags,
  summary: 'Unsubscribe; what was still to be delivered is canceled',
  request: { params: idParam },
  responses: { 204: { description: 'It is gone' }, ...errors },
});

/** Subscribers' URLs and what they want to hear. */
export function webhookEndpointRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { pool, secrets, egress, wake, config } = deps;
  const app = new OpenAPIHono<ApiEnv>();
  const view = (row: EndpointRow) => viewEndpoint(row, config.webhooks);

  app.openapi(list, async (c) => {
    const window = pageWindow(c.req.valid('query'), secrets, 'endpoints');
    const rows = await listEndpoints(pool, c.var.actor.businessId, window);
    const keyOf = (row: EndpointRow) => [row.id];
    return c.json(page([...rows], { window, secrets, keyOf, view }), 200);
  });

  app.openapi(create, async (c) => {
    const { actor } = c.var;
    const draft = { ...c.req.valid('json'), businessId: actor.businessId, dialect: 'native' } as const;
    const answer = await commitAnswer(c, 201, async (tx) => {
      const { endpoint, secret } = await createEndpoint(tx, draft, { secrets, egress });
      await audit(tx, actor, { action: 'webhook_endpoint.created', subjectId: endpoint.id });
      return { ...view(endpoint), secret, ...(await publicKeyOfNew(tx, endpoint, secrets)) };
    });
    return c.json(answer, 201);
  });

  app.openapi(get, async (c) => {
    const endpoint = await findEndpoint(pool, c.var.actor.businessId, c.req.valid('param').id);
    return c.json(view(endpoint), 200);
  });

  app.openapi(patch, async (c) => {
    const { actor, transact } = c.var;
    const { id } = c.req.valid('param');
    const change = { businessId: actor.businessId, id, fields: c.req.valid('json') };
    const endpoint = await transact(async (tx) => {
      await audit(tx, actor, { action: 'webhook_endpoint.changed', subjectId: id });
      return updateEndpoint(tx, change, { secrets, egress });
    });
    wake.notify('lane', endpointLane(id));
    return c.json(view(endpoint), 200);
  });

  app.openapi(remove, async (c) => {
    const { actor, transact } = c.var;
    const { id } = c.req.valid('param');
    await transact(async (tx) => {
      await deleteEndpoint(tx, actor.businessId, id);
      await audit(tx, actor, { action: 'webhook_endpoint.deleted', subjectId: id });
    });
    wake.notify('lane', endpointLane(id));
    return c.body(null, 204);
  });

  return app;
}

async function publicKeyOfNew(sql: Sql, endpoint: EndpointRow, secrets: Secrets) {
  const all = await listSecrets(sql, secrets, endpoint);
  const asymmetric = all.find(({ kind }) => kind === 'v1a');
  return asymmetric === undefined ? {} : { public_key: publicKeyOf(asymmetric.secret) };
}
