import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { type BusinessRow, createBusiness, getBusiness, updateBusiness } from '../../core/businesses.ts';
import { csatSettings } from '../../core/csat/settings.ts';
import { isZone } from '../../core/team/working-hours.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { commitAnswer } from '../idempotency.ts';
import { body, errors, json } from '../openapi.ts';
import { autoResolveAfter, retentionDays } from '../validate.ts';

const businessView = z
  .object({
    id: z.string(),
    name: z.string(),
    timezone: z.string(),
    auto_resolve_after_minutes: z.number().int().nullable(),
    retention_messages_days: z.number().int().nullable(),
    csat: csatSettings.nullable(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'Business' });

const timezone = z.string().refine(isZone, 'must be an IANA time zone, like Europe/Berlin');
const newBusiness = z.object({ name: z.string().trim().min(1).max(200), timezone: timezone.optional() });
const changes = newBusiness.partial().extend({
  auto_resolve_after_minutes: autoResolveAfter.optional().meta({
    description:
      'Resolves conversations in which nothing happened for so long, except snoozed ones; null or 0 keeps them open.',
  }),
  retention_messages_days: retentionDays.optional().meta({
    description:
      'Empties resolved and closed conversations after so many days of silence; null keeps them as long as the operator does, who may have set less.',
  }),
  csat: csatSettings.nullable().optional().meta({
    description: 'Whether customers are asked, after their conversation is resolved, how they were served.',
  }),
});

const create = createRoute({
  method: 'post',
  path: '/businesses',
  tags: ['Businesses'],
  summary: 'Create a business and its owner key (needs ADMIN_API_KEY)',
  request: { body: body(newBusiness, { name: 'Acme', timezone: 'Europe/Berlin' }) },
  responses: {
    201: json(
      'The business, and its owner key for this once',
      z.object({ business: businessView, api_key: z.string(), agent_id: z.string() }),
    ),
    ...errors,
  },
});

const get = createRoute({
  method: 'get',
  path: '/business',
  tags: ['Businesses'],
  summary: 'The business of this key',
  responses: { 200: json('The business', businessView), ...errors },
});

const patch = createRoute({
  method: 'patch',
  path: '/business',
  tags: ['Businesses'],
  summary: 'Change the name, time zone or rules of the business',
  request: { body: body(changes, { name: 'Acme', timezone: 'Europe/Berlin' }) },
  responses: { 200: json('The changed business', businessView), ...errors },
});

/** The business of a key, and new businesses for the operator. */
export function businessRoutes({ pool }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(create, async (c) => {
    const answer = await commitAnswer(c, 201, async (tx) => {
      const { business, key, ownerId } = await createBusiness(tx, c.req.valid('json'));
      return { business: viewBusiness(business), api_key: key, agent_id: ownerId };
    });
    return c.json(answer, 201);
  });

  app.openapi(get, async (c) =>
    c.json(viewBusiness(await getBusiness(pool, c.get('actor').businessId)), 200),
  );

  app.openapi(patch, async (c) => {
    const { actor, transact } = c.var;
    const business = await transact((tx) => updateBusiness(tx, actor, c.req.valid('json')));
    return c.json(viewBusiness(business), 200);
  });

  return app;
}

function viewBusiness(row: BusinessRow): z.infer<typeof businessView> {
  return {
    id: row.id,
    name: row.name,
    timezone: row.timezone,
    auto_resolve_after_minutes: row.auto_resolve_after_minutes,
    retention_messages_days: row.retention_messages_days,
    csat: row.csat,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}
