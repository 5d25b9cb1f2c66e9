import type { Actor } from '../actor.ts';
import { audit } from '../audit.ts';
import type { Sql } from '../database/connect.ts';
import { refuseTaken } from '../database/taken.ts';
import { AppError, invalidField } from '../errors.ts';
import { isUuid, newId } from '../id.ts';
import type { ListWindow } from '../list-window.ts';
import { type Author, authorOf } from '../messages/author.ts';
import type { ConversationRow } from '../views/conversation.ts';
import { unassign } from './assign.ts';
import type { TeamAssignment } from './assignment.ts';

export interface TeamRow {
  id: string;
  business_id: string;
  name: string;
  assignment: TeamAssignment;
  /** Ids of its agents, in the order they joined. */
  members: string[];
  created_at: Date;
  updated_at: Date;
}

export interface TeamFields {
  name?: string | undefined;
  assignment?: TeamAssignment | undefined;
  members?: string[] | undefined;
}

/** One window of the business's teams, oldest first. */
export function listTeams(
  sql: Sql,
  businessId: string,
  { after, offset, fetch }: ListWindow,
): Promise<TeamRow[]> {
  return sql<TeamRow[]>`
    select t.*, ${membersOf(sql)} as members from teams t
    where business_id = ${businessId} and deleted_at is null
      ${after === undefined ? sql`` : sql`and id > ${after[0] ?? null}::uuid`}
    order by id limit ${fetch} offset ${offset}`;
}

/** The business's team. Throws `not_found` for any other id. */
export async function findTeam(sql: Sql, businessId: string, id: string): Promise<TeamRow> {
  const [team] = isUuid(id)
    ? await sql<TeamRow[]>`
        select t.*, ${membersOf(sql)} as members from teams t
        where id = ${id} and business_id = ${businessId} and deleted_at is null`
    : [];
  if (team === undefined) throw new AppError('not_found', 'There is no such team.');
  return team;
}

function membersOf(sql: Sql) {
  return sql`array(select m.agent_id from team_members m where m.team_id = t.id order by m.created_at, m.agent_id)`;
}

/** Stores a new team with its members. */
export async function createTeam(
  tx: Sql,
  actor: Actor,
  fields: TeamFields & { name: string },
): Promise<TeamRow> {
  const id = newId();
  const row = {
    id,
    business_id: actor.businessId,
    name: fields.name,
    ...(fields.assignment === undefined ? {} : { assignment: tx.json(fields.assignment) }),
  };
  await tx`insert into teams ${tx(row)}`.catch(refuseTaken('name', 'team'));
  await setMembers(tx, { id, businessId: actor.businessId }, fields.members ?? []);
  await audit(tx, actor, { action: 'team.created', subjectId: id, detail: { name: fields.name } });
  return findTeam(tx, actor.businessId, id);
}

/** Changes what is named; `members` replaces all of them. */
export async function changeTeam(
  tx: Sql,
  actor: Actor,
  { id, ...fields }: TeamFields & { id: string },
): Promise<TeamRow> {
  const team = await lockTeam(tx, actor.businessId, id);
  const { name = team.name, assignment = team.assignment, members } = fields;
  await tx`
    update teams set name = ${name}, assignment = ${tx.json(assignment)}, updated_at = now()
    where id = ${id}`.catch(refuseTaken('name', 'team'));
  if (members !== undefined) await setMembers(tx, { id, businessId: actor.businessId }, members);
  await audit(tx, actor, { action: 'team.updated', subjectId: id, detail: { fields: Object.keys(fields) } });
  return findTeam(tx, actor.businessId, id);
}

/** Puts an agent into a team; one who is in it already stays as before. */
export async function addMember(tx: Sql, actor: Actor, { id, agentId }: Membership): Promise<TeamRow> {
  await lockTeam(tx, actor.businessId, id);
  const [agent] = await tx`
    select id from agents where id = ${agentId} and business_id = ${actor.businessId} and is_active for share`;
  if (agent === undefined) throw new AppError('not_found', 'There is no such agent.');
  const added = await tx`
    insert into team_members (business_id, team_id, agent_id) values (${actor.businessId}, ${id}, ${agentId})
    on conflict do nothing returning agent_id`;
  if (added.length > 0) await auditMember(tx, actor, { id, agentId, action: 'team.member_added' });
  return findTeam(tx, actor.businessId, id);
}

/** Takes an agent out of a team; its conversations stay its own. */
export async function removeMember(tx: Sql, actor: Actor, { id, agentId }: Membership): Promise<TeamRow> {
  await lockTeam(tx, actor.businessId, id);
  const removed = await tx`
    delete from team_members where team_id = ${id} and agent_id = ${agentId} returning agent_id`;
  if (removed.length === 0) throw new AppError('not_found', 'This agent is not in the team.');
  await auditMember(tx, actor, { id, agentId, action: 'team.member_removed' });
  return findTeam(tx, actor.businessId, id);
}

export interface Membership {
  id: string;
  agentId: string;
}

function auditMember(tx: Sql, actor: Actor, { id, agentId, action }: Membership & { action: string }) {
  return audit(tx, actor, { action, subjectId: id, detail: { agent_id: agentId } });
}

/** Dissolves a team: what its agents work on stays theirs, what waits in it becomes nobody's. */
export async function removeTeam(tx: Sql, actor: Actor, id: string): Promise<void> {
  const by = await authorOf(tx, actor);
  await findTeam(tx, actor.businessId, id);
  await leaveConversations(tx, { businessId: actor.businessId, id, by });
  await lockTeam(tx, actor.businessId, id);
  // What was given to it meanwhile: whoever did so had its lock before us.
  await leaveConversations(tx, { businessId: actor.businessId, id, by });
  await refuseWhileUsed(tx, actor.businessId, id);
  await tx`delete from team_members where team_id = ${id}`;
  await tx`delete from assignment_turns where pool_id = ${id}`;
  await tx`update teams set deleted_at = now(), updated_at = now() where id = ${id}`;
  await audit(tx, actor, { action: 'team.deleted', subjectId: id });
}

interface Leaving {
  businessId: string;
  id: string;
  by: Author;
}

async function leaveConversations(tx: Sql, { businessId, id, by }: Leaving): Promise<void> {
  const conversations = await tx<ConversationRow[]>`
    select * from conversations where business_id = ${businessId} and team_id = ${id} order by id for update`;
  for (const conversation of conversations) await leaveTeam(tx, conversation, by);
}

async function leaveTeam(tx: Sql, conversation: ConversationRow, by: Author): Promise<void> {
  if (conversation.assignee_id === null && conversation.status !== 'closed')
    await unassign(tx, conversation, { by });
  else await tx`update conversations set team_id = null, assign_at = null where id = ${conversation.id}`;
}

async function refuseWhileUsed(tx: Sql, businessId: string, id: string): Promise<void> {
  const [channel] = await tx<{ id: string; name: string }[]>`
    select id, name from channels
    where business_id = ${businessId} and deleted_at is null and assignment ->> 'team_id' = ${id} limit 1`;
  if (channel === undefined) return;
  const message = `The channel ${channel.name} gives this team its conversations; change its assignment first.`;
  throw new AppError('conflict', message, { extra: { channel_id: channel.id } });
}

/** The team's row, locked: turns are taken and members change one at a time. Always after its conversations. */
async function lockTeam(tx: Sql, businessId: string, id: string): Promise<TeamRow> {
  if (isUuid(id))
    await tx`select 1 from teams where id = ${id} and business_id = ${businessId} for no key update`;
  return findTeam(tx, businessId, id);
}

async function setMembers(
  tx: Sql,
  { id, businessId }: { id: string; businessId: string },
  members: string[],
): Promise<void> {
  const agents = await tx<{ id: string }[]>`
    select id from agents where business_id = ${businessId} and id = any(${members}::uuid[]) and is_active for share`;
  const unknown = members.findIndex((one) => !agents.some((agent) => agent.id === one));
  if (unknown !== -1) throw invalidField(`members.${unknown}`, 'is not an active agent of your business');
  await tx`delete from team_members where team_id = ${id} and agent_id <> all(${members}::uuid[])`;
  await tx`
    insert into team_members (business_id, team_id, agent_id)
    select ${businessId}, ${id}, agent_id from unnest(${members}::uuid[]) as r(agent_id) on conflict do nothing`;
}
