import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { conversationNumbers } from '../../core/analytics/overview.ts';
import { getBusiness } from '../../core/businesses.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { errors, succeeds, success, tags } from './envelope.ts';

const count = z.number().int();
const seconds = z.number().nullable().meta({ description: 'Seconds; null without data.' });

const get = createRoute({
  method: 'get',
  path: '/analytics/conversations',
  tags,
  summary: 'All conversations in a few numbers',
  responses: {
    200: succeeds(
      'Counts, and averages in seconds',
      z
        .object({
          totalConversations: count,
          openConversations: count,
          resolvedToday: count.meta({ description: 'Today in the zone of the business.' }),
          avgFirstResponseTime: seconds,
          avgResolutionTime: seconds,
          csat: z.number().nullable().meta({ description: 'The average score, 1 to 5; null without any.' }),
        })
        .meta({ id: 'SupportAnalytics' }),
    ),
    ...errors,
  },
});

/** Analytics in the support dialect. */
export function supportAnalyticsRoutes({ pool }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(get, async (c) => {
    const found = await conversationNumbers(pool, await getBusiness(pool, c.var.actor.businessId));
    return c.json(
      success({
        totalConversations: found.total,
        openConversations: found.open,
        resolvedToday: found.resolvedToday,
        avgFirstResponseTime: found.avgFirstResponse,
        avgResolutionTime: found.avgResolution,
        csat: found.csat,
      }),
      200,
    );
  });

  return app;
}
