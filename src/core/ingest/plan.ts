import type { AttachmentRef, InboundMessage, Sender } from '../envelope.ts';
import type { EventData, EventType, NewEvent } from '../events.ts';
import { type ConversationRow, viewConversation } from '../views/conversation.ts';
import { type CustomerRow, viewCustomer } from '../views/customer.ts';
import { type MessageRow, viewMessage } from '../views/message.ts';
import { decide } from './decide.ts';
import { type Accepted, groupKeyOf, type Item, keyOf } from './item.ts';
import type { PartyState } from './parties.ts';
import {
  activityMessage,
  customerMessage,
  newAttachment,
  newConversation,
  type PlannedAttachment,
} from './rows.ts';
import type { State } from './state.ts';
import type { ThreadState } from './threads.ts';

/** Everything that a batch's messages change, decided without asking the database again. */
export interface Plan {
  newCustomers: CustomerRow[];
  filledCustomers: Set<CustomerRow>;
  newConversations: ConversationRow[];
  touchedConversations: Set<ConversationRow>;
  touchedThreads: Set<ThreadState>;
  messages: MessageRow[];
  attachments: PlannedAttachment[];
  claimedUploads: PlannedAttachment[];
  /** Further items of albums whose message was stored by an earlier batch. */
  albumAdditions: AlbumAddition[];
  /** Further items of albums, under the provider's ids by which edits, reactions and replies name them. */
  albumIds: ProviderIdRow[];
  /** Replies to what is not known, or not yet: a send of ours may be about to name it. */
  parkedReplies: { channelId: string; externalId: string; messageId: string }[];
  events: NewEvent[];
  accepted: Map<Item, Accepted>;
  /** Customers of each request, for erasure. */
  customerOf: Map<string, string>;
}

interface ProviderIdRow {
  channel_id: string;
  external_id: string;
  message_id: string;
}

export interface AlbumAddition {
  item: Item;
  inbound: InboundMessage;
  messageId: string;
}

export interface PlanContext {
  now: Date;
  /** Encrypts an attachment's reference for its row. */
  sealSource(businessId: string, attachmentId: string, ref: AttachmentRef): string;
}

/** Decides what a batch's fresh messages become. The rows in `state` are brought up to date in place. */
export function planMessages(items: Item[], state: State, context: PlanContext): Plan {
  const plan = emptyPlan();
  const albums = new Map<string, MessageRow>();
  for (const item of items) {
    if (item.inbound.kind !== 'message') continue;
    planMessage({ ...item, inbound: item.inbound, key: item }, { state, plan, albums, context });
  }
  return plan;
}

interface MessageItem extends Item {
  inbound: InboundMessage;
  /** The item as the caller knows it. */
  key: Item;
}

interface Work {
  state: State;
  plan: Plan;
  albums: Map<string, MessageRow>;
  context: PlanContext;
}

function planMessage(item: MessageItem, work: Work): void {
  const { state, plan } = work;
  const party = state.parties.get(keyOf(item.channel.id, item.inbound.sender.address));
  if (party !== undefined && !party.isNew) plan.customerOf.set(item.request.id, party.customer.id);
  const eventKey = keyOf(item.channel.id, item.inbound.externalEventId);
  if (!state.fresh.delete(eventKey)) {
    plan.accepted.set(item.key, duplicateOf(eventKey, item, work));
    return;
  }
  const album = groupKeyOf(item.inbound);
  const albumKey = album === undefined ? undefined : keyOf(item.channel.id, album);
  const begun = albumKey === undefined ? undefined : work.albums.get(albumKey);
  if (begun !== undefined) {
    nameAlbumItem(item, begun.id, plan);
    plan.accepted.set(item.key, addToAlbum(item, begun, work));
    return;
  }
  const stored = albumKey === undefined ? undefined : state.known.get(albumKey);
  if (typeof stored === 'string') {
    nameAlbumItem(item, stored, plan);
    plan.albumAdditions.push({ item: item.key, inbound: item.inbound, messageId: stored });
    plan.accepted.set(item.key, {
      duplicate: false,
      messageId: stored,
      conversationId: undefined,
      seq: undefined,
    });
    return;
  }
  const message = storeMessage(item, work);
  if (albumKey !== undefined) work.albums.set(albumKey, message);
  plan.accepted.set(item.key, acceptedAs(message));
}

function storeMessage(item: MessageItem, work: Work): MessageRow {
  const { plan, context } = work;
  const sender = partyOf(item, item.inbound.sender, work);
  const owner = item.inbound.group === undefined ? sender : partyOf(item, item.inbound.group, work);
  plan.customerOf.set(item.request.id, sender.customer.id);
  const conversation = conversationFor(item, owner, work);
  const message = customerMessage(item, { conversation, sender: sender.customer, now: context.now });
  message.reply_to_id = replyOf(item, message, work);
  const attachments = attachmentsFor(item, message, work);
  count(conversation, message, context.now);
  plan.messages.push(message);
  plan.touchedConversations.add(conversation);
  plan.events.push(
    messageEvent('message.received', { conversation, customer: owner.customer, message, attachments }),
  );
  return message;
}

/** The party as known, filled with what the channel says of it now. */
function partyOf(item: MessageItem, sender: Sender, { state, plan, context }: Work): PartyState {
  const party = state.parties.get(keyOf(item.channel.id, sender.address));
  if (party === undefined) throw new Error('a sender was not locked');
  const { customer } = party;
  if (party.isNew) {
    party.isNew = false;
    plan.newCustomers.push(customer);
    plan.events.push(customerEvent('customer.created', customer));
  } else if (fillCustomer(customer, sender, context.now)) {
    plan.filledCustomers.add(customer);
    plan.events.push(customerEvent('customer.updated', customer));
  }
  return party;
}

/** Fills what is empty, never what somebody wrote. */
function fillCustomer(customer: CustomerRow, sender: Sender, now: Date): boolean {
  let filled = false;
  for (const field of ['name', 'email', 'phone'] as const) {
    const value = sender[field];
    if (value === undefined || value === '' || customer[field] !== null) continue;
    customer[field] = value;
    filled = true;
  }
  if (filled) customer.updated_at = now;
  return filled;
}

function conversationFor(item: MessageItem, owner: PartyState, work: Work): ConversationRow {
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
    if (named?.channel_id === item.channel.id && named.thread_key === thread.thread_key) return named;
  }
  return thread.conversation_id === null ? undefined : state.conversations.get(thread.conversation_id);
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

function count(conversation: ConversationRow, message: MessageRow, now: Date): void {
  conversation.last_message_seq += 1;
  conversation.last_public_seq = conversation.last_message_seq;
  conversation.unread_count += 1;
  conversation.last_message_at = now;
  conversation.updated_at = now;
  message.seq = conversation.last_message_seq;
}

function replyOf(item: MessageItem, message: MessageRow, { state, plan }: Work): string | null {
  const externalId = item.inbound.replyToExternalId;
  if (externalId === undefined) return null;
  const channelId = item.channel.id;
  const known = state.replies.get(keyOf(channelId, externalId));
  if (known !== undefined) return known;
  const fresh = plan.messages.find((it) => it.external_id === externalId && it.channel_id === channelId);
  if (fresh === undefined) plan.parkedReplies.push({ channelId, externalId, messageId: message.id });
  return fresh?.id ?? null;
}

function attachmentsFor(item: MessageItem, message: MessageRow, work: Work, from = 0): PlannedAttachment[] {
  const { state, plan, context } = work;
  return (item.inbound.attachments ?? []).flatMap((ref, index) => {
    const place = { message, position: from + index };
    if (ref.uploadId !== undefined) {
      const upload = state.uploads.get(ref.uploadId);
      if (upload === undefined) return [];
      state.uploads.delete(ref.uploadId);
      const claimed = {
        ...newAttachment(ref, place),
        ...upload,
        message_id: message.id,
        state: 'ready' as const,
      };
      plan.claimedUploads.push(claimed);
      return [claimed];
    }
    const attachment = newAttachment(ref, place);
    attachment.source = context.sealSource(message.business_id, attachment.id, ref);
    plan.attachments.push(attachment);
    return [attachment];
  });
}

function nameAlbumItem({ channel, inbound }: MessageItem, messageId: string, plan: Plan): void {
  if (inbound.externalId === undefined) return;
  plan.albumIds.push({ channel_id: channel.id, external_id: inbound.externalId, message_id: messageId });
}

/** A further item of an album whose message began in this batch. */
function addToAlbum(item: MessageItem, message: MessageRow, work: Work): Accepted {
  const event = work.plan.events.find((it) => it.messageId === message.id && it.type === 'message.received');
  const before = event?.data.message?.attachments.length ?? 0;
  const added = attachmentsFor(item, message, work, before);
  if (message.content === '' && item.inbound.content !== '') message.content = item.inbound.content;
  if (event?.data.message !== undefined) {
    event.data.message.content = message.content;
    event.data.message.attachments.push(...viewMessage(message, { attachments: added }).attachments);
    event.wakes = [...(event.wakes ?? []), ...fetches(added)];
  }
  return acceptedAs(message);
}

function duplicateOf(eventKey: string, item: Item, { state, plan }: Work): Accepted {
  for (const [other, accepted] of plan.accepted) {
    if (keyOf(other.channel.id, other.inbound.externalEventId) === eventKey && other !== item) {
      return { ...accepted, duplicate: true };
    }
  }
  const messageId = state.known.get(eventKey) ?? undefined;
  return { duplicate: true, messageId, conversationId: undefined, seq: undefined };
}

function acceptedAs(message: MessageRow): Accepted {
  return {
    duplicate: false,
    messageId: message.id,
    conversationId: message.conversation_id,
    seq: message.seq ?? undefined,
  };
}

interface Happened {
  conversation: ConversationRow;
  customer: CustomerRow;
  message: MessageRow;
  attachments: PlannedAttachment[];
}

function messageEvent(type: EventType, { conversation, customer, message, attachments }: Happened): NewEvent {
  const event = conversationEvent(type, conversation, customer);
  return {
    ...event,
    messageId: message.id,
    data: { ...event.data, message: viewMessage(message, { attachments }) },
    wakes: fetches(attachments),
  };
}

function fetches(attachments: PlannedAttachment[]): string[] {
  return attachments.filter((it) => it.state === 'pending').map((it) => `fetch:${it.id}`);
}

function conversationEvent(type: EventType, conversation: ConversationRow, customer: CustomerRow): NewEvent {
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

function customerEvent(type: EventType, customer: CustomerRow): NewEvent {
  return {
    type,
    businessId: customer.business_id,
    customerId: customer.id,
    data: { customer: viewCustomer(customer) },
  };
}

function emptyPlan(): Plan {
  return {
    newCustomers: [],
    filledCustomers: new Set(),
    newConversations: [],
    touchedConversations: new Set(),
    touchedThreads: new Set(),
    messages: [],
    attachments: [],
    claimedUploads: [],
    albumAdditions: [],
    albumIds: [],
    parkedReplies: [],
    events: [],
    accepted: new Map(),
    customerOf: new Map(),
  };
}
