import type { EventType } from '../events.ts';
import type { ConversationRow } from '../views/conversation.ts';
import type { CustomerRow } from '../views/customer.ts';
import { decide } from './decide.ts';
import { conversationEvent } from './happened.ts';
import { keyOf } from './item.ts';
import type { PartyState } from './parties.ts';
import { activityMessage, newConversation } from './rows.ts';
import type { State } from './state.ts';
import type { ThreadState } from './threads.ts';
import type { MessageItem, Work } from './work.ts';

/** The conversation that a message goes to: continued, reopened, or opened by it. */
export function conversationFor(item: MessageItem, owner: PartyState, work: Work): ConversationRow {
  const { state, plan, context } = work;
  const thread = threadOf(item, state);
  const current = meantConversation(item, thread, state);
  const { reopen } = item.channel;
  const decision = decide(current, { reopen, automatic: item.inbound.automatic ?? false, now: context.now });
  if (current === undefined || decision === 'open' || item.inbound.conversation === 'new') {
    return openConversation(item, { thread, owner, work });
  }
  if (decision === 'reopen') reopenConversation(current, owner.customer, work);
  plan.touchedConversations.add(current);
  return current;
}

function threadOf(item: MessageItem, state: State): ThreadState {
  const thread = state.threads.get(keyOf(item.channel.id, item.inbound.threadKey));
  if (thread === undefined) throw new Error('a thread was not locked');
  return thread;
}

/** The conversation that the sender names, when it is one of this thread's channel and customer; else the thread's own. */
function meantConversation(
  item: MessageItem,
  thread: ThreadState,
  state: State,
): ConversationRow | undefined {
  const { conversation } = item.inbound;
  if (typeof conversation === 'object') {
    const named = state.conversations.get(conversation.id);
    if (named?.channel_id === item.channel.id && named.thread_key === thread.thread_key)
      return standing(named, state);
  }
  return thread.conversation_id === null ? undefined : state.conversations.get(thread.conversation_id);
}

/** What was merged is written to where it was merged into. */
function standing(named: ConversationRow, state: State): ConversationRow {
  let conversation = named;
  while (conversation.merged_into_id !== null) {
    const into = state.conversations.get(conversation.merged_into_id);
    // Merged while this batch was looked up: a second look finds where it went.
    if (into === undefined) throw new Error('a conversation was merged meanwhile');
    conversation = into;
  }
  return conversation;
}

interface Opening {
  thread: ThreadState;
  owner: PartyState;
  work: Work;
}

function openConversation(item: MessageItem, { thread, owner, work }: Opening): ConversationRow {
  const { state, plan, context } = work;
  const conversation = newConversation(item, owner.customer, context.now);
  state.conversations.set(conversation.id, conversation);
  thread.conversation_id = conversation.id;
  thread.customer_id = owner.customer.id;
  plan.touchedThreads.add(thread);
  plan.newConversations.push(conversation);
  plan.events.push(conversationEvent('conversation.created', conversation, owner.customer));
  return conversation;
}

const REOPENED_AS: Record<string, EventType> = { snoozed: 'conversation.unsnoozed' };

function reopenConversation(
  conversation: ConversationRow,
  customer: CustomerRow,
  { plan, context }: Work,
): void {
  const previous = conversation.status;
  Object.assign(conversation, {
    status: 'open',
    snoozed_until: null,
    resolved_at: null,
    closed_at: null,
    updated_at: context.now,
  });
  const activity = activityMessage(conversation, { from: previous, now: context.now });
  conversation.last_message_seq += 1;
  plan.messages.push(activity);
  for (const type of [
    REOPENED_AS[previous] ?? 'conversation.reopened',
    'conversation.status_changed',
  ] as const) {
    const event = conversationEvent(type, conversation, customer);
    plan.events.push({ ...event, data: { ...event.data, previous_status: previous } });
  }
}
