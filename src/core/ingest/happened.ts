import type { EventData, EventType, NewEvent } from '../events.ts';
import { laneKey } from '../lanes/lane-key.ts';
import { type ConversationRow, viewConversation } from '../views/conversation.ts';
import { type CustomerRow, viewCustomer } from '../views/customer.ts';
import { type MessageRow, viewMessage } from '../views/message.ts';
import type { PlannedAttachment } from './rows.ts';

interface Happened {
  conversation: ConversationRow;
  customer: CustomerRow;
  message: MessageRow;
  attachments: PlannedAttachment[];
}

/** An event of a message, with the lanes that fetch its attachments. */
export function messageEvent(
  type: EventType,
  { conversation, customer, message, attachments }: Happened,
): NewEvent {
  const event = conversationEvent(type, conversation, customer);
  return {
    ...event,
    messageId: message.id,
    data: { ...event.data, message: viewMessage(message, { attachments }) },
    wakes: fetches(attachments),
  };
}

/** The lanes of the attachments that are still to be fetched. */
export function fetches(attachments: PlannedAttachment[]): string[] {
  return attachments.filter((it) => it.state === 'pending').map((it) => laneKey('fetch', it.id));
}

/** An event of a conversation, as it is at this point of the plan. */
export function conversationEvent(
  type: EventType,
  conversation: ConversationRow,
  customer: CustomerRow,
): NewEvent {
  const data: EventData = {
    conversation: viewConversation(conversation, customer),
    customer: viewCustomer(customer),
  };
  return {
    type,
    businessId: conversation.business_id,
    conversationId: conversation.id,
    customerId: customer.id,
    data,
  };
}
