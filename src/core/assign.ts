import {
  type ChannelAssignment,
  type NamedAgent,
  nextTry,
  type Pool,
  type TeamAssignment,
  takeTurn,
} from './assignment.ts';
import { type Author, SYSTEM } from './author.ts';
import { changeConversation, sentence } from './change-conversation.ts';
import type { Sql } from './database/connect.ts';
import { invalidField } from './errors.ts';
import { NO_HANDOFF } from './handoff.ts';
import { isUuid } from './id.ts';
import type { ConversationRow } from './views/conversation.ts';

/** Gives the conversation to an agent, to a team that passes it on, or to nobody. */
export async function assign(
  tx: Sql,
  conversation: ConversationRow,
  { assigneeId, by }: { assigneeId: string | null; by: Author },
): Promise<ConversationRow> {
  if (assigneeId === null) return unassign(tx, conversation, { by });
  if (conversation.assignee_id === assigneeId || conversation.team_id === assigneeId) return conversation;
  const { agent, team } = await findAssignee(tx, conversation.business_id, assigneeId);
  if (team !== undefined) return giveToTeam(tx, conversation, { team, by });
  if (agent === undefined)
    throw invalidField('assignee_id', 'is not an active agent or a team of your business');
  return giveToAgent(tx, conversation, { agent, team: await teamOfBoth(tx, conversation, agent), by });
}

/** Takes the conversation from whoever has it; by its team's or channel's policy somebody else may get it then. */
export async function unassign(
  tx: Sql,
  conversation: ConversationRow,
  { by, passOn = false }: { by: Author; passOn?: boolean },
): Promise<ConversationRow> {
  if (conversation.assignee_id === null && conversation.team_id === null) return conversation;
  const left = passOn
    ? { team_id: conversation.team_id, assign_at: new Date() }
    : { team_id: null, assign_at: null };
  return changeConversation(tx, conversation, {
    by,
    set: { assignee_id: null, ...left },
    activity: {
      content: sentence('Unassigned', by),
      metadata: { activity: 'unassigned', from: conversation.assignee_id, to: null },
    },
    events: ['conversation.unassigned'],
    facts: previousOf(conversation, by),
  });
}

/** Whether the id is one that a conversation can be assigned to. */
export async function isAssignee(sql: Sql, businessId: string, id: string): Promise<boolean> {
  const { agent, team } = await findAssignee(sql, businessId, id);
  return agent !== undefined || team !== undefined;
}

/** Looks for an agent by the policy of the conversation's team or channel; without one it goes on waiting. */
export async function assignByPolicy(
  tx: Sql,
  conversation: ConversationRow,
  now: Date,
): Promise<ConversationRow> {
  if (!(await needsAgent(tx, conversation))) return stopWaiting(tx, conversation);
  const { pool, team } = await poolOf(tx, conversation);
  if (team !== undefined && team.id !== conversation.team_id) {
    return giveToTeam(tx, conversation, { team, by: SYSTEM, pool });
  }
  if (pool.policy.mode === 'manual') return stopWaiting(tx, conversation);
  const agent = await takeTurn(tx, pool, now);
  if (agent !== undefined) return giveToAgent(tx, conversation, { agent, team, by: SYSTEM });
  await tx`update conversations set assign_at = ${nextTry(pool.policy, now)} where id = ${conversation.id}`;
  return conversation;
}

/** Whether it is open to somebody: nobody has it, or only a bot that asked for a person. */
async function needsAgent(tx: Sql, conversation: ConversationRow): Promise<boolean> {
  const { assignee_id, status, merged_into_id, needs_human_handoff } = conversation;
  if (merged_into_id !== null || (status !== 'open' && status !== 'pending')) return false;
  return assignee_id === null || (needs_human_handoff && (await isBot(tx, assignee_id)));
}

async function stopWaiting(tx: Sql, conversation: ConversationRow): Promise<ConversationRow> {
  if (conversation.assign_at !== null)
    await tx`update conversations set assign_at = null where id = ${conversation.id}`;
  return conversation;
}

interface NamedTeam {
  id: string;
  name: string;
  assignment: TeamAssignment;
}

/** Who may get the conversation: its team passes it on by its own policy, or by that of the channel which gives it to the team. */
async function poolOf(
  tx: Sql,
  conversation: ConversationRow,
): Promise<{ pool: Pool; team: NamedTeam | undefined }> {
  const { business_id: businessId, channel_id, team_id } = conversation;
  const [channel] = await tx<[{ assignment: ChannelAssignment }]>`
    select assignment from channels where id = ${channel_id}`;
  const { assignment } = channel;
  const teamId = team_id ?? assignment.team_id;
  const team = teamId === undefined ? undefined : await findTeam(tx, businessId, teamId);
  if (team === undefined) {
    // A team that is gone takes no turns.
    const policy = teamId === undefined ? assignment : ({ mode: 'manual' } as const);
    return {
      pool: { id: channel_id, businessId, isTeam: false, agentIds: assignment.agent_ids, policy },
      team,
    };
  }
  const policy = team.id === assignment.team_id ? { ...team.assignment, ...assignment } : team.assignment;
  return { pool: poolOfTeam(businessId, { ...team, assignment: policy }), team };
}

function poolOfTeam(businessId: string, { id, assignment }: NamedTeam): Pool {
  return { id, businessId, isTeam: true, policy: assignment };
}

interface ToTeam {
  team: NamedTeam;
  by: Author;
  /** How it is passed on, where that is not the team's own way. */
  pool?: Pool;
}

async function giveToTeam(
  tx: Sql,
  conversation: ConversationRow,
  { team, by, ...given }: ToTeam,
): Promise<ConversationRow> {
  const pool = given.pool ?? poolOfTeam(conversation.business_id, team);
  const agent = await takeTurn(tx, pool, new Date());
  if (agent !== undefined) return giveToAgent(tx, conversation, { agent, team, by });
  return changeConversation(tx, conversation, {
    by,
    // Who comes while this is not committed yet is not missed: it is looked at once more.
    set: {
      team_id: team.id,
      assignee_id: null,
      assign_at: pool.policy.mode === 'manual' ? null : new Date(),
    },
    activity: {
      content: sentence(`Given to the team ${team.name}`, by),
      metadata: { activity: 'assigned', from: conversation.assignee_id, to: null, team_id: team.id },
    },
    events: ['conversation.assigned'],
    facts: previousOf(conversation, by),
  });
}

interface ToAgent {
  agent: NamedAgent;
  team: Pick<NamedTeam, 'id' | 'name'> | undefined;
  by: Author;
}

/** The hand-off it waited for is then done, unless a bot has it. */
function giveToAgent(
  tx: Sql,
  conversation: ConversationRow,
  { agent, team, by }: ToAgent,
): Promise<ConversationRow> {
  const teamId = team?.id ?? null;
  const ofTeam = team === undefined || teamId === conversation.team_id ? '' : ` of the team ${team.name}`;
  return changeConversation(tx, conversation, {
    by,
    set: {
      assignee_id: agent.id,
      team_id: teamId,
      assign_at: null,
      ...(agent.role === 'bot' ? {} : NO_HANDOFF),
    },
    activity: {
      content: sentence(`Assigned to ${agent.name}${ofTeam}`, by),
      metadata: { activity: 'assigned', from: conversation.assignee_id, to: agent.id, team_id: teamId },
    },
    events: ['conversation.assigned'],
    facts: previousOf(conversation, by),
  });
}

function previousOf({ assignee_id, team_id }: ConversationRow, by: Author) {
  return { previous_assignee_id: assignee_id, previous_team_id: team_id, assigned_by: by.id };
}

/** An agent of the team takes it within the team. */
async function teamOfBoth(tx: Sql, { team_id }: ConversationRow, agent: NamedAgent) {
  if (team_id === null) return undefined;
  const [team] = await tx<{ id: string; name: string }[]>`
    select t.id, t.name from team_members m join teams t on t.id = m.team_id
    where m.team_id = ${team_id} and m.agent_id = ${agent.id}`;
  return team;
}

interface FoundAssignee {
  agent?: NamedAgent | undefined;
  team?: NamedTeam | undefined;
}

async function findAssignee(sql: Sql, businessId: string, id: string): Promise<FoundAssignee> {
  if (!isUuid(id)) return {};
  const [agent] = await sql<NamedAgent[]>`
    select id, name, role from agents where id = ${id} and business_id = ${businessId} and is_active for share`;
  return agent === undefined ? { team: await findTeam(sql, businessId, id) } : { agent };
}

/** Locked, since its turns are taken one at a time. */
async function findTeam(sql: Sql, businessId: string, id: string): Promise<NamedTeam | undefined> {
  const [team] = await sql<NamedTeam[]>`
    select id, name, assignment from teams
    where id = ${id} and business_id = ${businessId} and deleted_at is null for no key update`;
  return team;
}

async function isBot(tx: Sql, id: string): Promise<boolean> {
  const rows = await tx`select id from agents where id = ${id} and role = 'bot'`;
  return rows.length === 1;
}
