import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { z } from 'zod';
import type { Sql } from '../../core/database/connect.ts';
import { lookAgain } from '../../core/team/assigner.ts';
import { teamAssignment } from '../../core/team/assignment.ts';
import {
  addMember,
  changeTeam,
  createTeam,
  findTeam,
  listTeams,
  removeMember,
  removeTeam,
  type TeamRow,
} from '../../core/team/teams.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { commitAnswer } from '../idempotency.ts';
import { body, errors, json } from '../openapi.ts';
import { page, pageOf, pageQuery, pageWindow } from '../pagination.ts';
import { idParam, uuid } from '../validate.ts';

const teamView = z
  .object({
    id: z.string(),
    name: z.string(),
    assignment: teamAssignment,
    members: z.array(z.string()).meta({ description: 'Ids of its agents.' }),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'Team' });

const fields = z.object({
  name: z.string().trim().min(1).max(200),
  assignment: teamAssignment
    .optional()
    .meta({ description: 'How it passes on what it is given; without it, in turns.' }),
  members: z.array(uuid).max(1_000).optional().meta({ description: 'Ids of agents; all of them.' }),
});

const example: z.input<typeof fields> = {
  name: 'Orders',
  assignment: {
    mode: 'round_robin',
    working_hours: { timezone: 'Europe/Berlin', schedule: { mon: [{ start: '09:00', end: '17:00' }] } },
  },
  members: ['01a1fcd2-1c07-7b52-b6f4-0a9d5e8c7f13'],
};

const tags = ['Teams'];
const answered = { 200: json('The team', teamView), ...errors };
const memberParam = idParam.extend({ agent_id: idParam.shape.id });

const list = createRoute({
  method: 'get',
  path: '/teams',
  tags,
  summary: 'List the teams of the business',
  request: { query: pageQuery },
  responses: { 200: json('A page of teams, oldest first', pageOf(teamView)), ...errors },
});

const create = createRoute({
  method: 'post',
  path: '/teams',
  tags,
  summary: 'Make a team; its id can be given wherever an assignee is',
  request: { body: body(fields, example) },
  responses: { 201: json('The team', teamView), ...errors },
});

const get = createRoute({
  method: 'get',
  path: '/teams/{id}',
  tags,
  summary: 'Get a team',
  request: { params: idParam },
  responses: answered,
});

const patch = createRoute({
  method: 'patch',
  path: '/teams/{id}',
  tags,
  summary: 'Change a team',
  request: { params: idParam, body: body(fields.partial(), example) },
  responses: answered,
});

const remove = createRoute({
  method: 'delete',
  path: '/teams/{id}',
  tags,
  summary: 'Dissolve a team; what its agents work on stays theirs',
  request: { params: idParam },
  responses: { 204: { description: 'It is gone' }, ...errors },
});

const add = createRoute({
  method: 'put',
  path: '/teams/{id}/members/{agent_id}',
  tags,
  summary: 'Put an agent into a team',
  request: { params: memberParam },
  responses: answered,
});

const takeOut = createRoute({
  method: 'delete',
  path: '/teams/{id}/members/{agent_id}',
  tags,
  summary: 'Take an agent out of a team',
  request: { params: memberParam },
  responses: answered,
});

/** Teams of agents, and how each passes on what it is given. */
export function teamsRoutes({ pool, secrets }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  /** Changes a team, and lets what waits look for somebody again. */
  async function change(c: Context<ApiEnv>, work: (tx: Sql) => Promise<TeamRow>) {
    const answer = await commitAnswer(c, 200, async (tx) => viewTeam(await work(tx)));
    await lookAgain(pool, c.var.actor.businessId);
    return c.json(answer, 200);
  }

  app.openapi(list, async (c) => {
    const window = pageWindow(c.req.valid('query'), secrets, 'teams');
    const rows = await listTeams(pool, c.var.actor.businessId, window);
    return c.json(page(rows, { window, secrets, keyOf: (row) => [row.id], view: viewTeam }), 200);
  });

  app.openapi(create, async (c) => {
    const answer = await commitAnswer(c, 201, async (tx) =>
      viewTeam(await createTeam(tx, c.var.actor, c.req.valid('json'))),
    );
    return c.json(answer, 201);
  });

  app.openapi(get, async (c) =>
    c.json(viewTeam(await findTeam(pool, c.var.actor.businessId, c.req.valid('param').id)), 200),
  );

  app.openapi(patch, (c) =>
    change(c, (tx) => changeTeam(tx, c.var.actor, { ...c.req.valid('json'), id: c.req.valid('param').id })),
  );

  app.openapi(remove, async (c) => {
    const { actor, transact } = c.var;
    await transact((tx) => removeTeam(tx, actor, c.req.valid('param').id));
    return c.body(null, 204);
  });

  app.openapi(add, (c) => change(c, (tx) => addMember(tx, c.var.actor, membership(c.req.valid('param')))));
  app.openapi(takeOut, (c) =>
    change(c, (tx) => removeMember(tx, c.var.actor, membership(c.req.valid('param')))),
  );

  return app;
}

function membership({ id, agent_id }: z.infer<typeof memberParam>) {
  return { id, agentId: agent_id };
}

function viewTeam(row: TeamRow): z.infer<typeof teamView> {
  return {
    id: row.id,
    name: row.name,
    assignment: row.assignment,
    members: row.members,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}
