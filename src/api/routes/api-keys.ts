import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { ROLES, reaches } from '../../core/actor.ts';
import { createApiKey, listApiKeys, revokeApiKey } from '../../core/api-keys.ts';
import { audit } from '../../core/audit.ts';
import { AppError } from '../../core/errors.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { commitAnswer } from '../idempotency.ts';
import { body, errors, json } from '../openapi.ts';
import { page, pageOf, pageQuery, pageWindow } from '../pagination.ts';
import { idParam, time, uuid } from '../validate.ts';
import { apiKeyView, viewApiKey } from '../views/api-key.ts';

const newApiKey = z.object({
  name: z.string().trim().min(1).max(200),
  role: z.enum(ROLES).default('agent').meta({ description: 'Up to your own role.' }),
  agent_id: uuid.nullish().meta({ description: 'The agent that writes with this key.' }),
  expires_at: time.refine((text) => Date.parse(text) > Date.now(), 'must be a time to come').nullish(),
});

const list = createRoute({
  method: 'get',
  path: '/api-keys',
  tags: ['API keys'],
  summary: 'List the API keys that stand',
  request: { query: pageQuery },
  responses: { 200: json('A page of keys, newest first', pageOf(apiKeyView)), ...errors },
});

const create = createRoute({
  method: 'post',
  path: '/api-keys',
  tags: ['API keys'],
  summary: 'Create an API key',
  request: { body: body(newApiKey, { name: 'Order system', role: 'agent' }) },
  responses: { 201: json('The key, in clear text for this once', apiKeyView), ...errors },
});

const remove = createRoute({
  method: 'delete',
  path: '/api-keys/{id}',
  tags: ['API keys'],
  summary: 'Revoke an API key at once and for good',
  request: { params: idParam },
  responses: { 204: { description: 'It is revoked' }, ...errors },
});

/** The keys of a business: listed by their last characters, given out once. */
export function apiKeyRoutes({ pool, secrets, wake }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(list, async (c) => {
    const window = pageWindow(c.req.valid('query'), secrets, 'api-keys');
    const rows = await listApiKeys(pool, c.var.actor.businessId, window);
    return c.json(page(rows, { window, secrets, keyOf: (row) => [row.id], view: viewApiKey }), 200);
  });

  app.openapi(create, async (c) => {
    const { actor } = c.var;
    const { name, role, agent_id, expires_at } = c.req.valid('json');
    if (!reaches(actor.role, role)) throw new AppError('forbidden', 'That role is above your own.');
    const expiresAt = expires_at ? new Date(expires_at) : null;
    const answer = await commitAnswer(c, 201, async (tx) => {
      const { row, key } = await createApiKey(tx, actor.businessId, {
        name,
        role,
        agentId: agent_id,
        expiresAt,
      });
      await audit(tx, actor, { action: 'api_key.created', subjectId: row.id, detail: { role } });
      return { ...viewApiKey(row), key };
    });
    return c.json(answer, 201);
  });

  app.openapi(remove, async (c) => {
    const { actor, transact } = c.var;
    await transact((tx) => revokeApiKey(tx, actor, c.req.valid('param').id));
    wake.notify('session');
    return c.body(null, 204);
  });

  return app;
}
