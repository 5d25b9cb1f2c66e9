import { type ConversationView, conversationView } from '../views/conversation.ts';
import { type CustomerView, customerView } from '../views/customer.ts';
import { type MessageView, messageView } from '../views/message.ts';

/** What an event shows: the rows as they were in the transaction that recorded it. */
export type EventData = {
  conversation?: ConversationView;
  message?: MessageView;
  customer?: CustomerView | null;
} & Record<string, unknown>;

const VIEWS = {
  conversation: Object.keys(conversationView.shape),
  message: Object.keys(messageView.shape),
  customer: Object.keys(customerView.shape),
} as const;

/** The shortest form that says the same: every event is written twice, and most of a row is null. */
export function packEventData(data: EventData): Record<string, unknown> {
  const packed: Record<string, unknown> = { ...data };
  for (const name of Object.keys(VIEWS)) {
    const view = data[name];
    if (isObject(view)) packed[name] = withoutNulls(view);
  }
  if (isObject(packed['conversation']) && data.conversation?.customer?.id === data.customer?.id) {
    delete packed['conversation']['customer'];
  }
  return packed;
}

/** The data as it was packed: what is missing was null, and a conversation's customer is the event's. */
export function unpackEventData(packed: Record<string, unknown>): EventData {
  const data: Record<string, unknown> = { ...packed };
  for (const [name, columns] of Object.entries(VIEWS)) {
    const view = packed[name];
    if (isObject(view))
      data[name] = Object.fromEntries(columns.map((column) => [column, view[column] ?? null]));
  }
  const conversation = data['conversation'];
  if (isObject(conversation)) conversation['customer'] ??= data['customer'] ?? null;
  return data as EventData;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function withoutNulls(view: Record<string, unknown>): Record<string, unknown> {
  const short: Record<string, unknown> = {};
  for (const key in view) if (view[key] !== null) short[key] = view[key];
  return short;
}
