import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { ACTIONS } from '../../core/automation/actions.ts';
import { dryRun } from '../../core/automation/dry-run.ts';
import { FIELD_LINES } from '../../core/automation/fields.ts';
import { OPERATORS } from '../../core/automation/operators.ts';
import { afterMinutes, ruleShape } from '../../core/automation/rule.ts';
import {
  changeRule,
  createRule,
  findRule,
  listRules,
  listRuns,
  removeRule,
} from '../../core/automation/rules.ts';
import { TRIGGERS } from '../../core/automation/triggers.ts';
import { namedConversation } from '../../core/conversations.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { commitAnswer } from '../idempotency.ts';
import { body, errors, json } from '../openapi.ts';
import { page, pageOf, pageQuery, pageWindow } from '../pagination.ts';
import { idParam, uuid } from '../validate.ts';
import {
  conditionView,
  outcome,
  ruleView,
  runView,
  viewRule,
  viewRun,
  viewTrial,
} from '../views/automation-rule.ts';

const fields = z.object({
  ...ruleShape,
  name: ruleShape.name.optional(),
  conditions: ruleShape.conditions.optional(),
  after_minutes: afterMinutes
    .optional()
    .meta({ description: 'With the triggers of time, and only with them.' }),
  is_active: z.boolean().optional(),
});

const example: z.input<typeof fields> = {
  name: 'Refunds',
  trigger: 'message.received',
  conditions: [{ field: 'message.content', operator: 'contains', value: 'refund' }],
  actions: [{ type: 'addTag', tag: 'refund' }],
};

const lines = z.record(z.string(), z.string());
const tags = ['Automation'];
const answered = { 200: json('The rule', ruleView), ...errors };

const vocabulary = createRoute({
  method: 'get',
  path: '/automation-rules/vocabulary',
  tags,
  summary: 'What rules can be made of: triggers, fields, operators and actions, a line each',
  responses: {
    200: json('The words', z.object({ triggers: lines, fields: lines, operators: lines, actions: lines })),
    ...errors,
  },
});

const list = createRoute({
  method: 'get',
  path: '/automation-rules',
  tags,
  summary: 'List the rules of the business, in the order in which they run',
  request: { query: pageQuery },
  responses: { 200: json('A page of rules', pageOf(ruleView)), ...errors },
});

const create = createRoute({
  method: 'post',
  path: '/automation-rules',
  tags,
  summary: 'Make a rule: when this happens, and that holds, do those',
  description:
    'Conditions are held against what the event shows. It hears what happens from now on, each event once, and never what it has led to itself.',
  request: { body: body(fields, example) },
  responses: { 201: json('The rule', ruleView), ...errors },
});

const get = createRoute({
  method: 'get',
  path: '/automation-rules/{id}',
  tags,
  summary: 'Get a rule',
  request: { params: idParam },
  responses: answered,
});

const patch = createRoute({
  method: 'patch',
  path: '/automation-rules/{id}',
  tags,
  summary: 'Change a rule; it hears what happens from then on',
  request: { params: idParam, body: body(fields.partial(), example) },
  responses: answered,
});

const remove = createRoute({
  method: 'delete',
  path: '/automation-rules/{id}',
  tags,
  summary: 'Delete a rule, with its log',
  request: { params: idParam },
  responses: { 204: { description: 'It is gone' }, ...errors },
});

const runs = createRoute({
  method: 'get',
  path: '/automation-rules/{id}/runs',
  tags,
  summary: 'What a rule did in the last 30 days, the newest first',
  request: {
    params: idParam,
    query: pageQuery.extend({ outcome: outcome.optional(), conversation_id: uuid.optional() }),
  },
  responses: { 200: json('A page of runs', pageOf(runView)), ...errors },
});

const tryOut = createRoute({
  method: 'post',
  path: '/automation-rules/{id}/dry-run',
  tags,
  summary: 'See what a rule would make of a conversation; nothing is done',
  description:
    'A rule about messages is held against those of the last 100 to which it happened (that were sent, failed, waited so long), any other against the conversation as it is, if nobody has had it for so long where that is what it is about. A rule can be tried before it is active.',
  request: { params: idParam, body: body(z.object({ conversation_id: uuid })) },
  responses: {
    200: json(
      'Each occasion',
      z.object({
        would_run: z.boolean(),
        occasions: z.array(
          z.object({
            message_id: z.string().nullable(),
            at: z.string(),
            would_run: z.boolean(),
            conditions: z.array(conditionView.extend({ actual: z.unknown(), holds: z.boolean() })),
          }),
        ),
      }),
    ),
    ...errors,
  },
});

/** What a business lets happen by itself. */
export function automationRuleRoutes({ pool, secrets }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(vocabulary, (c) => c.json(VOCABULARY, 200));

  app.openapi(list, async (c) => {
    const window = pageWindow(c.req.valid('query'), secrets, 'rules');
    const rows = await listRules(pool, c.var.actor.businessId, window);
    return c.json(page([...rows], { window, secrets, keyOf: (row) => [row.id], view: viewRule }), 200);
  });

  app.openapi(create, async (c) => {
    const rule = c.req.valid('json');
    const answer = await commitAnswer(c, 201, async (tx) =>
      viewRule(await createRule(tx, c.var.actor, rule)),
    );
    return c.json(answer, 201);
  });

  app.openapi(get, async (c) =>
    c.json(viewRule(await findRule(pool, c.var.actor.businessId, c.req.valid('param').id)), 200),
  );

  app.openapi(patch, async (c) => {
    const change = { ...c.req.valid('json'), id: c.req.valid('param').id };
    return c.json(viewRule(await c.var.transact((tx) => changeRule(tx, c.var.actor, change))), 200);
  });

  app.openapi(remove, async (c) => {
    await c.var.transact((tx) => removeRule(tx, c.var.actor, c.req.valid('param').id));
    return c.body(null, 204);
  });

  app.openapi(runs, async (c) => {
    const { outcome, conversation_id, ...query } = c.req.valid('query');
    const { id: ruleId } = await findRule(pool, c.var.actor.businessId, c.req.valid('param').id);
    const window = pageWindow(query, secrets, 'runs');
    const rows = await listRuns(pool, { ruleId, outcome, conversationId: conversation_id }, window);
    return c.json(page([...rows], { window, secrets, keyOf: (row) => [row.id], view: viewRun }), 200);
  });

  app.openapi(tryOut, async (c) => {
    const { businessId } = c.var.actor;
    const rule = await findRule(pool, businessId, c.req.valid('param').id);
    const conversation = await namedConversation(pool, businessId, c.req.valid('json').conversation_id);
    const occasions = await dryRun(pool, rule, conversation);
    const answer = {
      would_run: occasions.some(({ would_run }) => would_run),
      occasions: occasions.map(viewTrial),
    };
    return c.json(answer, 200);
  });

  return app;
}

const VOCABULARY = {
  triggers: { ...TRIGGERS },
  fields: FIELD_LINES,
  operators: linesOf(OPERATORS),
  actions: linesOf(ACTIONS),
};

function linesOf(words: Readonly<Record<string, { about: string }>>): Record<string, string> {
  return Object.fromEntries(Object.entries(words).map(([name, { about }]) => [name, about]));
}
