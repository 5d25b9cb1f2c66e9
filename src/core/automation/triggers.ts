import type { EventType } from '../events.ts';

/** The events that set a rule going. */
const EVENT_TRIGGERS = {
  'conversation.created': 'A conversation began',
  'conversation.updated': 'Fields changed that have no event of their own',
  'conversation.assigned': 'It was given to an agent or a team',
  'conversation.unassigned': 'It was taken back',
  'conversation.status_changed': 'Its status changed, whatever to',
  'conversation.snoozed': 'It was put off until later',
  'conversation.unsnoozed': 'It came back from being put off',
  'conversation.resolved': 'It was resolved',
  'conversation.closed': 'It was closed',
  'conversation.reopened': 'It was opened again',
  'conversation.tags_changed': 'Tags were added or removed',
  'conversation.handoff_requested': 'A person is asked to take over',
  'conversation.merged': 'It was merged into another one',
  'message.received': 'A customer wrote',
  'message.created': 'Somebody on our side wrote, a note too',
  'message.sent': 'The provider took a message',
  'message.delivered': 'A message reached the customer',
  'message.read': 'The customer read a message',
  'message.failed': 'A message could not be sent',
  'message.updated': 'A message changed, such as by an edit or a reaction',
  'message.deleted': 'A message was taken back',
  'customer.created': 'A customer is known',
  'customer.updated': 'A customer changed',
  'customer.merged': 'Two customers turned out to be one',
} as const satisfies Partial<Record<EventType, string>>;

/** What sets a rule going when nothing happens for its minutes. */
export const TIME_TRIGGERS = {
  'conversation.unanswered':
    'A customer has waited for an answer of an agent, a bot or the AI for so many minutes',
  'conversation.unassigned_for': 'Nobody has had a conversation for so many minutes',
} as const;

export const TRIGGERS = { ...EVENT_TRIGGERS, ...TIME_TRIGGERS };
export type TimeTrigger = keyof typeof TIME_TRIGGERS;
export type Trigger = keyof typeof TRIGGERS;

/** Whether a rule of this trigger is set going by time. */
export function isTimeTrigger(trigger: Trigger): trigger is TimeTrigger {
  return trigger in TIME_TRIGGERS;
}

/** Whether a rule of this trigger is about messages: what it judges, and what it is tried on. */
export function isOfMessages(trigger: Trigger): boolean {
  return trigger.startsWith('message.') || trigger === 'conversation.unanswered';
}
