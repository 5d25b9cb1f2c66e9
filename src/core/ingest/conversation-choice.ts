import { statusEvents } from '../conversations/lifecycle.ts';
import type { ConversationRow } from '../views/conversation.ts';
import type { CustomerRow } from '../views/customer.ts';
import { isRating } from './choices.ts';
import { decide } from './decide.ts';
import { conversationEvent } from './happened.ts';
import { keyOf, type MessageItem } from './item.ts';
import type { PartyState } from './parties.ts';
import { activityMessage, newConversation } from './rows.ts';
import type { State } from './state.ts';
import { type ThreadState, threadKeysOfMessage } from './threads.ts';
import type { Plan, Work } from './work.ts';

/** The conversation that a message goes to: continued, reopened, or opened by it. */
export function conversationFor(item: MessageItem, owner: PartyState, work: Work): ConversationRow {
  const { plan, context } = work;
  const thread = threadOf(item, work.state);
  const current = currentConversation(item, work);
  const { reopen } = item.channel;
  // What the business writes elsewhere goes on where it stands, as an automatic mail does.
  const isPassive = item.inbound.automatic ?? item.inbound.echo ?? false;
  const automatic = isPassive || (current !== undefined && isRating(item, current, work));
  const decision = decide(current, { reopen, automatic, now: context.now });
  if (current === undefined || decision === 'open' || item.inbound.conversation === 'new') {
    return openConversation(item, { thread, owner, work });
  }
  if (decision === 'reopen') reopenConversation(current, ownerOf(current, owner, work), work);
  if (thread.conversation_id === null) pointThread(thread, current, plan);
  if (item.inbound.threadAliases !== undefined) gatherThreads(item, current, work);
  plan.touchedConversations.add(current);
  return current;
}

/** All keys of one person's thread lead to one conversation, which is answered at the newest of them. */
function gatherThreads(item: MessageItem, conversation: ConversationRow, { state, plan }: Work): void {
  const { threadKey, threadAliases = [] } = item.inbound;
  for (const thread of threadsOf(item, state)) {
    if (thread.conversation_id !== conversation.id) pointThread(thread, conversation, plan);
  }
  if (threadAliases.includes(conversation.thread_key ?? '')) {
    conversation.thread_key = threadKey;
    plan.readdressed.add(conversation);
  }
}

function threadsOf({ channel, inbound }: MessageItem, state: State): ThreadState[] {
  const keys = threadKeysOfMessage(inbound);
  const writer = state.parties.get(keyOf(channel.id, (inbound.group ?? inbound.sender).address));
  const isOthers = ({ conversation_id: id }: ThreadState) => {
    const conversation = id === null ? undefined : state.conversations.get(id);
    // Only what stands at one of these addresses tells whose they are: a merged thread leads to somebody else's.
    if (conversation === undefined || !keys.includes(conversation.thread_key ?? '')) return false;
    return conversation.customer_id !== null && conversation.customer_id !== writer?.customer.id;
  };
  return keys.flatMap((key, index) => {
    const thread = state.threads.get(keyOf(channel.id, key));
    return thread === undefined || (index > 0 && isOthers(thread)) ? [] : [thread];
  });
}

function threadOf(item: MessageItem, state: State): ThreadState {
  const thread = state.threads.get(keyOf(item.channel.id, item.inbound.threadKey));
  if (thread === undefined) throw new Error('a thread was not locked');
  return thread;
}

/** The conversation that goes on where the message belongs; undefined when none does. */
export function currentConversation(item: MessageItem, work: Work): ConversationRow | undefined {
  const { state } = work;
  const meant = meantConversation(item, threadOf(item, state), state);
  if (item.inbound.references === undefined) return meant;
  const candidates = [signedConversation(item, state), ...referencedConversations(item, work), meant];
  const known = candidates.filter((one) => one !== undefined);
  return known.find(({ status }) => status !== 'closed') ?? known[0];
}

function signedConversation(item: MessageItem, state: State): ConversationRow | undefined {
  const { conversation } = item.inbound;
  if (typeof conversation !== 'object' || conversation.isSigned !== true) return undefined;
  const named = state.conversations.get(conversation.id);
  return named?.channel_id === item.channel.id ? standing(named, state) : undefined;
}

/** The conversations of the messages that this one refers to, which may have come a moment ago in the same batch. */
function referencedConversations(
  { channel, inbound }: MessageItem,
  { state, plan }: Work,
): ConversationRow[] {
  return (inbound.references ?? []).flatMap((externalId) => {
    const fresh = plan.messages.find((it) => it.external_id === externalId && it.channel_id === channel.id);
    const id = state.answered.get(keyOf(channel.id, externalId)) ?? fresh?.conversation_id;
    const conversation = id === undefined ? undefined : state.conversations.get(id);
    return conversation === undefined ? [] : [standing(conversation, state)];
  });
}

/** The conversation's own customer: in a mail others may join in. */
export function ownerOf(conversation: ConversationRow, writer: PartyState, { state }: Work): CustomerRow {
  const id = conversation.customer_id;
  if (id === null || id === writer.customer.id) return writer.customer;
  const party = [...state.parties.values()].find(({ customer }) => customer.id === id);
  return party?.customer ?? state.owners.get(id) ?? writer.customer;
}

/** What comes in this thread later goes where its first message went. */
function pointThread(thread: ThreadState, { id, customer_id }: ConversationRow, plan: Plan): void {
  thread.conversation_id = id;
  thread.customer_id = customer_id;
  plan.touchedThreads.add(thread);
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
  const known = (item.inbound.threadAliases === undefined ? [thread] : threadsOf(item, state)).flatMap(
    ({ conversation_id: id }) => (id === null ? [] : (state.conversations.get(id) ?? [])),
  );
  return known.find(({ status }) => status !== 'closed') ?? known[0];
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
  pointThread(thread, conversation, plan);
  for (const alias of threadsOf(item, state)) if (alias !== thread) pointThread(alias, conversation, plan);
  plan.newConversations.push(conversation);
  plan.events.push(conversationEvent('conversation.created', conversation, owner.customer));
  return conversation;
}

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
  for (const type of statusEvents(previous, 'open')) {
    const event = conversationEvent(type, conversation, customer);
    plan.events.push({ ...event, data: { ...event.data, previous_status: previous } });
  }
}
