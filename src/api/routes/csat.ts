import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { findConversation } from '../../core/conversations.ts';
import { rate, ratingsOf } from '../../core/csat/ratings.ts';
import { ratingView, viewRating } from '../../core/views/rating.ts';
import { act } from '../act.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { body, errors, json } from '../openapi.ts';
import { idParam, maybe } from '../validate.ts';

const create = createRoute({
  method: 'post',
  path: '/conversations/{id}/csat',
  tags: ['Conversations'],
  summary: 'Note how the customer rates how they were served',
  description: 'Once for each time it is resolved: a second score is a conflict.',
  request: {
    params: idParam,
    body: body(
      z.object({
        score: z.number().int().min(1).max(5),
        comment: maybe(z.string().trim().min(1).max(2_000)),
      }),
    ),
  },
  responses: { 201: json('The rating', ratingView), ...errors },
});

const list = createRoute({
  method: 'get',
  path: '/conversations/{id}/csat',
  tags: ['Conversations'],
  summary: 'How the customer was asked and what they answered, newest first',
  request: { params: idParam },
  responses: { 200: json('The ratings', z.object({ data: z.array(ratingView) })), ...errors },
});

/** What customers say of how they were served. */
export function csatRoutes({ pool }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(create, async (c) => {
    const answer = await act(c, 201, async (tx, conversation, by) =>
      viewRating(await rate(tx, conversation, { ...c.req.valid('json'), source: 'api', by })),
    );
    return c.json(answer, 201);
  });

  app.openapi(list, async (c) => {
    const { id } = await findConversation(pool, c.var.actor.businessId, c.req.valid('param').id);
    return c.json({ data: (await ratingsOf(pool, id)).map(viewRating) }, 200);
  });

  return app;
}
