import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { issueTicket } from '../../core/realtime-tickets.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { commitAnswer } from '../idempotency.ts';
import { errors, json } from '../openapi.ts';

const create = createRoute({
  method: 'post',
  path: '/realtime/tickets',
  tags: ['Realtime'],
  summary: 'A ticket for one plain WebSocket',
  description:
    'Opens `GET /support/conversations/live?ticket=…` once, within a minute, for browsers that should not hold a key. ' +
    'The WebSocket also takes the key itself: in the `Authorization` or `X-API-Key` header, or as the subprotocols ' +
    '`["bearer", KEY]`. Its frames are `{type, data}` with `conversation.created`, `message.received` and ' +
    '`conversation.updated`, in the shapes of the support dialect.',
  responses: {
    201: json('The ticket', z.object({ ticket: z.string(), expires_at: z.string() })),
    ...errors,
  },
});

/** What sockets need of HTTP. */
export function realtimeRoutes(_deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(create, async (c) => {
    const { actor } = c.var;
    const answer = await commitAnswer(c, 201, async (tx) => {
      const { ticket, expiresAt } = await issueTicket(tx, actor);
      return { ticket, expires_at: expiresAt.toISOString() };
    });
    return c.json(answer, 201);
  });

  return app;
}
