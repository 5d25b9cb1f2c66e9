import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { ROLES } from '../../core/actor.ts';
import { listConversations, lockConversation } from '../../core/conversations.ts';
import { invalidField } from '../../core/errors.ts';
import { snapshot } from '../../core/events/snapshot.ts';
import { authorOf } from '../../core/messages/author.ts';
import {
  AGENT_STATUSES,
  type AgentRow,
  inviteAgent,
  listAgents,
  removeAgent,
  setAgentStatus,
} from '../../core/team/agents.ts';
import { assign, isAssignee } from '../../core/team/assign.ts';
import {
  type ConversationStatus,
  conversationView,
  viewConversation,
} from '../../core/views/conversation.ts';
import { isoOrNull } from '../../core/views/time.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { commitAnswer } from '../idempotency.ts';
import { body, errors, json } from '../openapi.ts';
import { page, pageOf, pageQuery, pageWindow } from '../pagination.ts';
import { idParam, uuid } from '../validate.ts';

const agentView = z
  .object({
    id: z.string(),
    name: z.string(),
    email: z.string().nullable(),
    role: z.enum(ROLES),
    status: z.enum(AGENT_STATUSES),
    is_active: z.boolean(),
    invited_at: z.string().nullable(),
    created_at: z.string(),
  })
  .meta({ id: 'Agent' });

const tags = ['Team'];

const members = createRoute({
  method: 'get',
  path: '/team/members',
  tags,
  summary: 'List the agents of the business',
  request: { query: pageQuery },
  responses: { 200: json('A page of agents, in the order they joined', pageOf(agentView)), ...errors },
});

const invite = createRoute({
  method: 'post',
  path: '/team/invite',
  tags,
  summary: 'Add an agent with a key of its own',
  request: {
    body: body(
      z.object({
        email: z.email(),
        name: z.string().trim().min(1).max(200).optional(),
        role: z.enum(ROLES).default('agent'),
      }),
      { email: 'ada@example.com', name: 'Ada Lovelace', role: 'agent' },
    ),
  },
  responses: {
    201: json('The agent, and its key for this once', agentView.extend({ api_key: z.string() })),
    ...errors,
  },
});

const remove = createRoute({
  method: 'delete',
  path: '/team/members/{id}',
  tags,
  summary: 'Take an agent off the team; its keys end at once',
  request: { params: idParam },
  responses: { 204: { description: 'The agent is gone' }, ...errors },
});

const status = createRoute({
  method: 'patch',
  path: '/team/status',
  tags,
  summary: 'Say whether the agent of this key is there',
  request: { body: body(z.object({ status: z.enum(AGENT_STATUSES) })) },
  responses: { 200: json('The agent', agentView), ...errors },
});

const handoffs = createRoute({
  method: 'get',
  path: '/team/pending-handoffs',
  tags,
  summary: 'List conversations that wait for a person, the longest waiting first',
  request: { query: pageQuery },
  responses: { 200: json('A page of conversations', pageOf(conversationView)), ...errors },
});

const assignTo = createRoute({
  method: 'post',
  path: '/team/assign/{conversation_id}',
  tags,
  summary: 'Give a conversation to an agent or a team',
  request: { params: z.object({ conversation_id: idParam.shape.id }), query: z.object({ agent_id: uuid }) },
  responses: { 200: json('The whole conversation', conversationView), ...errors },
});

/** The people of a business and what waits for them. */
export function teamRoutes({ pool, secrets, wake }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(members, async (c) => {
    const window = pageWindow(c.req.valid('query'), secrets, 'members');
    const rows = await listAgents(pool, c.var.actor.businessId, window);
    return c.json(page(rows, { window, secrets, keyOf: (row) => [row.id], view: viewAgent }), 200);
  });

  app.openapi(invite, async (c) => {
    const { email, name = email, role } = c.req.valid('json');
    const answer = await commitAnswer(c, 201, async (tx) => {
      const { agent, key } = await inviteAgent(tx, c.var.actor, { email, name, role });
      return { ...viewAgent(agent), api_key: key };
    });
    return c.json(answer, 201);
  });

  app.openapi(remove, async (c) => {
    const { actor, transact } = c.var;
    await transact((tx) => removeAgent(tx, actor, c.req.valid('param').id));
    wake.notify('session');
    return c.body(null, 204);
  });

  app.openapi(status, async (c) => {
    const { actor, transact } = c.var;
    const agent = await transact((tx) => setAgentStatus(tx, actor, c.req.valid('json').status));
    return c.json(viewAgent(agent), 200);
  });

  app.openapi(handoffs, async (c) => {
    const window = pageWindow(c.req.valid('query'), secrets, 'handoffs');
    const filter = {
      businessId: c.var.actor.businessId,
      needsHumanHandoff: true,
      status: ['open', 'pending'] satisfies ConversationStatus[],
      sort: 'handoff_requested_at',
    } as const;
    const rows = await listConversations(pool, filter, window);
    const view = (row: (typeof rows)[number]) => viewConversation(row.conversation, row.customer);
    return c.json(page(rows, { window, secrets, keyOf: (row) => row.key, view }), 200);
  });

  app.openapi(assignTo, async (c) => {
    const { actor } = c.var;
    const assigneeId = c.req.valid('query').agent_id;
    const answer = await commitAnswer(c, 200, async (tx) => {
      const conversation = await lockConversation(tx, actor.businessId, c.req.valid('param').conversation_id);
      if (!(await isAssignee(tx, actor.businessId, assigneeId)))
        throw invalidField('agent_id', 'is no active agent or team of yours');
      await assign(tx, conversation, { assigneeId, by: await authorOf(tx, actor) });
      return conversationView.parse((await snapshot(tx, { conversationId: conversation.id })).conversation);
    });
    return c.json(answer, 200);
  });

  return app;
}

function viewAgent(row: AgentRow): z.infer<typeof agentView> {
  return {
    id: row.id,
    name: row.name,
    email: row.email,
    role: row.role,
    status: row.status,
    is_active: row.is_active,
    invited_at: isoOrNull(row.invited_at),
    created_at: row.created_at.toISOString(),
  };
}
