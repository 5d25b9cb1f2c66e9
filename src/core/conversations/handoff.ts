import type { Sql } from '../database/connect.ts';
import type { Author } from '../messages/author.ts';
import type { ConversationRow } from '../views/conversation.ts';
import { changeConversation, sentence } from './change-conversation.ts';

/** Asks for a person to take over. */
export async function requestHandoff(
  tx: Sql,
  conversation: ConversationRow,
  { reason, by }: { reason: string | null; by: Author },
): Promise<ConversationRow> {
  if (conversation.needs_human_handoff && conversation.handoff_reason === reason) return conversation;
  return changeConversation(tx, conversation, {
    by,
    set: {
      needs_human_handoff: true,
      handoff_reason: reason,
      // Another reason does not begin the waiting anew.
      handoff_requested_at: conversation.handoff_requested_at ?? new Date(),
    },
    activity: {
      content: sentence(reason === null ? 'Hand-off requested' : `Hand-off requested: ${reason}`, by),
      metadata: { activity: 'handoff_requested', reason },
    },
    events: ['conversation.handoff_requested'],
    facts: { reason },
  });
}

/** What is left of a hand-off once somebody took over, or nothing is left to take over. */
export const NO_HANDOFF = {
  needs_human_handoff: false,
  handoff_reason: null,
  handoff_requested_at: null,
} as const;
