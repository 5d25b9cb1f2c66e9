import { choicesOf } from '../cards.ts';
import { NO_HANDOFF } from '../conversations/handoff.ts';
import type { Sql } from '../database/connect.ts';
import { fewRows } from '../database/recordset.ts';
import { snapshot } from '../events/snapshot.ts';
import { record } from '../events.ts';
import type { ConversationRow } from '../views/conversation.ts';
import type { MessageRow } from '../views/message.ts';
import type { Author } from './author.ts';

interface Counting {
  message: MessageRow;
  by: Pick<Author, 'type'>;
}

/** Writes what a message that has its `seq` changes of its conversation; a scheduled one changes nothing yet. */
export async function countMessage(
  tx: Sql,
  before: ConversationRow,
  counting: Counting,
): Promise<ConversationRow> {
  const after = counted(before, counting);
  if (after === before) return before;
  await writeCounted(tx, [after]);
  if (endsHandoff(before, after)) {
    const { id, business_id: businessId, customer_id: customerId } = after;
    const data = { ...(await snapshot(tx, { conversationId: id })), changed: ['needs_human_handoff'] };
    await record(tx, [{ type: 'conversation.updated', businessId, conversationId: id, customerId, data }]);
  }
  return after;
}

/** The conversation as the message leaves it. */
export function counted<Conversation extends ConversationRow>(
  conversation: Conversation,
  { message, by }: Counting,
): Conversation {
  if (message.seq === null) return conversation;
  const now = new Date();
  const isPublic = message.direction === 'outbound';
  const isAnswer = isPublic && by.type === 'agent';
  return {
    ...conversation,
    last_message_seq: message.seq,
    last_message_at: now,
    updated_at: now,
    ...(isPublic ? { last_public_seq: message.seq, open_card: openCard(message) } : {}),
    ...(isAnswer ? { first_response_at: conversation.first_response_at ?? now, ...NO_HANDOFF } : {}),
  };
}

/** A newer message of ours without choices closes the card before it: a number in the answer may mean anything then. */
function openCard({ id, card }: MessageRow): ConversationRow['open_card'] {
  const actions = choicesOf(card ?? {});
  return actions.length === 0 ? null : { message_id: id, actions };
}

/** An agent who answers takes the conversation out of the hands of whoever asked for one. */
export function endsHandoff(before: ConversationRow, after: ConversationRow): boolean {
  return before.needs_human_handoff && !after.needs_human_handoff;
}

/** Keeps what was counted of conversations that this transaction has locked. */
export async function writeCounted(tx: Sql, conversations: readonly ConversationRow[]): Promise<void> {
  const rows = conversations.map((it) => ({
    id: it.id,
    last_message_seq: it.last_message_seq,
    last_public_seq: it.last_public_seq,
    last_message_at: it.last_message_at,
    updated_at: it.updated_at,
    open_card: it.open_card,
    first_response_at: it.first_response_at,
    needs_human_handoff: it.needs_human_handoff,
  }));
  const columns = tx`
    id uuid, last_message_seq bigint, last_public_seq bigint, last_message_at timestamptz, updated_at timestamptz,
    open_card jsonb, first_response_at timestamptz, needs_human_handoff boolean`;
  // The clocks of two machines differ: nobody answers before the conversation began.
  await tx`
    update conversations c set last_message_seq = r.last_message_seq, last_public_seq = r.last_public_seq,
      last_message_at = r.last_message_at, updated_at = r.updated_at, open_card = r.open_card,
      first_response_at = coalesce(c.first_response_at,
        case when r.first_response_at is not null then greatest(r.first_response_at, c.created_at) end),
      needs_human_handoff = r.needs_human_handoff,
      handoff_reason = case when r.needs_human_handoff or not c.needs_human_handoff then c.handoff_reason end,
      handoff_requested_at = case when r.needs_human_handoff then c.handoff_requested_at end
    from ${fewRows(tx, rows, columns)}
    where c.id = r.id`;
}
