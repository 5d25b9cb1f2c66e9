import type { Sql } from './database/connect.ts';

/** Whether the customer's newest message may be answered by a program: two programs that answer each other never stop. */
export async function mayAnswerAutomatically(sql: Sql, conversationId: string): Promise<boolean> {
  const [newest] = await sql<{ metadata: Record<string, unknown> }[]>`
    select metadata from messages
    where conversation_id = ${conversationId} and direction = 'inbound' order by seq desc limit 1`;
  return newest?.metadata['automatic'] !== true && newest?.metadata['no_auto_reply'] !== true;
}
