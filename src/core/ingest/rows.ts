import { safeFileName } from '../attachments/file-name.ts';
import type { AttachmentRef, InboundMessage } from '../envelope.ts';
import { newId } from '../id.ts';
import type { ConversationRow } from '../views/conversation.ts';
import type { CustomerRow } from '../views/customer.ts';
import type { AttachmentRow, MessageRow } from '../views/message.ts';
import type { MessageItem } from './item.ts';

/** A conversation that begins with this message. */
export function newConversation(item: MessageItem, customer: CustomerRow, now: Date): ConversationRow {
  return {
    id: newId(),
    business_id: item.channel.businessId,
    channel_id: item.channel.id,
    channel_type: item.channel.type,
    thread_key: item.inbound.threadKey,
    customer_id: customer.id,
    assignee_id: null,
    team_id: null,
    assign_at: null,
    status: 'open',
    subject: item.inbound.subject ?? item.inbound.email?.subject ?? null,
    priority: null,
    tags: [],
    custom_attributes: {},
    needs_human_handoff: false,
    handoff_reason: null,
    handoff_requested_at: null,
    snoozed_until: null,
    reply_window_expires_at: null,
    last_message_seq: 0,
    last_public_seq: 0,
    unread_count: 0,
    agent_read_seq: 0,
    customer_read_seq: 0,
    last_message_at: now,
    first_response_at: null,
    resolved_at: null,
    closed_at: null,
    merged_into_id: null,
    open_card: null,
    created_at: now,
    updated_at: now,
  };
}

interface Written {
  conversation: ConversationRow;
  sender: CustomerRow;
  now: Date;
}

/** The row of a customer's message; its seq comes when it is counted. */
export function customerMessage(
  { inbound, channel, proposedId }: MessageItem,
  { conversation, sender, now }: Written,
): MessageRow {
  return {
    ...blankMessage(conversation, now),
    id: proposedId,
    // Of a merged conversation the messages may come over another channel than its own.
    channel_id: channel.id,
    customer_id: sender.id,
    direction: 'inbound',
    sender_type: 'customer',
    sender_name: inbound.sender.name ?? sender.name,
    type: inbound.type,
    content: inbound.content,
    html: inbound.html ?? null,
    text_full: inbound.textFull ?? null,
    card: inbound.card === undefined ? null : { ...inbound.card },
    email: inbound.email ?? null,
    client_message_id: inbound.clientMessageId ?? null,
    external_id: inbound.externalId ?? null,
    metadata: metadataOf(inbound),
  };
}

/** The row of what the business itself wrote in the provider's app: sent already, by nobody whom we know. */
export function echoMessage(item: MessageItem, written: Written): MessageRow {
  return {
    ...customerMessage(item, written),
    customer_id: written.conversation.customer_id,
    direction: 'outbound',
    sender_type: 'agent',
    sender_name: null,
    metadata: { ...metadataOf(item.inbound), echo: true },
    status: 'sent',
    sent_at: item.inbound.occurredAt ?? written.now,
  };
}

function metadataOf(inbound: InboundMessage): Record<string, unknown> {
  return {
    ...inbound.metadata,
    ...(inbound.automatic === true ? { automatic: true } : {}),
    ...(inbound.occurredAt === undefined ? {} : { provider_timestamp: inbound.occurredAt.toISOString() }),
  };
}

/** The line of the timeline that says a customer's message reopened the conversation. */
export function activityMessage(
  conversation: ConversationRow,
  { from, now }: { from: string; now: Date },
): MessageRow {
  return {
    ...blankMessage(conversation, now),
    id: newId(),
    seq: conversation.last_message_seq + 1,
    direction: 'internal',
    sender_type: 'system',
    type: 'activity',
    content: 'Reopened by a message of the customer',
    metadata: { activity: 'reopened', from, to: 'open' },
  };
}

function blankMessage(conversation: ConversationRow, now: Date) {
  return {
    business_id: conversation.business_id,
    conversation_id: conversation.id,
    channel_id: conversation.channel_id,
    customer_id: null,
    seq: null,
    sender_id: null,
    sender_name: null,
    html: null,
    text_full: null,
    card: null,
    email: null,
    reactions: [],
    reply_to_id: null,
    client_message_id: null,
    external_id: null,
    status: null,
    error: null,
    send_at: null,
    next_attempt_at: null,
    created_at: now,
    sent_at: null,
    delivered_at: null,
    read_at: null,
    edited_at: null,
    deleted_at: null,
  };
}

export interface PlannedAttachment extends AttachmentRow {
  business_id: string;
  conversation_id: string;
  position: number;
  /** Base64 of the encrypted reference; null for an upload, whose bytes are here already. */
  source: string | null;
}

interface Place {
  message: MessageRow;
  position: number;
}

/** An attachment as it is stored with its message: pending until its bytes are here, or too large to ask for. */
export function newAttachment(ref: AttachmentRef, { message, position }: Place): PlannedAttachment {
  const tooLarge = ref.tooLarge === true;
  return {
    id: newId(),
    business_id: message.business_id,
    conversation_id: message.conversation_id,
    message_id: message.id,
    position,
    name: ref.name === undefined ? 'file' : safeFileName(ref.name),
    content_type: ref.contentType ?? 'application/octet-stream',
    size_bytes: ref.sizeBytes ?? null,
    width: null,
    height: null,
    state: tooLarge ? 'too_large' : 'pending',
    source: null,
    error: tooLarge ? 'larger than the channel lets us fetch' : null,
  };
}
