import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { refuseUnknownType } from '../../core/channels/channel-type.ts';
import { fold } from '../../core/search/fold.ts';
import { search } from '../../core/search/search.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { errors, json } from '../openapi.ts';
import { channelType, timeInQuery, uuid } from '../validate.ts';
import { hitView, KINDS, viewHits } from '../views/search-hit.ts';
import { statuses } from './conversations.ts';

const get = createRoute({
  method: 'get',
  path: '/search',
  tags: ['Search'],
  summary: 'Find messages, conversations and customers by their words',
  description:
    'The newest 200. Accents and case do not matter; `"…"` is a phrase, `or` either word, `-word` none of it. `partial` says that older hits may be missing.',
  request: {
    query: z.object({
      q: z
        .string()
        .trim()
        .min(1)
        .max(200)
        .refine((text) => fold(text) !== '', 'has no words'),
      kind: z.enum(KINDS).optional(),
      status: statuses.optional(),
      channel_id: uuid.optional(),
      channel_type: channelType.optional(),
      assignee_id: z
        .union([z.literal('none'), uuid])
        .optional()
        .meta({ description: 'An agent or a team; `none` for nobody yet.' }),
      customer_id: uuid.optional(),
      tag: z.string().max(100).optional(),
      after: timeInQuery.optional(),
      before: timeInQuery.optional(),
    }),
  },
  responses: {
    200: json(
      'What was found, newest first',
      z.object({
        data: z.array(hitView),
        partial: z.boolean(),
        matches: z
          .enum(['parts', 'words'])
          .meta({ description: '`words`: without pg_trgm only whole words and their beginnings are found.' }),
      }),
    ),
    ...errors,
  },
});

/** Searching all that was said, and who said it. */
export function searchRoutes({ pool, registry }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(get, async (c) => {
    const query = c.req.valid('query');
    refuseUnknownType(registry, query.channel_type);
    const { hits, isPartial, hasParts } = await search(pool, {
      businessId: c.var.actor.businessId,
      q: query.q,
      kind: query.kind,
      status: query.status,
      channelId: query.channel_id,
      channelType: query.channel_type,
      assigneeId: query.assignee_id,
      customerId: query.customer_id,
      tag: query.tag,
      after: query.after,
      before: query.before,
    });
    const data = await viewHits(pool, { hits, q: query.q, businessId: c.var.actor.businessId });
    return c.json(
      { data, partial: isPartial, matches: hasParts ? ('parts' as const) : ('words' as const) },
      200,
    );
  });

  return app;
}
