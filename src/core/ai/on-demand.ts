import type { Attachments } from '../attachments.ts';
import { lockConversation, namedConversation } from '../conversations.ts';
import type { Pool, Sql } from '../database/connect.ts';
import { AppError } from '../errors.ts';
import { newId } from '../id.ts';
import type { Writing } from '../messages/queue-message.ts';
import type { Secrets } from '../secrets.ts';
import type { ConversationRow } from '../views/conversation.ts';
import type { Answer } from './answer.ts';
import { type Ask, askHook } from './ask.ts';
import { type AiMode, findAiHook } from './hook.ts';
import { writeQuestion } from './question.ts';
import { type Settled, settle } from './settle.ts';
import { isTakenOver } from './silence.ts';

export interface Asking {
  businessId: string;
  conversationId: string;
  /** Without one, the hook's own. */
  mode?: AiMode | undefined;
}

/** An answer that somebody asked for, and that nothing was done with yet. */
export interface Asked {
  turnId: string;
  businessId: string;
  conversationId: string;
  mode: AiMode;
  lastSeq: number;
  answer: Answer;
}

/** Asks the business's program for an answer now. Refuses where an answer could not be used. */
export async function askOnDemand(
  deps: { pool: Pool; ask: Ask; secrets: Secrets; attachments: Attachments },
  { businessId, conversationId, ...asking }: Asking,
): Promise<Asked> {
  const { pool } = deps;
  const conversation = await namedConversation(pool, businessId, conversationId);
  const hook = await findAiHook(pool, businessId);
  if (hook === undefined) throw new AppError('conflict', 'No AI hook is set.');
  const mode = asking.mode ?? hook.mode;
  if (mode === 'auto') await refuseAutomatic(pool, conversation);
  const turnId = newId();
  const { body, lastSeq } = await writeQuestion(pool, { ...deps, id: turnId, hook, conversationId, mode });
  const signal = new AbortController().signal;
  const answer = await askHook(deps, { hook, id: turnId, body, signal });
  if (answer === undefined) throw new AppError('unavailable', 'The AI was not asked.');
  return { turnId, businessId, conversationId, mode, lastSeq, answer };
}

/** Does what the answer says; a late one is refused. */
export async function settleOnDemand(tx: Sql, asked: Asked, writing: Omit<Writing, 'by'>): Promise<Settled> {
  const { turnId, businessId, conversationId, mode, lastSeq } = asked;
  const conversation = await lockConversation(tx, businessId, conversationId);
  if (mode === 'auto') await refuseAutomatic(tx, conversation);
  const row = {
    id: turnId,
    business_id: businessId,
    conversation_id: conversationId,
    mode,
    last_seq: lastSeq,
  };
  await tx`
    insert into ai_turns ${tx({ ...row, on_demand: true, state: 'asking', asked_at: new Date() })}`;
  const settled = await settle(tx, conversation, { ...asked, writing });
  if (settled.state === 'refused')
    throw new AppError('conflict', 'Somebody has written since, or the conversation is over.');
  return settled;
}

/** By itself the AI answers people only, once, and only where none of ours does. */
async function refuseAutomatic(sql: Sql, conversation: ConversationRow): Promise<void> {
  if (await isTakenOver(sql, conversation))
    throw new AppError('conflict', 'An agent has taken over; the AI may only suggest.');
  const [last] = await sql<{ direction: string; is_automatic: boolean }[]>`
    select direction, metadata @> '{"automatic": true}' as is_automatic from messages
    where conversation_id = ${conversation.id} and seq is not null and direction <> 'internal'
      and (sender_type <> 'system' or metadata ? 'ai')
    order by seq desc limit 1`;
  if (last?.direction !== 'inbound' || last.is_automatic)
    throw new AppError('conflict', 'There is no message of a customer to answer.');
}
