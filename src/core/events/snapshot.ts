import type { Sql } from '../database/connect.ts';
import type { EventData } from '../events.ts';
import { type ConversationRow, viewConversation } from '../views/conversation.ts';
import { type CustomerRow, viewCustomer } from '../views/customer.ts';
import { type AttachmentRow, type MessageRow, viewMessage } from '../views/message.ts';

interface Subject {
  conversationId?: string | null | undefined;
  messageId?: string | null | undefined;
  customerId?: string | null | undefined;
}

/** What an event shows of its subject: the rows as they are in this transaction. */
export async function snapshot(tx: Sql, subject: Subject): Promise<EventData> {
  const message = await loadMessage(tx, subject.messageId);
  const conversation = await loadConversation(tx, subject.conversationId ?? message?.conversation_id);
  const customer = await loadCustomer(tx, subject.customerId ?? conversation?.customer_id);
  return {
    ...(conversation === undefined ? {} : { conversation: viewConversation(conversation, customer ?? null) }),
    ...(message === undefined ? {} : { message: viewMessage(message, await attachmentsOf(tx, message.id)) }),
    ...(customer === undefined ? {} : { customer: viewCustomer(customer) }),
  };
}

async function loadMessage(tx: Sql, id: string | null | undefined): Promise<MessageRow | undefined> {
  if (id === null || id === undefined) return undefined;
  const [row] = await tx<MessageRow[]>`select * from messages where id = ${id}`;
  return row;
}

async function loadConversation(
  tx: Sql,
  id: string | null | undefined,
): Promise<ConversationRow | undefined> {
  if (id === null || id === undefined) return undefined;
  const [row] = await tx<ConversationRow[]>`select * from conversations where id = ${id}`;
  return row;
}

async function loadCustomer(tx: Sql, id: string | null | undefined): Promise<CustomerRow | undefined> {
  if (id === null || id === undefined) return undefined;
  const [row] = await tx<CustomerRow[]>`select * from customers where id = ${id}`;
  return row;
}

async function attachmentsOf(tx: Sql, messageId: string): Promise<{ attachments: AttachmentRow[] }> {
  const attachments = await tx<AttachmentRow[]>`
    select id, message_id, name, content_type, size_bytes, width, height, error, state
    from attachments where message_id = ${messageId} order by position`;
  return { attachments };
}
