import type { EventData } from '../events.ts';
import { isOfMessages, type Trigger } from './triggers.ts';

/** What a rule judges: a conversation, its customer and a message, as an event shows them. */
export type Facts = Pick<EventData, 'conversation' | 'customer' | 'message'>;

interface Field {
  about: string;
  read(facts: Facts): unknown;
}

const MESSAGE_FIELDS: Record<string, Field> = {
  'message.content': { about: 'Its text', read: ({ message }) => message?.content },
  'message.type': { about: 'text, attachment, card, note, …', read: ({ message }) => message?.type },
  'message.direction': {
    about: 'inbound, outbound or internal',
    read: ({ message }) => message?.direction,
  },
  'message.sender_type': {
    about: 'customer, agent, bot or system',
    read: ({ message }) => message?.sender_type,
  },
  'message.sender_id': { about: 'The agent who wrote it', read: ({ message }) => message?.sender_id },
  'message.subject': { about: 'Of a mail', read: ({ message }) => message?.email?.subject },
  'message.has_attachments': {
    about: 'true or false',
    read: ({ message }) => (message === undefined ? undefined : message.attachments.length > 0),
  },
  'message.choice': {
    about: 'The action that was chosen of a card',
    read: ({ message }) => message?.choice?.action,
  },
  'message.automatic': {
    about: 'true for a mail that a program wrote',
    read: ({ message }) => (message === undefined ? undefined : message.metadata['automatic'] === true),
  },
  'message.error_code': { about: 'Why it could not be sent', read: ({ message }) => message?.error?.code },
};

const CONVERSATION_FIELDS: Record<string, Field> = {
  'conversation.status': {
    about: 'open, pending, snoozed, resolved or closed',
    read: ({ conversation }) => conversation?.status,
  },
  'conversation.subject': { about: 'Its subject', read: ({ conversation }) => conversation?.subject },
  'conversation.priority': {
    about: 'low, normal, high or urgent',
    read: ({ conversation }) => conversation?.priority,
  },
  'conversation.tags': { about: 'Its tags', read: ({ conversation }) => conversation?.tags },
  'conversation.channel_type': {
    about: 'webchat, telegram, email, …',
    read: ({ conversation }) => conversation?.channel_type,
  },
  'conversation.channel_id': { about: 'Its channel', read: ({ conversation }) => conversation?.channel_id },
  'conversation.assignee_id': {
    about: 'The agent who has it',
    read: ({ conversation }) => conversation?.assignee_id,
  },
  'conversation.team_id': {
    about: 'The team that has it',
    read: ({ conversation }) => conversation?.team_id,
  },
  'conversation.needs_human_handoff': {
    about: 'true while it waits for a person',
    read: ({ conversation }) => conversation?.needs_human_handoff,
  },
  'conversation.handoff_reason': {
    about: 'Why it waits for a person',
    read: ({ conversation }) => conversation?.handoff_reason,
  },
};

const VISITOR_FIELDS: Record<string, Field> = {
  'visitor.id': { about: 'The customer', read: ({ customer }) => customer?.id },
  'visitor.name': { about: 'Their name', read: ({ customer }) => customer?.name },
  'visitor.email': { about: 'Their first email', read: ({ customer }) => customer?.email },
  'visitor.phone': { about: 'Their first phone number', read: ({ customer }) => customer?.phone },
  'visitor.external_id': { about: 'Your own id of them', read: ({ customer }) => customer?.external_id },
};

const FIELDS: Record<string, Field> = { ...MESSAGE_FIELDS, ...CONVERSATION_FIELDS, ...VISITOR_FIELDS };

/** Each field that a condition may name, with a line that says what it holds. */
export const FIELD_LINES: Record<string, string> = {
  ...Object.fromEntries(Object.entries(FIELDS).map(([name, { about }]) => [name, about])),
  'visitor.X': 'Any other name is a custom attribute of the customer; customer. is the same word',
  'conversation.custom_attributes.X': 'A custom attribute of the conversation',
};

// In the words of either dialect; of a customer the bare name will do.
const ATTRIBUTE =
  /^(?:(visitor)\.(?:custom(?:_a|A)ttributes\.)?|(conversation)\.custom(?:_a|A)ttributes\.)(.{1,100})$/;

/** What reads a field; undefined for a name that is none. */
export function fieldNamed(name: string): ((facts: Facts) => unknown) | undefined {
  const native = name.replace(/^customer\./, 'visitor.');
  const known = FIELDS[native] ?? FIELDS[native.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)];
  if (known !== undefined) return known.read;
  const [, visitor, conversation, attribute = ''] = ATTRIBUTE.exec(native) ?? [];
  if (visitor === undefined && conversation === undefined) return undefined;
  return (facts) => {
    const subject = visitor === undefined ? facts.conversation : facts.customer;
    const attributes = subject?.custom_attributes ?? {};
    return Object.hasOwn(attributes, attribute) ? attributes[attribute] : undefined;
  };
}

/** Whether the events of a trigger show what the field is of: a condition on anything else would hold never, or always. */
export function isShownBy(trigger: Trigger, field: string): boolean {
  if (field.startsWith('message.')) return isOfMessages(trigger);
  return !field.startsWith('conversation.') || !trigger.startsWith('customer.');
}
