import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { afterMinutes, ruleShape } from '../../core/automation/rule.ts';
import { countRules, createRule, listRules, type RuleRow } from '../../core/automation/rules.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { commitAnswer } from '../idempotency.ts';
import { body } from '../openapi.ts';
import { pageQuery } from '../pagination.ts';
import { ruleWords } from '../views/automation-rule.ts';
import { errors, succeeds, succeedsPage, success, successPage, tags } from './envelope.ts';

const rule = z.object({
  ...ruleWords,
  afterMinutes: z.number().int().nullable(),
  isActive: z.boolean(),
  createdAt: z.string(),
});

const list = createRoute({
  method: 'get',
  path: '/automation-rules',
  tags,
  summary: 'List automation rules, in the order in which they run',
  request: { query: pageQuery.omit({ cursor: true }) },
  responses: { 200: succeedsPage('A page of rules', rule), ...errors },
});

const create = createRoute({
  method: 'post',
  path: '/automation-rules',
  tags,
  summary: 'Make an automation rule',
  request: {
    body: body(
      z.object({
        ...ruleShape,
        name: ruleShape.name.optional(),
        conditions: ruleShape.conditions.optional(),
        afterMinutes: afterMinutes.optional(),
        isActive: z.boolean().optional(),
      }),
      {
        trigger: 'message.received',
        conditions: [{ field: 'message.content', operator: 'contains', value: 'refund' }],
        actions: [{ type: 'addTag', tag: 'refund' }],
      },
    ),
  },
  responses: { 201: succeeds('The rule', rule), ...errors },
});

/** Automation rules in the support dialect. */
export function supportAutomationRuleRoutes({ pool }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(list, async (c) => {
    const { limit, page = 1 } = c.req.valid('query');
    const window = { fetch: limit, offset: (page - 1) * limit, after: undefined };
    const { businessId } = c.var.actor;
    const [rows, total] = await Promise.all([
      listRules(pool, businessId, window),
      countRules(pool, businessId),
    ]);
    return c.json(successPage(rows.map(view), { page, limit, total }), 200);
  });

  app.openapi(create, async (c) => {
    const { afterMinutes: after_minutes, isActive: is_active, ...input } = c.req.valid('json');
    const fields = { ...input, after_minutes, is_active };
    const answer = await commitAnswer(c, 201, async (tx) =>
      success(view(await createRule(tx, c.var.actor, fields))),
    );
    return c.json(answer, 201);
  });

  return app;
}

function view({ id, name, trigger, conditions, actions, ...row }: RuleRow): z.infer<typeof rule> {
  const { after_minutes: afterMinutes, is_active: isActive } = row;
  return {
    id,
    name,
    trigger,
    afterMinutes,
    conditions,
    actions,
    isActive,
    createdAt: row.created_at.toISOString(),
  };
}
