import type { Sql } from '../database/connect.ts';
import type { EventData } from '../events.ts';
import { type ConversationRow, viewConversation } from '../views/conversation.ts';
import { type CustomerRow, viewCustomer } from '../views/customer.ts';
import { type AttachmentRow, type MessageRow, viewMessage } from '../views/message.ts';

interface Subject {
  conversationId?: string | null | undefined;
  messageId?: string | null | undefined;
  /** The message itself, where it is at hand. */
  message?: MessageRow | undefined;
  customerId?: string | null | undefined;
}

/** What an event shows of its subject: the rows as they are in this transaction. */
export async function snapshot(tx: Sql, subject: Subject): Promise<EventData> {
  const { message: known, customerId = null } = subject;
  const messageId = known?.id ?? subject.messageId ?? null;
  const conversationId = known?.conversation_id ?? subject.conversationId ?? null;
  const ofMessage = tx`coalesce(${conversationId}::uuid, (select conversation_id from messages where id = ${messageId}::uuid))`;
  const ofConversation = tx`coalesce(${customerId}::uuid, (select customer_id from conversations where id = ${ofMessage}))`;
  // None waits for another's answer.
  const [[message], attachments, [conversation], [customer]] = await Promise.all([
    known !== undefined || messageId === null
      ? [known]
      : tx<MessageRow[]>`
          select m.*, coalesce(w.merged_into_id, m.customer_id) as customer_id
          from messages m left join customers w on w.id = m.customer_id where m.id = ${messageId}`,
    // A text has no files.
    known?.type === 'text' || messageId === null ? [] : attachmentsOf(tx, messageId),
    tx<ConversationRow[]>`select * from conversations where id = ${ofMessage}`,
    tx<CustomerRow[]>`select * from customers where id = ${ofConversation}`,
  ]);
  return {
    ...(conversation === undefined ? {} : { conversation: viewConversation(conversation, customer ?? null) }),
    ...(message === undefined ? {} : { message: viewMessage(message, { attachments }) }),
    ...(customer === undefined ? {} : { customer: viewCustomer(customer) }),
  };
}

function attachmentsOf(tx: Sql, messageId: string) {
  return tx<AttachmentRow[]>`
    select id, message_id, name, content_type, size_bytes, width, height, error, state
    from attachments where message_id = ${messageId} order by position`;
}
