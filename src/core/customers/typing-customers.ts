import type { TypingSign } from '../adapter.ts';
import type { Sql } from '../database/connect.ts';

/** A customer types, or has stopped to, in a conversation. */
export interface CustomerTyping {
  businessId: string;
  conversationId: string;
  userId: string;
  isTyping: boolean;
}

/** The conversations that customers are typing in; a thread that leads to none is left out. */
export async function typingCustomers(
  sql: Sql,
  channelId: string,
  signs: TypingSign[],
): Promise<CustomerTyping[]> {
  const keys = signs.map(({ threadKey }) => threadKey);
  const rows = await sql<(Omit<CustomerTyping, 'isTyping'> & { threadKey: string })[]>`
    select t.thread_key as "threadKey", c.id as "conversationId", c.business_id as "businessId",
      c.customer_id as "userId"
    from threads t join conversations c on c.id = t.conversation_id
    where t.channel_id = ${channelId} and t.thread_key = any(${keys}) and c.customer_id is not null`;
  return rows.map(({ threadKey, ...typing }) => ({
    ...typing,
    isTyping: signs.findLast((sign) => sign.threadKey === threadKey)?.isTyping === true,
  }));
}
