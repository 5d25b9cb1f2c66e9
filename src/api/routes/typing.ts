import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { findConversation } from '../../core/conversations.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { body, errors, json } from '../openapi.ts';
import { idParam } from '../validate.ts';

const typing = createRoute({
  method: 'post',
  path: '/conversations/{id}/typing',
  tags: ['Conversations'],
  summary: 'Show the customer that an agent is typing',
  request: { params: idParam, body: body(z.object({ is_typing: z.boolean() })) },
  responses: {
    200: json('What was shown', z.object({ conversation_id: z.string(), is_typing: z.boolean() })),
    ...errors,
  },
});

/** Showing that somebody on our side writes; nothing of it is stored. */
export function typingRoutes({ pool, publishTyping }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(typing, async (c) => {
    const { businessId, agentId, apiKeyId } = c.var.actor;
    const { is_typing } = c.req.valid('json');
    const { id } = await findConversation(pool, businessId, c.req.valid('param').id);
    const userId = agentId ?? apiKeyId;
    publishTyping?.({ businessId, conversationId: id, userId, isTyping: is_typing });
    return c.json({ conversation_id: id, is_typing }, 200);
  });

  return app;
}
