import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { mergeConversation, unmergeConversation } from '../../core/conversations/merge-conversations.ts';
import { findConversation } from '../../core/conversations.ts';
import { authorOf } from '../../core/messages/author.ts';
import { conversationView } from '../../core/views/conversation.ts';
import type { ApiEnv } from '../deps.ts';
import { commitAnswer } from '../idempotency.ts';
import { body, errors, json } from '../openapi.ts';
import { idParam, uuid } from '../validate.ts';
import { viewWithCustomer } from '../views/conversation-detail.ts';

const about = { path: '/conversations/{id}/merge', tags: ['Conversations'] };

const mergedView = conversationView.extend({
  answers_reach_customer_id: z.string().nullable().meta({
    description:
      'Who hears what is answered from now on: the customer of the other conversation. Where that is not `customer_id`, this conversation’s customer hears none of it, until the two customers are merged.',
  }),
});

const merge = createRoute({
  ...about,
  method: 'post',
  summary: 'Make a conversation part of another, where its customer goes on from now on',
  description:
    'No message moves: what its customer writes goes to the other conversation, whose own customer alone hears what is answered there. Who are two people stay two; who are one are merged at `POST /customers/{id}/merge`.',
  request: { params: idParam, body: body(z.object({ into: uuid })) },
  responses: { 200: json('The whole conversation', mergedView), ...errors },
});

const unmerge = createRoute({
  ...about,
  method: 'delete',
  summary: 'Undo the merge of a conversation',
  request: { params: idParam },
  responses: { 200: json('The whole conversation', conversationView), ...errors },
});

/** Conversations that go on as one. Both ways lock threads first, so the path's conversation must not be locked before. */
export function conversationMergeRoutes(): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(merge, async (c) => {
    const { actor } = c.var;
    const { into } = c.req.valid('json');
    const { id } = c.req.valid('param');
    const answer = await commitAnswer(c, 200, async (tx) => {
      const what = { businessId: actor.businessId, id, into, by: await authorOf(tx, actor) };
      const merged = await viewWithCustomer(tx, await mergeConversation(tx, what));
      const target = await findConversation(tx, actor.businessId, into);
      return { ...merged, answers_reach_customer_id: target.customer_id };
    });
    return c.json(answer, 200);
  });

  app.openapi(unmerge, async (c) => {
    const { actor, transact } = c.var;
    const { id } = c.req.valid('param');
    const answer = await transact(async (tx) => {
      const what = { businessId: actor.businessId, id, by: await authorOf(tx, actor) };
      return viewWithCustomer(tx, await unmergeConversation(tx, what));
    });
    return c.json(answer, 200);
  });

  return app;
}
