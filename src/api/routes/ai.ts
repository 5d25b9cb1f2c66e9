import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { AI_MODES, type AiHookRow, getAiHook, removeAiHook, setAiHook } from '../../core/ai/hook.ts';
import { type Asked, askOnDemand, settleOnDemand } from '../../core/ai/on-demand.ts';
import type { Settled } from '../../core/ai/settle.ts';
import { createAsk } from '../../webhooks/ask.ts';
import { generateSecret } from '../../webhooks/sign.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { commitAnswer } from '../idempotency.ts';
import { body, errors, json } from '../openapi.ts';
import { uuid } from '../validate.ts';

const aiHookView = z
  .object({
    url: z.string(),
    mode: z.enum(AI_MODES),
    threshold: z.number(),
    timeout_seconds: z.number().int(),
    last_failure: z
      .object({ at: z.string(), message: z.string() })
      .nullable()
      .meta({ description: 'Why its newest answer could not be used; null once it answers again.' }),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'AiHook' });

const set = createRoute({
  method: 'put',
  path: '/business/ai',
  tags: ['AI'],
  summary: 'Have a program of yours answer customers, or suggest answers to agents',
  request: {
    body: body(
      z.object({
        url: z.string(),
        mode: z.enum(AI_MODES).default('assist'),
        threshold: z.number().min(0).max(1).default(0.8).meta({
          description:
            'In mode `auto` an answer at least as sure as this is sent; any other asks for a person.',
        }),
        timeout_seconds: z.number().int().min(1).max(60).default(20),
        rotate_secret: z.boolean().default(false),
      }),
    ),
  },
  responses: {
    200: json(
      'The hook; with its secret, for this once, when that is new',
      aiHookView.extend({ secret: z.string().optional() }),
    ),
    ...errors,
  },
});

const get = createRoute({
  method: 'get',
  path: '/business/ai',
  tags: ['AI'],
  summary: 'The program that answers, and whether it does',
  responses: { 200: json('The hook', aiHookView), ...errors },
});

const remove = createRoute({
  method: 'delete',
  path: '/business/ai',
  tags: ['AI'],
  summary: 'Ask no program any more',
  responses: { 204: { description: 'The hook is gone' }, ...errors },
});

const reply = createRoute({
  method: 'post',
  path: '/ai/reply',
  tags: ['AI'],
  summary: 'Ask for an answer now: as a draft for agents, or sent when it is sure enough',
  request: { body: body(z.object({ conversation_id: uuid, mode: z.enum(AI_MODES).optional() })) },
  responses: {
    200: json(
      'What it answers, and what became of it',
      z.object({
        conversation_id: z.string(),
        reply: z.string().nullable(),
        confidence: z.number(),
        mode: z.enum(AI_MODES),
        needs_handoff: z.boolean(),
        handoff_reason: z.string().nullable(),
        message_id: z.string().nullable().meta({ description: 'The message that was sent.' }),
        draft_id: z.string().nullable().meta({ description: 'The draft that agents see.' }),
      }),
    ),
    ...errors,
  },
});

/** The program of a business's own that answers its customers. */
export function aiRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { pool, secrets, egress } = deps;
  const app = new OpenAPIHono<ApiEnv>();
  const ask = createAsk({ egress });

  app.openapi(set, async (c) => {
    const { actor, transact } = c.var;
    const { url, mode, threshold, timeout_seconds, rotate_secret } = c.req.valid('json');
    const input = {
      url: egress.vetUrl(url, 'url').href,
      mode,
      threshold,
      timeoutSeconds: timeout_seconds,
      freshSecret: generateSecret('v1'),
      replaceSecret: rotate_secret,
    };
    const { hook, secret } = await transact((tx) => setAiHook(tx, actor, { input, secrets }));
    return c.json({ ...viewAiHook(hook), ...(secret === undefined ? {} : { secret }) }, 200);
  });

  app.openapi(get, async (c) => c.json(viewAiHook(await getAiHook(pool, c.var.actor.businessId)), 200));

  app.openapi(remove, async (c) => {
    const { actor, transact } = c.var;
    await transact((tx) => removeAiHook(tx, actor));
    return c.body(null, 204);
  });

  app.openapi(reply, async (c) => {
    const { conversation_id: conversationId, mode } = c.req.valid('json');
    const asking = { businessId: c.var.actor.businessId, conversationId, mode };
    const asked = await askOnDemand({ ...deps, ask }, asking);
    const answer = await commitAnswer(c, 200, async (tx) =>
      viewReply(asked, await settleOnDemand(tx, asked, deps)),
    );
    return c.json(answer, 200);
  });

  return app;
}

function viewAiHook(row: AiHookRow): z.infer<typeof aiHookView> {
  const { url, mode, threshold, timeout_seconds, failed_at, failure } = row;
  return {
    url,
    mode,
    threshold,
    timeout_seconds,
    last_failure: failed_at === null ? null : { at: failed_at.toISOString(), message: failure ?? '' },
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

function viewReply({ turnId, conversationId, mode, answer }: Asked, { state, messageId }: Settled) {
  return {
    conversation_id: conversationId,
    reply: answer.reply,
    confidence: answer.confidence,
    mode,
    needs_handoff: answer.needsHandoff,
    handoff_reason: answer.reason,
    message_id: messageId,
    draft_id: state === 'drafted' ? turnId : null,
  };
}
