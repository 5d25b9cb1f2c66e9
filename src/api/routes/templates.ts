import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { freshTemplates, listTemplates } from '../../core/channels/templates.ts';
import { templateView } from '../../core/template.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { errors, json } from '../openapi.ts';
import { page, pageOf, pageQuery, pageWindow } from '../pagination.ts';
import { flag, idParam } from '../validate.ts';

const templates = pageOf(templateView);

const list = createRoute({
  method: 'get',
  path: '/channels/{id}/templates',
  tags: ['Channels'],
  summary: 'List the templates that the provider has approved for the account',
  description: 'As the provider listed them within the last ten minutes, or just now with `refresh`.',
  request: {
    params: idParam,
    query: pageQuery.extend({
      name: z.string().optional(),
      language: z.string().optional(),
      status: templateView.shape.status.optional(),
      refresh: flag.optional(),
    }),
  },
  responses: {
    200: json(
      'A page of templates, by name',
      templates.extend({ meta: templates.shape.meta.extend({ synced_at: z.string().nullable() }) }),
    ),
    ...errors,
  },
});

/** The templates of a channel. */
export function templateRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();
  const { pool, secrets, channels } = deps;

  app.openapi(list, async (c) => {
    const { refresh = false, name, language, status, ...paging } = c.req.valid('query');
    const loaded = await channels.find(pool, c.var.actor.businessId, c.req.valid('param').id);
    const syncedAt = await freshTemplates(deps, loaded, { refresh });
    const window = pageWindow(paging, secrets, 'templates');
    const rows = await listTemplates(pool, { row: loaded.row, filter: { name, language, status } }, window);
    const { data, meta } = page(rows, {
      window,
      secrets,
      keyOf: (row) => [row.name, row.language, row.id],
      view: (row) => row,
    });
    return c.json({ data, meta: { ...meta, synced_at: syncedAt?.toISOString() ?? null } }, 200);
  });

  return app;
}
