import { changeConversation, sentence } from '../conversations/change-conversation.ts';
import { NO_HANDOFF } from '../conversations/handoff.ts';
import type { Sql } from '../database/connect.ts';
import { invalidField } from '../errors.ts';
import { isUuid } from '../id.ts';
import type { Author } from '../messages/author.ts';
import type { ConversationRow } from '../views/conversation.ts';
import { type NamedAgent, type Rotation, type TeamAssignment, takeTurn } from './assignment.ts';

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

/** A team as assigning sees it. */
export interface NamedTeam {
  id: string;
  name: string;
  assignment: TeamAssignment;
}

/** Those of a team who take turns. */
export function rotationOfTeam(businessId: string, { id, assignment }: NamedTeam): Rotation {
  return { id, businessId, isTeam: true, policy: assignment };
}

interface ToTeam {
  team: NamedTeam;
  by: Author;
  /** How it is passed on, where that is not the team's own way. */
  rotation?: Rotation;
}

/** Gives it to a team, and at once to the one of it whose turn it is. */
export async function giveToTeam(
  tx: Sql,
  conversation: ConversationRow,
  { team, by, ...given }: ToTeam,
): Promise<ConversationRow> {
  const rotation = given.rotation ?? rotationOfTeam(conversation.business_id, team);
  const agent = await takeTurn(tx, rotation, new Date());
  if (agent !== undefined) return giveToAgent(tx, conversation, { agent, team, by });
  return changeConversation(tx, conversation, {
    by,
    // Who comes while this is not committed yet is not missed: it is looked at once more.
    set: {
      team_id: team.id,
      assignee_id: null,
      assign_at: rotation.policy.mode === 'manual' ? null : new Date(),
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

/** Gives it to an agent; the hand-off it waited for is then done, unless the agent is a bot. */
export function giveToAgent(
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

/** The business's team, locked, since its turns are taken one at a time. */
export async function findTeam(sql: Sql, businessId: string, id: string): Promise<NamedTeam | undefined> {
  const [team] = await sql<NamedTeam[]>`
    select id, name, assignment from teams
    where id = ${id} and business_id = ${businessId} and deleted_at is null for no key update`;
  return team;
}
