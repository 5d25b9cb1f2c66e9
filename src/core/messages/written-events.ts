import type { EventData } from '../events/event-data.ts';
import type { EventType, NewEvent } from '../events.ts';
import { laneKey } from '../lanes/lane-key.ts';
import { viewConversation } from '../views/conversation.ts';
import { viewCustomer } from '../views/customer.ts';
import { type MessageRow, viewMessage } from '../views/message.ts';
import { endsHandoff } from './count-message.ts';
import type { Plan } from './plan-message.ts';

/** What there is to tell of a message that was written: it wakes the lanes that have something to do for it. */
export function eventsOf(plan: Plan): NewEvent[] {
  const { message, before, after, isSent, entry, fetches } = plan;
  const { causedBy } = entry.by;
  const isDue = message.status === 'queued' && !isSent;
  const events: NewEvent[] = [];
  if (endsHandoff(before, after))
    events.push(event(plan, 'conversation.updated', { changed: ['needs_human_handoff'] }));
  events.push({
    ...event(plan, 'message.created', shown(plan, message)),
    messageId: message.id,
    wakes: [...(isDue ? [laneKey('send', message.conversation_id)] : []), ...fetches],
    ...(causedBy === undefined ? {} : { causedBy }),
  });
  if (isSent)
    events.push({ ...event(plan, 'message.sent', shown(plan, sentMessage(message))), messageId: message.id });
  return events;
}

/** The message as it is once it went over our own sockets. */
export function sentMessage<Message extends MessageRow>(message: Message): Message {
  return { ...message, status: 'sent', next_attempt_at: null, sent_at: message.created_at };
}

function shown({ files }: Plan, message: MessageRow): EventData {
  return { message: viewMessage(message, { attachments: files }) };
}

function event({ after }: Plan, type: EventType, data: EventData): NewEvent {
  const { customer } = after;
  return {
    type,
    businessId: after.business_id,
    conversationId: after.id,
    customerId: after.customer_id,
    data: {
      conversation: viewConversation(after, customer),
      ...(customer === null ? {} : { customer: viewCustomer(customer) }),
      ...data,
    },
  };
}
