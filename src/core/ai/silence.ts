import { changeConversation, sentence } from '../conversations/change-conversation.ts';
import { NO_HANDOFF } from '../conversations/handoff.ts';
import type { Sql } from '../database/connect.ts';
import type { Author } from '../messages/author.ts';
import { unassign } from '../team/assign.ts';
import type { ConversationRow } from '../views/conversation.ts';

/**
 * Whether people have the conversation: it was given to somebody, or an agent wrote. While it is flagged a team has not taken
 * it before one of the team does.
 */
export async function isTakenOver(sql: Sql, conversation: ConversationRow): Promise<boolean> {
  const { assignee_id, team_id, needs_human_handoff } = conversation;
  if (assignee_id !== null || (team_id !== null && !needs_human_handoff)) return true;
  return agentWrote(sql, conversation);
}

async function agentWrote(sql: Sql, { id, ai_from_seq }: ConversationRow): Promise<boolean> {
  const rows = await sql`
    select 1 from messages
    where conversation_id = ${id} and seq > ${ai_from_seq ?? 0} and sender_type = 'agent' and direction = 'outbound'
    limit 1`;
  return rows.length > 0;
}

/** Whether the AI answers here, so that no agent has to be found yet. */
export async function isWithAi(sql: Sql, conversation: ConversationRow): Promise<boolean> {
  if (conversation.needs_human_handoff) return false;
  const hooks = await sql`
    select 1 from ai_hooks where business_id = ${conversation.business_id} and mode = 'auto'`;
  return hooks.length > 0 && !(await isTakenOver(sql, conversation));
}

/** Gives a conversation back to the AI: nobody has it, nobody is waited for, and what agents wrote is past. */
export async function handBack(tx: Sql, conversation: ConversationRow, by: Author): Promise<ConversationRow> {
  if (!conversation.needs_human_handoff && !(await isTakenOver(tx, conversation))) return conversation;
  const free = await unassign(tx, conversation, { by });
  return changeConversation(tx, free, {
    by,
    set: { ...NO_HANDOFF, ai_from_seq: free.last_message_seq },
    activity: { content: sentence('Given back to the AI', by), metadata: { activity: 'handed_back' } },
    events: ['conversation.updated'],
    facts: { changed: ['needs_human_handoff'] },
  });
}
