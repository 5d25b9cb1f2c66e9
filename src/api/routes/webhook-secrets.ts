import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { audit } from '../../core/audit.ts';
import { type EndpointSecret, listSecrets, OVERLAP_SECONDS } from '../../webhooks/endpoint-secrets.ts';
import { findEndpoint, rotateEndpointSecret } from '../../webhooks/endpoints.ts';
import { publicKeyOf } from '../../webhooks/sign.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { commitAnswer } from '../idempotency.ts';
import { errors, json } from '../openapi.ts';
import { optionalBody } from '../optional-body.ts';
import { idParam } from '../validate.ts';

const MAX_OVERLAP_SECONDS = 7 * 86_400;

/** A secret in the request. */
export const givenSecret = z.string().max(200).optional().meta({
  description:
    'A `whsec_` secret that the receiver already holds, such as of another system; else one is made.',
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
  secret: givenSecret,
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
  request: { params: idParam, body: optionalBody(rotation, { overlap_seconds: 86_400 }) },
  responses: { 200: json('The new secret, and those that still sign', secretsView), ...errors },
});

/** The secrets that sign what goes to an endpoint. */
export function webhookSecretRoutes({ pool, secrets }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

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
