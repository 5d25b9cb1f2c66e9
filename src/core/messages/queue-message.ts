import { type AttachmentDraft, attachToMessage } from '../attachments/attach.ts';
import { choicesOf } from '../cards.ts';
import { findTemplate } from '../channels/templates.ts';
import type { Channels, LoadedChannel } from '../channels.ts';
import { NO_HANDOFF } from '../conversations/handoff.ts';
import { refuseOptedOut } from '../customers/consent.ts';
import type { Sql } from '../database/connect.ts';
import type { EgressGuard } from '../egress.ts';
import type { Card } from '../envelope.ts';
import { AppError, invalidField } from '../errors.ts';
import { snapshot } from '../events/snapshot.ts';
import { record } from '../events.ts';
import { isUuid, newId } from '../id.ts';
import { viewOneMessage } from '../messages.ts';
import type { Secrets } from '../secrets.ts';
import { type FilledTemplate, fillTemplate, type TemplateInput } from '../template.ts';
import type { ConversationRow } from '../views/conversation.ts';
import type { MessageRow, MessageView } from '../views/message.ts';
import type { Author } from './author.ts';

/** What somebody on our side wants to say. */
export interface Draft {
  content: string;
  note?: boolean | undefined;
  html?: string | undefined;
  card?: Card | undefined;
  attachments?: AttachmentDraft[] | undefined;
  replyToId?: string | undefined;
  email?: { subject?: string; cc?: string[]; bcc?: string[] } | undefined;
  sendAt?: Date | undefined;
  cancelOnReply?: boolean | undefined;
  /** Refuse when a public message came after this seq. */
  ifLastSeq?: number | undefined;
  clientMessageId?: string | undefined;
  /** A message that the provider has approved, filled in; it may be sent at any time. */
  template?: TemplateInput | undefined;
  /** Facts for the agent side, such as how sure an AI was. */
  metadata?: Record<string, unknown> | undefined;
}

/** A draft whose template is found, filled and can be read. */
type Ready = Draft & { filled?: FilledTemplate };

export interface Writing {
  by: Author;
  secrets: Secrets;
  egress: Pick<EgressGuard, 'vetUrl'>;
  attachments: { idOfUrl(url: string): string | undefined };
  channels: Pick<Channels, 'load'>;
}

/** Stores a message to be sent, or a note, in a conversation that this transaction has locked: the lock gives out `seq`. */
export async function queueMessage(
  tx: Sql,
  conversation: ConversationRow,
  { draft, ...writing }: Writing & { draft: Draft },
): Promise<MessageView> {
  const repeated = await findRepeated(tx, conversation, draft);
  if (repeated !== undefined) return viewOneMessage(tx, repeated);
  await refuseUntimely(tx, conversation, draft);
  for (const [index, { url }] of (draft.attachments ?? []).entries()) {
    if (url !== undefined && writing.attachments.idOfUrl(url) === undefined) {
      writing.egress.vetUrl(url, `attachments.${index}.url`);
    }
  }
  const ready = await withTemplate(tx, conversation, draft);
  const message = await insertMessage(tx, conversation, { draft: ready, by: writing.by });
  // Nobody's limits are those of a note.
  const loaded = draft.note === true ? undefined : await writing.channels.load(message.channel_id, tx);
  const fetches = await attachToMessage(tx, attaching(message), {
    drafts: draft.attachments ?? [],
    ...sources(writing),
    limits: loaded?.adapter.limits,
  });
  await refuseTooLarge(tx, message, loaded);
  await countMessage(tx, conversation, { message, by: writing.by });
  await recordMessage(tx, message, { fetches, by: writing.by });
  return viewOneMessage(tx, message);
}

/** Of files that are still to be fetched nobody knows: what they are too much by is found when it is sent. */
async function refuseTooLarge(
  tx: Sql,
  message: MessageRow,
  loaded: LoadedChannel | undefined,
): Promise<void> {
  if (loaded?.adapter.sizeRefusal === undefined) return;
  const [files] = await tx<[{ bytes: number }]>`
    select coalesce(sum(size_bytes), 0)::float8 as bytes from attachments where message_id = ${message.id}`;
  const words = Buffer.byteLength(message.content) + Buffer.byteLength(message.html ?? '');
  const refusal = loaded.adapter.sizeRefusal(files.bytes + words, loaded.channel.settings);
  if (refusal !== undefined) throw new AppError('payload_too_large', refusal);
}

async function withTemplate(tx: Sql, { channel_id }: ConversationRow, draft: Draft): Promise<Ready> {
  if (draft.template === undefined) return draft;
  const template = await findTemplate(tx, channel_id, draft.template);
  const { filled, text } = fillTemplate(template, {
    input: draft.template,
    files: draft.attachments?.length ?? 0,
  });
  return { ...draft, content: text, filled };
}

function attaching(message: MessageRow) {
  return { id: message.id, businessId: message.business_id, conversationId: message.conversation_id };
}

function sources({ secrets, attachments }: Writing) {
  return { secrets, idOfUrl: attachments.idOfUrl };
}

/** A client that sends the same `client_message_id` again means the same message. */
async function findRepeated(tx: Sql, { id }: ConversationRow, { clientMessageId }: Draft) {
  if (clientMessageId === undefined) return undefined;
  const [row] = await tx<MessageRow[]>`
    select * from messages
    where conversation_id = ${id} and client_message_id = ${clientMessageId} and direction <> 'inbound'`;
  return row;
}

async function refuseUntimely(tx: Sql, conversation: ConversationRow, draft: Draft): Promise<void> {
  if (conversation.merged_into_id !== null) {
    throw new AppError('conflict', 'The conversation is merged into another one; write there.', {
      extra: { merged_into_id: conversation.merged_into_id },
    });
  }
  if (draft.ifLastSeq !== undefined && conversation.last_public_seq > draft.ifLastSeq) {
    throw new AppError('conflict', 'A newer message has come since.', {
      extra: { last_seq: conversation.last_public_seq },
    });
  }
  if (draft.replyToId !== undefined) await refuseForeignReply(tx, conversation, draft);
  if (draft.note === true) return;
  refuseUnreachable(conversation);
  if (draft.template === undefined) refuseOutsideWindow(conversation, draft.sendAt ?? new Date());
  const { channel_id, thread_key } = conversation;
  if (thread_key !== null) await refuseOptedOut(tx, channel_id, thread_key);
}

/** Some channels let us answer freely only for a time after the customer wrote. */
export function refuseOutsideWindow(conversation: ConversationRow, at: Date): void {
  if (!isWindowClosed(conversation, at)) return;
  const extra = { reply_window_expires_at: conversation.reply_window_expires_at?.toISOString() };
  throw new AppError('window_closed', WINDOW_CLOSED, { extra });
}

/** What a message is told that comes after the window. */
export const WINDOW_CLOSED = 'The time to answer freely has passed; only a template may be sent.';

/** Whether the provider lets nobody answer freely any more at that time. */
export function isWindowClosed(
  { reply_window_expires_at }: Pick<ConversationRow, 'reply_window_expires_at'>,
  at: Date,
): boolean {
  return reply_window_expires_at !== null && reply_window_expires_at.getTime() < at.getTime();
}

/** What customers may see never refers to what they must not: only a note answers a note. */
async function refuseForeignReply(
  tx: Sql,
  conversation: ConversationRow,
  { replyToId: id = '', note = false }: Draft,
): Promise<void> {
  const rows = isUuid(id)
    ? await tx`
        select id from messages
        where id = ${id} and conversation_id = ${conversation.id} and seq is not null
          and (${note} or direction <> 'internal')`
    : [];
  if (rows.length === 0) throw invalidField('reply_to_id', 'is not a message of this conversation');
}

/** Without an address there is nobody to send to; web chat keeps the message until the visitor looks. */
function refuseUnreachable({ thread_key, channel_type }: ConversationRow): void {
  if (thread_key !== null || channel_type === 'webchat') return;
  throw new AppError('no_recipient', 'The customer has no address on this channel.');
}

async function insertMessage(
  tx: Sql,
  conversation: ConversationRow,
  { draft, by }: { draft: Ready; by: Author },
): Promise<MessageRow> {
  const row = {
    id: newId(),
    business_id: conversation.business_id,
    conversation_id: conversation.id,
    channel_id: conversation.channel_id,
    customer_id: conversation.customer_id,
    sender_type: by.type,
    sender_id: by.id,
    sender_name: by.name,
    ...whenOf(draft, conversation),
    ...contentOf(tx, draft, by),
  };
  const [message] = await tx<[MessageRow]>`insert into messages ${tx(row)} returning *`;
  return message;
}

/** Where the message goes and when: a note nowhere, a scheduled one later, everything else as soon as it can. */
function whenOf({ note, sendAt, cancelOnReply = false }: Draft, { last_message_seq }: ConversationRow) {
  const seq = last_message_seq + 1;
  const later = { send_at: null, cancel_on_reply: false, next_attempt_at: null };
  if (note === true) return { ...later, direction: 'internal', status: null, seq };
  if (sendAt === undefined || sendAt.getTime() <= Date.now()) {
    return { ...later, direction: 'outbound', status: 'queued', seq, next_attempt_at: new Date() };
  }
  const scheduled = { send_at: sendAt, cancel_on_reply: cancelOnReply };
  return { ...later, ...scheduled, direction: 'outbound', status: 'scheduled', seq: null };
}

function contentOf(tx: Sql, draft: Ready, { causedBy }: Author) {
  const { filled } = draft;
  return {
    type: typeOf(draft),
    content: draft.content,
    html: draft.html ?? null,
    card: draft.card === undefined ? null : tx.json(draft.card as never),
    email: draft.email === undefined ? null : tx.json(draft.email),
    template: filled === undefined ? null : tx.json(filled as never),
    metadata: tx.json({
      ...(draft.metadata as Record<string, never> | undefined),
      ...(filled === undefined ? {} : { template: { name: filled.name, language: filled.language } }),
      // What becomes of the message later is caused by it too.
      ...(causedBy === undefined ? {} : { caused_by: causedBy as never }),
    }),
    reply_to_id: draft.replyToId ?? null,
    client_message_id: draft.clientMessageId ?? null,
  };
}

function typeOf({ note, card, attachments, filled }: Ready): MessageRow['type'] {
  if (note === true) return 'note';
  if (filled !== undefined) return 'template';
  if (card !== undefined) return 'card';
  return attachments === undefined || attachments.length === 0 ? 'text' : 'attachment';
}

/** What a message that has its `seq` changes of its conversation; a scheduled one changes nothing yet. */
export async function countMessage(
  tx: Sql,
  conversation: ConversationRow,
  { message, by }: { message: MessageRow; by: Pick<Author, 'type'> },
): Promise<void> {
  if (message.seq === null) return;
  const isPublic = message.direction === 'outbound';
  const isAnswer = isPublic && by.type === 'agent';
  const endsHandoff = isAnswer && conversation.needs_human_handoff;
  const set = {
    last_message_seq: message.seq,
    ...(isPublic ? { last_public_seq: message.seq, open_card: openCard(tx, message) } : {}),
    ...(endsHandoff ? NO_HANDOFF : {}),
  };
  await tx`
    update conversations
    set ${tx(set)}, last_message_at = clock_timestamp(), updated_at = clock_timestamp()
      ${isAnswer ? tx`, first_response_at = coalesce(first_response_at, clock_timestamp())` : tx``}
    where id = ${conversation.id}`;
  if (endsHandoff) await recordHandoffEnd(tx, conversation);
}

/** A newer message of ours without choices closes the card before it: a number in the answer may mean anything then. */
function openCard(tx: Sql, { id, card }: MessageRow) {
  const actions = choicesOf(card ?? {});
  return actions.length === 0 ? null : tx.json({ message_id: id, actions } as never);
}

async function recordHandoffEnd(tx: Sql, { id, business_id, customer_id }: ConversationRow): Promise<void> {
  const data = await snapshot(tx, { conversationId: id });
  const ids = { businessId: business_id, conversationId: id, customerId: customer_id };
  await record(tx, [
    { type: 'conversation.updated', ...ids, data: { ...data, changed: ['needs_human_handoff'] } },
  ]);
}

/** Tells of a message that was written, and wakes the lane that sends it. */
async function recordMessage(
  tx: Sql,
  message: MessageRow,
  { fetches, by }: { fetches: string[]; by: Author },
): Promise<void> {
  const data = await snapshot(tx, { conversationId: message.conversation_id, messageId: message.id });
  const wakes = message.status === 'queued' ? [`send:${message.conversation_id}`] : [];
  await record(tx, [
    {
      type: 'message.created',
      businessId: message.business_id,
      conversationId: message.conversation_id,
      customerId: message.customer_id,
      messageId: message.id,
      data,
      wakes: [...wakes, ...fetches],
      ...(by.causedBy === undefined ? {} : { causedBy: by.causedBy }),
    },
  ]);
}
