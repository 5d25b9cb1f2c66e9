import { requestHandoff } from '../conversations/handoff.ts';
import type { Sql } from '../database/connect.ts';
import { SYSTEM } from '../messages/author.ts';
import { queueMessage, type Writing } from '../messages/queue-message.ts';
import type { ConversationRow } from '../views/conversation.ts';
import type { Answer } from './answer.ts';
import { announceDraft } from './drafts.ts';
import type { AiMode } from './hook.ts';
import { isTakenOver } from './silence.ts';

/** What came of a turn. */
export type TurnState = 'sent' | 'drafted' | 'handed_off' | 'silent' | 'refused' | 'failed';

export interface Settling {
  turnId: string;
  mode: AiMode;
  /** The newest public message that the answer had seen. */
  lastSeq: number;
  answer: Answer;
}

export interface Settled {
  state: TurnState;
  messageId: string | null;
}

const NO_MESSAGE = { messageId: null };

/** Does what an answer says, in a conversation that this transaction has locked and that has not moved on since. */
export async function settle(
  tx: Sql,
  conversation: ConversationRow,
  { writing, ...settling }: Settling & { writing: Omit<Writing, 'by'> },
): Promise<Settled> {
  const { turnId, mode, answer } = settling;
  const late = await lateness(tx, conversation, settling);
  if (late !== undefined) return close(tx, turnId, { state: late, ...NO_MESSAGE });
  const { reply, confidence, needsHandoff, reason, failure } = answer;
  if (mode === 'auto' && needsHandoff) await handOff(tx, conversation, { writing, answer });
  if (failure !== undefined) return close(tx, turnId, { state: 'failed', reason: failure, ...NO_MESSAGE });
  if (reply === null) {
    return close(tx, turnId, { state: needsHandoff ? 'handed_off' : 'silent', reason, ...NO_MESSAGE });
  }
  if (mode === 'assist' || needsHandoff) {
    const drafted = await close(tx, turnId, { state: 'drafted', reply, confidence, reason, ...NO_MESSAGE });
    await announceDraft(tx, conversation, turnId);
    return drafted;
  }
  const draft = { content: reply, metadata: { ai: { confidence } } };
  const message = await queueMessage(tx, conversation, { ...writing, by: SYSTEM, draft });
  return close(tx, turnId, { state: 'sent', confidence, messageId: message.id });
}

/** What becomes of an answer that came too late to say anything; undefined where it did not. */
async function lateness(
  tx: Sql,
  conversation: ConversationRow,
  settling: Settling,
): Promise<'refused' | 'silent' | undefined> {
  if (await hasMovedOn(tx, conversation, settling)) return 'refused';
  return settling.mode === 'auto' && (await isTakenOver(tx, conversation)) ? 'silent' : undefined;
}

/**
 * Whether somebody has written since, or it is over. What a rule says by itself (a greeting, a note that nobody is there)
 * answers no question, nor does a program that says its owner is away; another answer of the AI does.
 */
async function hasMovedOn(
  tx: Sql,
  { id, status, merged_into_id }: ConversationRow,
  { lastSeq }: Settling,
): Promise<boolean> {
  if (merged_into_id !== null || status === 'resolved' || status === 'closed') return true;
  const newer = await tx`
    select 1 from messages
    where conversation_id = ${id} and seq > ${lastSeq} and direction <> 'internal'
      and (sender_type <> 'system' or metadata ? 'ai') and not metadata @> '{"automatic": true}'
    limit 1`;
  return newer.length > 0;
}

/** Flags the conversation and tells its agents why. That nothing answered is no better reason than the one before. */
async function handOff(
  tx: Sql,
  conversation: ConversationRow,
  { writing, answer }: { writing: Omit<Writing, 'by'>; answer: Answer },
): Promise<void> {
  if (conversation.needs_human_handoff && answer.failure !== undefined) return;
  const { reason, reply, confidence, failure } = answer;
  const flagged = await requestHandoff(tx, conversation, { reason, by: SYSTEM });
  if (flagged === conversation) return;
  const why = failure ?? (reply === null ? undefined : `${Math.floor(confidence * 100)} % sure`);
  await queueMessage(tx, flagged, {
    ...writing,
    by: SYSTEM,
    draft: {
      note: true,
      content: `The AI hands over to a person: ${reason}${why === undefined ? '' : ` (${why})`}.`,
      metadata: { ai: { confidence, reason } },
    },
  });
}

interface Closing extends Settled {
  reply?: string;
  confidence?: number;
  reason?: string | null;
}

async function close(tx: Sql, turnId: string, { messageId, ...fields }: Closing): Promise<Settled> {
  await tx`
    update ai_turns set ${tx({ ...fields, sent_message_id: messageId } as never)}, finished_at = now() where id = ${turnId}`;
  return { state: fields.state, messageId };
}
