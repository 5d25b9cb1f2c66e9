import { choiceId } from '../core/cards.ts';
import { visitorUploader } from '../core/customers/visitor-sessions.ts';
import type { AttachmentRef, InboundMessage, Sender } from '../core/envelope.ts';
import { AppError, invalidField } from '../core/errors.ts';
import { isUuid, newId } from '../core/id.ts';
import type { ConversationRow } from '../core/views/conversation.ts';
import type { RealtimeContext } from './context.ts';
import type { AttachmentDraft, ClientMessage } from './protocol.ts';
import type { VisitorParty } from './socket.ts';
import { refuseUnknownChoice } from './visitor-choice.ts';
import { findOwnConversation, type Visitor } from './visitor-conversations.ts';

interface StoredMessage {
  message_id: string;
  conversation_id: string | undefined;
  seq: number | undefined;
}

/** Receives a visitor's message; resolves once it is stored. The same `client_message_id` again is the same message. */
export async function receiveClientMessage(
  context: RealtimeContext,
  party: VisitorParty,
  message: ClientMessage,
): Promise<StoredMessage> {
  await limitMessages(context, party.visitor);
  const inbound = await inboundOf(context, party, message);
  const raw = { body: Buffer.from(JSON.stringify(message)), contentType: 'application/json' };
  const [accepted] = await context.receiver.accept({ id: party.visitor.channelId }, raw, [inbound]);
  if (accepted?.isBlocked === true) throw new AppError('forbidden', 'Messages are not taken from you here.');
  if (accepted?.messageId === undefined)
    throw new AppError('unavailable', 'The message could not be stored.');
  return { message_id: accepted.messageId, conversation_id: accepted.conversationId, seq: accepted.seq };
}

async function limitMessages(
  { rateLimits, limits }: RealtimeContext,
  { channelId, visitorId }: Visitor,
): Promise<void> {
  const quota = { points: limits.messagesPerMinute, durationSeconds: 60 };
  const { allowed } = await rateLimits.consume('visitor-message', `${channelId}:${visitorId}`, quota);
  if (!allowed) throw new AppError('rate_limited', 'Too many messages: wait a moment.');
}

async function inboundOf(
  context: RealtimeContext,
  party: VisitorParty,
  message: ClientMessage,
): Promise<InboundMessage> {
  const { visitor } = party;
  const named = await namedConversation(context, visitor, message);
  await refuseUnknownChoice(context.pool, visitor, message);
  const attachments = await attachmentRefs(context, visitor, message.attachments ?? []);
  const clientMessageId = message.client_message_id;
  return {
    kind: 'message',
    externalEventId: `${visitor.visitorId}:${clientMessageId ?? newId()}`,
    // A verified person may go on with what another of their browsers began.
    threadKey: named?.thread_key ?? visitor.threadKey,
    sender: senderOf(party, message),
    type: attachments.length === 0 ? 'text' : 'attachment',
    content: message.content,
    attachments,
    ...(clientMessageId === undefined ? {} : { clientMessageId }),
    ...(named === undefined ? {} : { conversation: { id: named.id } }),
    ...(message.choice === undefined
      ? {}
      : { pressed: choiceId(message.choice.message_id, message.choice.number) }),
    ...(message.new === true ? { conversation: 'new' as const } : {}),
  };
}

async function namedConversation(
  { pool }: RealtimeContext,
  visitor: Visitor,
  message: ClientMessage,
): Promise<ConversationRow | undefined> {
  if (message.conversation_id === undefined || message.new === true) return undefined;
  return findOwnConversation(pool, visitor, message.conversation_id);
}

/** What the business vouches for comes before what anybody may type into a form. */
function senderOf({ visitor, vouched }: VisitorParty, { customer_data }: ClientMessage): Sender {
  const name = vouched.name ?? customer_data?.name;
  const email = vouched.email ?? customer_data?.email;
  return {
    address: visitor.visitorId,
    kind: 'visitor',
    ...(name === undefined ? {} : { name }),
    ...(email === undefined ? {} : { email }),
    ...(visitor.externalId === undefined ? {} : { externalId: visitor.externalId }),
  };
}

async function attachmentRefs(
  context: RealtimeContext,
  visitor: Visitor,
  drafts: AttachmentDraft[],
): Promise<AttachmentRef[]> {
  const refs: AttachmentRef[] = [];
  for (const [index, draft] of drafts.entries())
    refs.push(await attachmentRef(context, visitor, { draft, index }));
  return refs;
}

/** An upload of the visitor's own, or an address that we fetch through the guard. */
async function attachmentRef(
  context: RealtimeContext,
  visitor: Visitor,
  { draft, index }: { draft: AttachmentDraft; index: number },
): Promise<AttachmentRef> {
  const { id, url, name, type, size } = draft;
  const field = `attachments.${index}`;
  const uploadId = id ?? (url === undefined ? undefined : context.attachments.idOfUrl(url));
  if (uploadId !== undefined) {
    if (!(await isOwnUpload(context, visitor, uploadId)))
      throw invalidField(field, 'is not an upload of yours');
    return { ref: {}, uploadId };
  }
  if (url === undefined) throw invalidField(field, 'needs the url of an upload');
  return {
    ref: { url: context.egress.vetUrl(url, `${field}.url`).href },
    ...(name === undefined ? {} : { name }),
    ...(type === undefined ? {} : { contentType: type }),
    ...(size === undefined ? {} : { sizeBytes: size }),
  };
}

/** Also when a message has taken it already: that may be this very message, sent again. */
async function isOwnUpload(
  { pool }: RealtimeContext,
  { businessId, visitorId }: Visitor,
  id: string,
): Promise<boolean> {
  if (!isUuid(id)) return false;
  const rows = await pool`
    select id from attachments
    where id = ${id} and business_id = ${businessId} and uploaded_by = ${visitorUploader(visitorId)}`;
  return rows.length === 1;
}
