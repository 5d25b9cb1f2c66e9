import { z } from 'zod';
import type { Attachments } from '../../core/attachments.ts';
import { mergedFrom } from '../../core/conversations/merge-conversations.ts';
import { listParticipants } from '../../core/conversations/participants.ts';
import type { Sql } from '../../core/database/connect.ts';
import { conversationMessages } from '../../core/messages.ts';
import { type ConversationRow, conversationView, viewConversation } from '../../core/views/conversation.ts';
import type { CustomerRow } from '../../core/views/customer.ts';
import { messageView } from '../../core/views/message.ts';

const participantView = z.object({
  type: z.enum(['customer', 'agent', 'bot']),
  id: z.string().nullable(),
  name: z.string().nullable(),
});

export const conversationDetail = conversationView.extend({
  participants: z.array(participantView),
  merged_from: z.array(z.string()).meta({ description: 'The conversations that were merged into this one.' }),
  agent_read_seq: z.number().int().meta({ description: 'How far agents have read.' }),
  customer_read_seq: z
    .number()
    .int()
    .meta({ description: 'How far the customer has read, where the channel says so.' }),
  messages: z.array(messageView),
  messages_has_more: z.boolean(),
});
export type ConversationDetail = z.infer<typeof conversationDetail>;

/** The conversation with its customer. */
export async function viewWithCustomer(sql: Sql, row: ConversationRow) {
  return viewConversation(row, await customerOf(sql, row));
}

async function customerOf(sql: Sql, { customer_id }: ConversationRow): Promise<CustomerRow | null> {
  if (customer_id === null) return null;
  const [customer] = await sql<CustomerRow[]>`select * from customers where id = ${customer_id}`;
  return customer ?? null;
}

interface DetailOptions {
  attachments: Pick<Attachments, 'mintUrls'>;
  /** Only so many of the newest messages. */
  newest?: number | undefined;
}

/** The conversation with its customer, participants and messages. */
export async function viewDetail(
  sql: Sql,
  row: ConversationRow,
  options: DetailOptions,
): Promise<ConversationDetail> {
  const { messages, hasMore } = await conversationMessages(sql, row.id, options.newest);
  return options.attachments.mintUrls({
    ...(await viewWithCustomer(sql, row)),
    participants: [...(await listParticipants(sql, row))],
    merged_from: await mergedFrom(sql, row),
    agent_read_seq: row.agent_read_seq,
    customer_read_seq: row.customer_read_seq,
    messages,
    messages_has_more: hasMore,
  });
}
