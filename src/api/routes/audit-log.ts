import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { type AuditRow, listAudited } from '../../core/audit.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { errors, json } from '../openapi.ts';
import { page, pageOf, pageQuery, pageWindow } from '../pagination.ts';
import { uuid } from '../validate.ts';

const named = z.object({ id: z.string(), name: z.string().nullable() }).nullable();

const auditView = z
  .object({
    id: z.string(),
    action: z.string().meta({ description: 'What was done, as `noun.verb`.', example: 'channel.updated' }),
    subject_id: z.string().nullable().meta({ description: 'To what.' }),
    detail: z.record(z.string(), z.unknown()).meta({ description: 'Further facts, never a secret.' }),
    agent: named,
    api_key: named,
    created_at: z.string(),
  })
  .meta({ id: 'AuditEntry' });

const list = createRoute({
  method: 'get',
  path: '/audit-log',
  tags: ['Businesses'],
  summary: 'Who did what to settings, keys, secrets and the team, newest first',
  request: {
    query: pageQuery.extend({
      action: z.string().optional(),
      subject_id: uuid.optional(),
      agent_id: uuid.optional(),
    }),
  },
  responses: { 200: json('A page of the log', pageOf(auditView)), ...errors },
});

/** What was done to a business. */
export function auditLogRoutes({ pool, secrets }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(list, async (c) => {
    const query = c.req.valid('query');
    const window = pageWindow(query, secrets, 'audit-log');
    const { action, subject_id: subjectId, agent_id: agentId } = query;
    const filter = { businessId: c.var.actor.businessId, action, subjectId, agentId };
    const rows = await listAudited(pool, filter, window);
    return c.json(page(rows, { window, secrets, keyOf: (row) => [row.id], view: viewAudited }), 200);
  });

  return app;
}

function viewAudited(row: AuditRow): z.infer<typeof auditView> {
  return {
    id: row.id,
    action: row.action,
    subject_id: row.subject_id,
    detail: shortened(row.detail),
    agent: row.agent_id === null ? null : { id: row.agent_id, name: row.agent_name },
    api_key: row.api_key_id === null ? null : { id: row.api_key_id, name: row.api_key_name },
    created_at: row.created_at.toISOString(),
  };
}

const MOST_SHOWN = 100;

/** A merge may have moved thousands of conversations: a reader gets the first of them, and how many there were. */
function shortened(detail: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(detail).flatMap(([name, value]): [string, unknown][] =>
    Array.isArray(value) && value.length > MOST_SHOWN
      ? [
          [name, value.slice(0, MOST_SHOWN)],
          [`${name}_count`, value.length],
        ]
      : [[name, value]],
  );
  return Object.fromEntries(entries);
}
