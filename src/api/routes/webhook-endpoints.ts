import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { audit } from '../../core/audit.ts';
import type { Sql } from '../../core/database/connect.ts';
import { EVENT_TYPES } from '../../core/events.ts';
import type { Secrets } from '../../core/secrets.ts';
import { type EndpointSecret, listSecrets, OVERLAP_SECONDS } from '../../webhooks/endpoint-secrets.ts';
import { type EndpointRow, endpointView, ORDERS, viewEndpoint } from '../../webhooks/endpoint-view.ts';
import {
  createEndpoint,
  deleteEndpoint,
  findEndpoint,
  listEndpoints,
  rotateEndpointSecret,
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

const MAX_OVERLAP_SECONDS = 7 * 86_400;

const secret = z.string().max(200).optional().meta({
  description:
    'A `whsec_` secret that the receiver already holds, such as of another system; else one is made.',
});

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

export const endpointInput = endpointFields.extend({ secret });

const newEndpoint = endpointView.extend({
  secret: z.string().meta({ description: 'Verifies the signatures; shown this once.' }),
  public_key: z.string().optional().meta({ description: 'Verifies the `v1a` signatures, where enabled.' }),
});

const secretView = z.object({
  kind: z.enum(['v1', 'v1a']),
  secret: z.string().nullable().meta({ description: 'The `whsec_` secret of a v1 signature.' }),
  public_key: z.string().nullable().meta({ description: 'The `whpk_` key of a v1a signature.' }),
  created_at: z.string(),
  expires_at: z.string().nullable().meta({ description: 'Null for the current one.' }),
});
const secretsView = z.object({ secret: z.string(), secrets: z.array(secretView) });

const rotation = z.object({
  secret,
  kind: z.enum(['v1', 'v1a']).default('v1').meta({ description: '`v1a` adds an ed25519 signature.' }),
  overlap_seconds: z
    .number()
    .int()
    .min(0)
    .max(MAX_OVERLAP_SECONDS)
    .default(OVERLAP_SECONDS)
    .meta({ description: 'How long the old secret goes on signing beside the new one.' }),
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
  request: { body: body(endpointInput) },
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
  request: { params: idParam, body: body(endpointFields.partial()) },
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

const getSecret = createRoute({
  method: 'get',
  path: '/webhook-endpoints/{id}/secret',
  tags,
  summary: 'Every secret that still signs, the current one first; the look is audited',
  request: { params: idParam },
  responses: { 200: json('The secrets', secretsView), ...errors },
});

const rotate = createRoute({
  method: 'post',
  path: '/webhook-endpoints/{id}/rotate-secret',
  tags,
  summary: 'Replace the secret; for an overlap both sign',
  request: { params: idParam, body: { content: { 'application/json': { schema: rotation } } } },
  responses: { 200: json('The new secret, and those that still sign', secretsView), ...errors },
});

/** Subscribers' URLs and the secrets that sign what goes there. */
export function webhookEndpointRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { pool, secrets, egress, wake, config } = deps;
  const app = new OpenAPIHono<ApiEnv>();
  const view = (row: EndpointRow) => viewEndpoint(row, config.webhooks);

  app.openapi(list, async (c) => {
    const window = pageWindow(c.req.valid('query'), secrets);
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

  app.openapi(getSecret, async (c) => {
    const { actor } = c.var;
    const endpoint = await findEndpoint(pool, actor.businessId, c.req.valid('param').id);
    await audit(pool, actor, { action: 'webhook_endpoint.secret_viewed', subjectId: endpoint.id });
    return c.json(viewSecrets(await listSecrets(pool, secrets, endpoint)), 200);
  });

  app.openapi(rotate, async (c) => {
    const { actor } = c.var;
    const of = { businessId: actor.businessId, id: c.req.valid('param').id };
    const { kind, overlap_seconds, secret: given } = rotation.parse(c.req.valid('json') ?? {});
    const answer = await commitAnswer(c, 200, async (tx) => {
      const change = { secrets, kind, given, overlapSeconds: overlap_seconds };
      const endpoint = await rotateEndpointSecret(tx, of, change);
      await audit(tx, actor, {
        action: 'webhook_endpoint.secret_rotated',
        subjectId: of.id,
        detail: { kind },
      });
      return viewSecrets(await listSecrets(tx, secrets, endpoint));
    });
    return c.json(answer, 200);
  });

  return app;
}

async function publicKeyOfNew(sql: Sql, endpoint: EndpointRow, secrets: Secrets) {
  const all = await listSecrets(sql, secrets, endpoint);
  const asymmetric = all.find(({ kind }) => kind === 'v1a');
  return asymmetric === undefined ? {} : { public_key: publicKeyOf(asymmetric.secret) };
}

/** `secret` is the current symmetric one, which every receiver can use. */
function viewSecrets(all: EndpointSecret[]): z.infer<typeof secretsView> {
  const current = all.find(({ kind, expires_at }) => kind === 'v1' && expires_at === null);
  return { secret: current?.secret ?? '', secrets: all.map(viewSecret) };
}

/** The private half of an ed25519 key stays here: receivers verify with the public one. */
function viewSecret({ kind, secret, created_at, expires_at }: EndpointSecret): z.infer<typeof secretView> {
  return {
    kind,
    secret: kind === 'v1' ? secret : null,
    public_key: kind === 'v1a' ? publicKeyOf(secret) : null,
    created_at: created_at.toISOString(),
    expires_at: expires_at?.toISOString() ?? null,
  };
}
