import { type Actor, type Role, reaches } from '../actor.ts';
import { createApiKey } from '../api-keys.ts';
import { audit } from '../audit.ts';
import type { Sql } from '../database/connect.ts';
import { isTaken } from '../database/taken.ts';
import { AppError, invalidField } from '../errors.ts';
import { record } from '../events.ts';
import { newId } from '../id.ts';
import type { ListWindow } from '../list-window.ts';
import { authorOf } from '../messages/author.ts';
import type { ConversationRow } from '../views/conversation.ts';
import { unassign } from './assign.ts';

export const AGENT_STATUSES = ['live', 'away', 'offline'] as const;
export type AgentStatus = (typeof AGENT_STATUSES)[number];

export interface AgentRow {
  id: string;
  business_id: string;
  name: string;
  email: string | null;
  role: Role;
  status: AgentStatus;
  is_active: boolean;
  invited_at: Date | null;
  created_at: Date;
  updated_at: Date;
}

/** The active agents of a business, in the order they joined. */
export function listAgents(sql: Sql, businessId: string, page: ListWindow): Promise<AgentRow[]> {
  return sql<AgentRow[]>`
    select * from agents where business_id = ${businessId} and is_active
      ${page.after === undefined ? sql`` : sql`and id > ${page.after[0] ?? null}::uuid`}
    order by id limit ${page.fetch} offset ${page.offset}`;
}

/** What these agents and teams are called. */
export async function assigneeNames(sql: Sql, ids: (string | null)[]): Promise<Map<string, string>> {
  const known = [...new Set(ids.filter((id) => id !== null))];
  if (known.length === 0) return new Map();
  const rows = await sql<
    { id: string; name: string }[]
  >`select id, name from agents where id = any(${known}) union all select id, name from teams where id = any(${known})`;
  return new Map(rows.map(({ id, name }) => [id, name]));
}

export interface NewAgent {
  email: string;
  name: string;
  role: Role;
}

/** Adds an agent to the actor's business, with a key of its own that is given out only here. */
export async function inviteAgent(
  tx: Sql,
  actor: Actor,
  input: NewAgent,
): Promise<{ agent: AgentRow; key: string }> {
  if (!reaches(actor.role, input.role)) throw new AppError('forbidden', 'That role is above your own.');
  const agent = await insertAgent(tx, actor.businessId, input);
  const { key } = await createApiKey(tx, actor.businessId, {
    name: input.name,
    role: input.role,
    agentId: agent.id,
  });
  await audit(tx, actor, { action: 'agent.invited', subjectId: agent.id, detail: { role: input.role } });
  return { agent, key };
}

async function insertAgent(tx: Sql, businessId: string, input: NewAgent): Promise<AgentRow> {
  try {
    const [agent] = await tx<[AgentRow]>`
      insert into agents (id, business_id, name, email, role, invited_at)
      values (${newId()}, ${businessId}, ${input.name}, ${input.email}, ${input.role}, now()) returning *`;
    return agent;
  } catch (error) {
    if (!isTaken(error)) throw error;
    throw new AppError('conflict', 'Somebody with this email is on the team already.', { cause: error });
  }
}

/** Takes an agent off the team: its keys end at once, and its conversations go to whom the policy gives them. */
export async function removeAgent(tx: Sql, actor: Actor, id: string): Promise<void> {
  // Locked first, so that two owners cannot remove each other at once.
  await tx`select 1 from businesses where id = ${actor.businessId} for no key update`;
  const [agent] = await tx<AgentRow[]>`
    select * from agents where business_id = ${actor.businessId} and id = ${id} and is_active`;
  if (agent === undefined) throw new AppError('not_found', 'There is no such agent.');
  if (agent.role === 'owner') await keepAnOwner(tx, agent);
  await tx`update agents set is_active = false, status = 'offline', updated_at = now() where id = ${id}`;
  await tx`update api_keys set revoked_at = now() where agent_id = ${id} and revoked_at is null`;
  await unassignAll(tx, actor, id);
  await tx`delete from team_members where agent_id = ${id}`;
  await audit(tx, actor, { action: 'agent.removed', subjectId: id });
}

/** In the order of their ids, as every writer locks conversations. */
async function unassignAll(tx: Sql, actor: Actor, assigneeId: string): Promise<void> {
  const by = await authorOf(tx, actor);
  const conversations = await tx<ConversationRow[]>`
    select * from conversations
    where business_id = ${actor.businessId} and assignee_id = ${assigneeId} and status <> 'closed'
    order by id for update`;
  for (const conversation of conversations) await unassign(tx, conversation, { by, passOn: true });
}

async function keepAnOwner(tx: Sql, agent: AgentRow): Promise<void> {
  const [other] = await tx`
    select 1 from agents where business_id = ${agent.business_id} and role = 'owner' and is_active and id <> ${agent.id} limit 1`;
  if (other === undefined) throw new AppError('conflict', 'The last owner of a business stays.');
}

/** Sets whether the actor's agent is there, and tells the business when that changes. */
export async function setAgentStatus(tx: Sql, actor: Actor, status: AgentStatus): Promise<AgentRow> {
  if (actor.agentId === null) throw invalidField('status', 'this key belongs to no agent');
  const [before] = await tx<[AgentRow]>`select * from agents where id = ${actor.agentId} for update`;
  if (before.status === status) return before;
  const [agent] = await tx<[AgentRow]>`
    update agents set status = ${status}, updated_at = now() where id = ${actor.agentId} returning *`;
  const data = { agent_id: agent.id, status };
  await record(tx, [{ type: 'agent.status_changed', businessId: actor.businessId, data }]);
  return agent;
}
