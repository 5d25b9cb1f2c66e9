import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { z } from 'zod';
import { setReaction } from '../../core/messages/react.ts';
import { viewOneMessage } from '../../core/messages.ts';
import { messageView } from '../../core/views/message.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { body, errors, json } from '../openapi.ts';
import { idParam } from '../validate.ts';

const answered = { 200: json('The message with its reactions', messageView), ...errors };

const put = createRoute({
  method: 'put',
  path: '/messages/{id}/reaction',
  tags: ['Messages'],
  summary: 'React to a message, where the channel has reactions',
  description: 'The business has one reaction to a message; another one replaces it. The customer sees it.',
  request: {
    params: idParam,
    body: body(z.object({ emoji: z.string().trim().min(1).max(32).meta({ example: '👍' }) })),
  },
  responses: answered,
});

const remove = createRoute({
  method: 'delete',
  path: '/messages/{id}/reaction',
  tags: ['Messages'],
  summary: 'Take our reaction back',
  request: { params: idParam },
  responses: answered,
});

/** What we think of a message, in one emoji. */
export function reactionRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  async function react(c: Context<ApiEnv>, id: string, emoji: string | undefined) {
    const { actor, transact } = c.var;
    const row = await setReaction({ ...deps, transact }, { businessId: actor.businessId, id, emoji });
    return c.json(deps.attachments.mintUrls(await viewOneMessage(deps.pool, row)), 200);
  }

  app.openapi(put, (c) => react(c, c.req.valid('param').id, c.req.valid('json').emoji));
  app.openapi(remove, (c) => react(c, c.req.valid('param').id, undefined));
  return app;
}
