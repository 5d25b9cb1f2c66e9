import type { Context } from 'hono';
import { lockConversation } from '../core/conversations.ts';
import type { Sql } from '../core/database/connect.ts';
import { type Author, authorOf } from '../core/messages/author.ts';
import type { ConversationRow } from '../core/views/conversation.ts';
import type { ApiEnv } from './deps.ts';
import { commitAnswer } from './idempotency.ts';

/** What somebody does to a locked conversation; what it resolves with is the answer. */
export type Act<T> = (tx: Sql, conversation: ConversationRow, by: Author) => Promise<T>;

/** Does something to the conversation of the path, and keeps the answer with it. */
export function act<T>(c: Context<ApiEnv>, status: number, work: Act<T>): Promise<T> {
  const { actor } = c.var;
  return commitAnswer(c, status, async (tx) => {
    const conversation = await lockConversation(tx, actor.businessId, c.req.param('id') ?? '');
    return work(tx, conversation, await authorOf(tx, actor));
  });
}
