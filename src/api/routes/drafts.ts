import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { acceptDraft, discardDraft, listDrafts } from '../../core/ai/drafts.ts';
import { handBack } from '../../core/ai/silence.ts';
import { findConversation, lockConversation } from '../../core/conversations.ts';
import { authorOf } from '../../core/messages/author.ts';
import { conversationView } from '../../core/views/conversation.ts';
import { draftView } from '../../core/views/draft.ts';
import { messageView } from '../../core/views/message.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { commitAnswer } from '../idempotency.ts';
import { errors, json } from '../openapi.ts';
import { optionalBody } from '../optional-body.ts';
import { idParam } from '../validate.ts';
import { viewWithCustomer } from '../views/conversation-detail.ts';

const list = createRoute({
  method: 'get',
  path: '/conversations/{id}/drafts',
  tags: ['AI'],
  summary: 'What the AI suggests to answer, for agents only',
  request: { params: idParam },
  responses: { 200: json('The newest first', z.object({ data: z.array(draftView) })), ...errors },
});

const accept = createRoute({
  method: 'post',
  path: '/drafts/{id}/accept',
  tags: ['AI'],
  summary: 'Send a draft, as it is or reworded',
  request: {
    params: idParam,
    body: optionalBody(
      z.object({
        content: z.string().trim().min(1).max(100_000).optional(),
        if_last_seq: z.number().int().nonnegative().optional().meta({
          description: 'Refused with 409 when a message other than a note came after this seq.',
        }),
      }),
    ),
  },
  responses: {
    202: json('The message, queued; an accepted draft is not sent twice', messageView),
    ...errors,
  },
});

const discard = createRoute({
  method: 'delete',
  path: '/drafts/{id}',
  tags: ['AI'],
  summary: 'Take a draft away',
  request: { params: idParam },
  responses: { 204: { description: 'The draft is gone' }, ...errors },
});

const giveBack = createRoute({
  method: 'delete',
  path: '/conversations/{id}/handoff',
  tags: ['AI'],
  summary: 'Give a conversation back to the AI: nobody has it, and no person is waited for',
  request: { params: idParam },
  responses: { 200: json('The whole conversation', conversationView), ...errors },
});

/** What agents do with suggestions of the AI. */
export function draftRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { pool } = deps;
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(list, async (c) => {
    const conversation = await findConversation(pool, c.var.actor.businessId, c.req.valid('param').id);
    return c.json({ data: await listDrafts(pool, conversation) }, 200);
  });

  app.openapi(accept, async (c) => {
    const { actor } = c.var;
    const { content, if_last_seq: ifLastSeq } = c.req.valid('json') ?? {};
    const draft = { businessId: actor.businessId, id: c.req.valid('param').id };
    const message = await commitAnswer(c, 202, async (tx) =>
      acceptDraft(tx, draft, { ...deps, by: await authorOf(tx, actor), content, ifLastSeq }),
    );
    return c.json(message, 202);
  });

  app.openapi(discard, async (c) => {
    const { actor, transact } = c.var;
    const draft = { businessId: actor.businessId, id: c.req.valid('param').id };
    await transact(async (tx) => discardDraft(tx, draft, await authorOf(tx, actor)));
    return c.body(null, 204);
  });

  app.openapi(giveBack, async (c) => {
    const { actor, transact } = c.var;
    const answer = await transact(async (tx) => {
      const conversation = await lockConversation(tx, actor.businessId, c.req.valid('param').id);
      return viewWithCustomer(tx, await handBack(tx, conversation, await authorOf(tx, actor)));
    });
    return c.json(answer, 200);
  });

  return app;
}
