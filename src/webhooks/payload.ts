import type { EventData, EventRow } from '../core/events.ts';
import type { CustomerView } from '../core/views/customer.ts';
import type { MessageView } from '../core/views/message.ts';
import { speakerOf } from '../core/views/support.ts';
import { limitedText } from './shorten.ts';

export type Dialect = 'native' | 'support';

/** What of an event a payload shows. */
export type PayloadEvent = Pick<EventRow, 'id' | 'business_id' | 'occurred_at' | 'data'> & { type: string };

export const PAYLOAD_VERSION = 1;

interface PayloadOptions {
  dialect: Dialect;
  /** Where the whole event can be read, for the payload that has no room for it. */
  wholeUrl(): string | null;
}

/** The exact text that is stored, signed and sent, the same on every try. */
export function payloadOf(event: PayloadEvent, { dialect, wholeUrl }: PayloadOptions): string {
  return limitedText(dialect === 'native' ? nativePayload(event) : supportPayload(event), wholeUrl);
}

function nativePayload(event: PayloadEvent) {
  return {
    id: event.id,
    type: event.type,
    timestamp: event.occurred_at.toISOString(),
    version: PAYLOAD_VERSION,
    business_id: event.business_id,
    data: event.data,
  };
}

/** The second dialect: the printed fields, null where an event has none; other facts of an event go under `data`. */
function supportPayload(event: PayloadEvent) {
  const { conversation, message, customer, ...rest } = event.data;
  const visitor = customer ?? conversation?.customer ?? null;
  return {
    event: event.type,
    timestamp: event.occurred_at.toISOString(),
    conversation: supportConversation(conversation),
    message: message === undefined ? null : supportMessage(message),
    visitor: visitor === null ? null : supportVisitor(visitor),
    ...(Object.keys(rest).length === 0 ? {} : { data: rest }),
  };
}

function supportConversation(conversation: EventData['conversation']) {
  return conversation === undefined ? null : { id: conversation.id, status: conversation.status };
}

function supportMessage(message: MessageView) {
  return { id: message.id, type: speakerOf(message), content: message.card ?? message.content };
}

function supportVisitor(customer: CustomerView) {
  return { id: customer.id, email: customer.email };
}
