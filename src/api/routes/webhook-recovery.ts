import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { AppError } from '../../core/errors.ts';
import { findEndpoint, lockEndpoint } from '../../webhooks/endpoints.ts';
import { endpointLane } from '../../webhooks/fanout.ts';
import { recoverDeliveries, replayMissed, USUAL_PER_SECOND } from '../../webhooks/recover.ts';
import { endpointStats, statsView } from '../../webhooks/stats.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { commitAnswer } from '../idempotency.ts';
import { body, errors, json } from '../openapi.ts';
import { optionalBody } from '../optional-body.ts';
import { idParam, time } from '../validate.ts';

const DAY_MS = 86_400_000;

const range = z.object({
  since: time,
  until: time.optional(),
  per_second: z.number().int().min(1).max(1_000).default(USUAL_PER_SECOND).meta({
    description: 'How fast they become due; what happens meanwhile is delivered as ever.',
  }),
});
const hasMore = z
  .boolean()
  .meta({ description: 'Whether more than one call brings back is left: call again.' });

const tags = ['Webhooks'];

const recover = createRoute({
  method: 'post',
  path: '/webhook-endpoints/{id}/recover',
  tags,
  summary: 'Deliver again everything of a time that failed or was canceled, the oldest first',
  request: { params: idParam, body: body(range) },
  responses: {
    200: json('How many are due again', z.object({ recovered: z.number().int(), has_more: hasMore })),
    ...errors,
  },
});

const replay = createRoute({
  method: 'post',
  path: '/webhook-endpoints/{id}/replay',
  tags,
  summary: 'Deliver what the endpoint missed while it was off, or before it was there',
  request: {
    params: idParam,
    body: optionalBody(
      range.extend({ since: time.optional().meta({ description: 'By default since it was switched off.' }) }),
    ),
  },
  responses: {
    200: json('How many are due', z.object({ replayed: z.number().int(), has_more: hasMore })),
    ...errors,
  },
});

const stats = createRoute({
  method: 'get',
  path: '/webhook-endpoints/{id}/stats',
  tags,
  summary: 'What became of the deliveries of an endpoint, how fast they were, and what waits',
  request: {
    params: idParam,
    query: z.object({ since: time.optional().meta({ description: 'By default the last 24 hours.' }) }),
  },
  responses: { 200: json('Its numbers', statsView), ...errors },
});

/** Bringing back what an endpoint did not get, and how it does. */
export function webhookRecoveryRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { pool, wake, payloads, config } = deps;
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(recover, async (c) => {
    const { id } = c.req.valid('param');
    const { since, until, per_second } = c.req.valid('json');
    const answer = await commitAnswer(c, 200, async (tx) => {
      const endpoint = await lockEndpoint(tx, c.var.actor.businessId, id);
      const recovery = { since: new Date(since), until: timeOr(until, new Date()), perSecond: per_second };
      const { count, hasMore: has_more } = await recoverDeliveries(tx, endpoint, recovery);
      return { recovered: count, has_more };
    });
    wake.notify('lane', endpointLane(id));
    return c.json(answer, 200);
  });

  app.openapi(replay, async (c) => {
    const { id } = c.req.valid('param');
    const { since, until, per_second = USUAL_PER_SECOND } = c.req.valid('json') ?? {};
    const answer = await commitAnswer(c, 200, async (tx) => {
      const endpoint = await lockEndpoint(tx, c.var.actor.businessId, id);
      const from = since === undefined ? endpoint.missed_since : new Date(since);
      if (from === null) throw new AppError('conflict', 'The endpoint was never off; say `since` when.');
      const recovery = { since: kept(from), until: timeOr(until, new Date()), perSecond: per_second };
      const { count, hasMore: has_more } = await replayMissed(tx, endpoint, {
        ...recovery,
        options: payloads,
      });
      return { replayed: count, has_more };
    });
    wake.notify('lane', endpointLane(id));
    return c.json(answer, 200);
  });

  app.openapi(stats, async (c) => {
    const endpoint = await findEndpoint(pool, c.var.actor.businessId, c.req.valid('param').id);
    const since = timeOr(c.req.valid('query').since, new Date(Date.now() - DAY_MS));
    return c.json(await endpointStats(pool, endpoint.id, since), 200);
  });

  /** A delivery is kept with those of its event's day: there must still be such a day. */
  function kept(since: Date): Date {
    const oldest = Date.now() - (config.retentionDays.deliveries - 1) * DAY_MS;
    return new Date(Math.max(since.getTime(), oldest));
  }

  return app;
}

function timeOr(text: string | undefined, otherwise: Date): Date {
  return text === undefined ? otherwise : new Date(text);
}
