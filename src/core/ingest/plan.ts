import type { ConversationRow } from '../views/conversation.ts';
import type { MessageRow } from '../views/message.ts';
import { addToAlbum, nameAlbumItem } from './albums.ts';
import { noteChoice } from './choices.ts';
import { conversationFor, currentConversation, ownerOf } from './conversation-choice.ts';
import { messageEvent } from './happened.ts';
import { type Accepted, groupKeyOf, type Item, isMessage, keyOf, type MessageItem } from './item.ts';
import { attachmentsFor } from './planned-attachments.ts';
import { customerMessage, echoMessage } from './rows.ts';
import { partyOf } from './senders.ts';
import type { State } from './state.ts';
import { emptyPlan, type Plan, type PlanContext, type Work } from './work.ts';

/** Decides what a batch's fresh messages become. The rows in `state` are brought up to date in place. */
export function planMessages(items: Item[], state: State, context: PlanContext): Plan {
  const plan = emptyPlan();
  const albums = new Map<string, MessageRow>();
  for (const item of items.filter(isMessage)) planMessage(item, { state, plan, albums, context });
  return plan;
}

function planMessage(item: MessageItem, work: Work): void {
  const { state, plan } = work;
  const party = state.parties.get(keyOf(item.channel.id, item.inbound.sender.address));
  if (party !== undefined && !party.isNew) plan.customerOf.set(item.request.id, party.customer.id);
  const eventKey = keyOf(item.channel.id, item.inbound.externalEventId);
  if (!state.fresh.delete(eventKey)) {
    plan.accepted.set(item, duplicateOf(eventKey, work));
    return;
  }
  if (item.inbound.opens === false && currentConversation(item, work) === undefined) {
    plan.accepted.set(item, NOTHING_STORED);
    return;
  }
  const groupKey = groupKeyOf(item.inbound);
  const accepted =
    groupKey === undefined
      ? acceptedAs(storeMessage(item, work))
      : planAlbumItem(item, keyOf(item.channel.id, groupKey), work);
  plan.accepted.set(item, accepted);
}

/** The first item of an album becomes its message, the others add to it. */
function planAlbumItem(item: MessageItem, albumKey: string, work: Work): Accepted {
  const { albums, plan, state } = work;
  const begun = albums.get(albumKey);
  const stored = state.known.get(albumKey);
  if (begun !== undefined) {
    nameAlbumItem(item, begun.id, plan);
    addToAlbum(item, begun, work);
    return acceptedAs(begun);
  } else if (typeof stored === 'string') {
    nameAlbumItem(item, stored, plan);
    plan.albumAdditions.push({ inbound: item.inbound, messageId: stored });
    return { ...NOTHING_STORED, messageId: stored };
  } else {
    const message = storeMessage(item, work);
    albums.set(albumKey, message);
    return acceptedAs(message);
  }
}

/** The answer to a message that only goes on with a conversation, where there is none; its request is known by this very object. */
export const NOTHING_STORED: Accepted = {
  duplicate: false,
  messageId: undefined,
  conversationId: undefined,
  seq: undefined,
};

function storeMessage(item: MessageItem, work: Work): MessageRow {
  const { plan, context } = work;
  const sender = partyOf(item, item.inbound.sender, work);
  const owner = item.inbound.group === undefined ? sender : partyOf(item, item.inbound.group, work);
  plan.customerOf.set(item.request.id, sender.customer.id);
  const conversation = conversationFor(item, owner, work);
  const written = { conversation, sender: sender.customer, now: context.now };
  const isEcho = item.inbound.echo === true;
  const message = isEcho ? echoMessage(item, written) : customerMessage(item, written);
  message.reply_to_id = replyOf(item, message, work);
  if (isEcho) closeCard(conversation, plan);
  else noteChoice(item, { conversation, message }, work);
  const attachments = attachmentsFor(item, { message }, work);
  count(conversation, message, context.now);
  if (!isEcho) prolongWindow(item, conversation, context.now);
  (isEcho ? plan.echoes : plan.messages).push(message);
  plan.touchedConversations.add(conversation);
  plan.events.push(
    messageEvent(isEcho ? 'message.created' : 'message.received', {
      conversation,
      customer: ownerOf(conversation, owner, work),
      message,
      attachments,
    }),
  );
  return message;
}

/** A newer message of ours closes the card before it. */
function closeCard(conversation: ConversationRow, plan: Plan): void {
  if (conversation.open_card === null) return;
  conversation.open_card = null;
  plan.answered.add(conversation);
}

/** The time to answer freely counts from when the customer wrote, also where that was told late. */
function prolongWindow({ channel, inbound }: MessageItem, conversation: ConversationRow, now: Date): void {
  if (channel.replyWindowMs === undefined || conversation.channel_id !== channel.id) return;
  const writtenAt = Math.min(inbound.occurredAt?.getTime() ?? now.getTime(), now.getTime());
  const expiresAt = new Date(writtenAt + channel.replyWindowMs);
  const known = conversation.reply_window_expires_at;
  if (known === null || known < expiresAt) conversation.reply_window_expires_at = expiresAt;
}

function count(conversation: ConversationRow, message: MessageRow, now: Date): void {
  conversation.last_message_seq += 1;
  conversation.last_public_seq = conversation.last_message_seq;
  if (message.direction === 'inbound') conversation.unread_count += 1;
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

function duplicateOf(eventKey: string, { state, plan }: Work): Accepted {
  for (const [other, accepted] of plan.accepted) {
    if (keyOf(other.channel.id, other.inbound.externalEventId) === eventKey)
      return { ...accepted, duplicate: true };
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
