import { isWithAi } from '../ai/silence.ts';
import type { Sql } from '../database/connect.ts';
import { systemIn } from '../messages/author.ts';
import type { ConversationRow } from '../views/conversation.ts';
import { findTeam, giveToAgent, giveToTeam, type NamedTeam, rotationOfTeam } from './assign.ts';
import { type ChannelAssignment, nextTry, type Rotation, takeTurn } from './assignment.ts';

/** Looks for an agent by the policy of the conversation's team or channel; without one it goes on waiting. */
export async function assignByPolicy(
  tx: Sql,
  conversation: ConversationRow,
  now: Date,
): Promise<ConversationRow> {
  if (!(await needsAgent(tx, conversation))) return stopWaiting(tx, conversation);
  const { rotation, team } = await rotationOf(tx, conversation);
  const by = await systemIn(tx, conversation.id);
  if (team !== undefined && team.id !== conversation.team_id) {
    return giveToTeam(tx, conversation, { team, by, rotation });
  }
  if (rotation.policy.mode === 'manual') return stopWaiting(tx, conversation);
  const agent = await takeTurn(tx, rotation, now);
  if (agent !== undefined) return giveToAgent(tx, conversation, { agent, team, by });
  await tx`update conversations set assign_at = ${nextTry(rotation.policy, now)} where id = ${conversation.id}`;
  return conversation;
}

/** Whether it is open to somebody: nobody has it, and no AI answers there, or only a bot that asked for a person. */
async function needsAgent(tx: Sql, conversation: ConversationRow): Promise<boolean> {
  const { assignee_id, status, merged_into_id, needs_human_handoff } = conversation;
  if (merged_into_id !== null || (status !== 'open' && status !== 'pending')) return false;
  if (assignee_id !== null) return needs_human_handoff && (await isBot(tx, assignee_id));
  return !(await isWithAi(tx, conversation));
}

async function stopWaiting(tx: Sql, conversation: ConversationRow): Promise<ConversationRow> {
  if (conversation.assign_at !== null)
    await tx`update conversations set assign_at = null where id = ${conversation.id}`;
  return conversation;
}

/** Who may get the conversation: its team passes it on by its own policy, or by that of the channel which gives it to the team. */
async function rotationOf(
  tx: Sql,
  conversation: ConversationRow,
): Promise<{ rotation: Rotation; team: NamedTeam | undefined }> {
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
      rotation: { id: channel_id, businessId, isTeam: false, agentIds: assignment.agent_ids, policy },
      team,
    };
  }
  const policy = team.id === assignment.team_id ? { ...team.assignment, ...assignment } : team.assignment;
  return { rotation: rotationOfTeam(businessId, { ...team, assignment: policy }), team };
}

async function isBot(tx: Sql, id: string): Promise<boolean> {
  const rows = await tx`select id from agents where id = ${id} and role = 'bot'`;
  return rows.length === 1;
}
