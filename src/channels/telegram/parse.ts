import type { Channel, DoorRequest } from '../../core/adapter.ts';
import type {
  IdentityChange,
  Inbound,
  InboundMessage,
  MessageDelete,
  Reaction,
} from '../../core/envelope.ts';
import { malformed, readBody } from '../shared/json-body.ts';
import { readContent } from './content.ts';
import { fetchableBytes } from './limits.ts';
import { groupOf, isFromCustomer, senderOf, userSender } from './people.ts';
import { botId, type TelegramSettings } from './settings.ts';
import { externalId, type Thread, threadKey } from './thread.ts';
import { type TelegramMessage, type Update, updateSchema } from './update.ts';

/** What a webhook request of Telegram means. */
export function parse(request: DoorRequest, channel: Channel<TelegramSettings>): Inbound[] {
  return parseUpdate(readBody(request.body), channel.settings);
}

/** What one update means, however it came; empty when no customer did anything. */
export function parseUpdate(body: unknown, settings: TelegramSettings): Inbound[] {
  const parsed = updateSchema.safeParse(body);
  if (!parsed.success) throw malformed('is no update of Telegram', parsed.error);
  const update = parsed.data;
  const posted = update.message ?? update.channel_post ?? update.business_message;
  if (posted) return parsePosted(posted, update.update_id, settings);
  const edited = update.edited_message ?? update.edited_channel_post ?? update.edited_business_message;
  if (edited) return parseEdit(edited, update.update_id, settings);
  return [
    ...parseDeletions(update),
    ...parseReaction(update),
    ...parseCallback(update),
    ...parseMembership(update),
  ];
}

function parsePosted(message: TelegramMessage, updateId: number, settings: TelegramSettings): Inbound[] {
  const migration = parseMigration(message, updateId);
  if (migration) return [migration];
  if (!isFromCustomer(message, botId(settings))) return [];
  const content = readContent(message, fetchableBytes(settings));
  return content === undefined
    ? []
    : [{ ...envelope(message, updateId), ...content, metadata: metadataOf(message, content.metadata) }];
}

function envelope(message: TelegramMessage, updateId: number): Omit<InboundMessage, 'type' | 'content'> {
  const thread = threadOf(message);
  const repliedTo = replyTo(message, thread);
  return {
    ...place(message, updateId),
    occurredAt: dateOf(message.date),
    sender: senderOf(message),
    // An ephemeral message has the id 0, which would name all of them.
    ...(message.message_id > 0 ? { externalId: externalId(thread, message.message_id) } : {}),
    ...(repliedTo === undefined ? {} : { replyToExternalId: repliedTo }),
    ...(message.media_group_id === undefined ? {} : { groupKey: message.media_group_id }),
    ...(isAutomatic(message) ? { automatic: true } : {}),
  };
}

function place(message: TelegramMessage, updateId: number) {
  const group = groupOf(message);
  return {
    kind: 'message' as const,
    externalEventId: `update:${updateId}`,
    threadKey: threadKey(threadOf(message)),
    ...(group === undefined ? {} : { group }),
  };
}

function threadOf(message: TelegramMessage): Thread {
  const { message_thread_id, is_topic_message, direct_messages_topic, business_connection_id } = message;
  // The "General" topic has the id 1 and takes messages only without it; outside topics the id is a mere reply chain.
  const isTopic = is_topic_message && message_thread_id !== undefined && message_thread_id !== 1;
  return {
    chatId: message.chat.id,
    ...(isTopic ? { topicId: message_thread_id } : {}),
    ...(direct_messages_topic ? { directTopicId: direct_messages_topic.topic_id } : {}),
    ...(business_connection_id ? { businessConnectionId: business_connection_id } : {}),
  };
}

/** In a topic every message "replies" to the one that opened it; that is no reply. */
function replyTo(message: TelegramMessage, thread: Thread): string | undefined {
  const original = message.reply_to_message;
  if (!original || original.message_id < 1 || original['forum_topic_created'] !== undefined) return undefined;
  if (message.is_topic_message && original.message_id === message.message_thread_id) return undefined;
  return externalId(thread, original.message_id);
}

/** Another bot's message is stored but answered by nothing: two bots could talk for ever. */
function isAutomatic(message: TelegramMessage): boolean {
  return (
    message.is_automatic_forward === true ||
    (message.from?.is_bot === true && message.sender_chat === undefined)
  );
}

function metadataOf(
  message: TelegramMessage,
  content: Record<string, unknown> = {},
): Record<string, unknown> {
  const forwarded = message.forward_origin;
  const forwardedFrom =
    forwarded?.sender_user_name ??
    (forwarded?.sender_user ? userSender(forwarded.sender_user).name : undefined) ??
    forwarded?.sender_chat?.title ??
    forwarded?.chat?.title;
  return {
    ...content,
    ...(forwarded ? { forwarded_from: forwardedFrom ?? forwarded.type } : {}),
    ...(message.quote ? { quote: message.quote.text } : {}),
    // Of another chat, so that no message here is answered: what it was stands in it.
    ...(message.external_reply ? { external_reply: message.external_reply } : {}),
    ...(message.via_bot?.username ? { via_bot: message.via_bot.username } : {}),
    ...(message.author_signature ? { author_signature: message.author_signature } : {}),
    ...(message.business_connection_id ? { business_connection_id: message.business_connection_id } : {}),
  };
}

function parseEdit(message: TelegramMessage, updateId: number, settings: TelegramSettings): Inbound[] {
  if (message.message_id < 1 || !isFromCustomer(message, botId(settings))) return [];
  const content = readContent(message, fetchableBytes(settings));
  if (content === undefined) return [];
  const thread = threadOf(message);
  const id = externalId(thread, message.message_id);
  const editedAt = typeof message['edit_date'] === 'number' ? message['edit_date'] : message.date;
  return [
    {
      kind: 'edit',
      externalEventId: `update:${updateId}`,
      threadKey: threadKey(thread),
      occurredAt: dateOf(editedAt),
      externalId: id,
      content: content.content,
      ...(content.html === undefined ? {} : { html: content.html }),
    },
  ];
}

/** Told once in the old group and once in the new one; either is enough. */
function parseMigration(message: TelegramMessage, updateId: number): IdentityChange | undefined {
  const from = message.migrate_from_chat_id ?? message.chat.id;
  const to = message.migrate_to_chat_id ?? message.chat.id;
  if (from === to) return undefined;
  return {
    kind: 'identity_change',
    externalEventId: `update:${updateId}`,
    threadKey: threadKey({ chatId: from }),
    newThreadKey: threadKey({ chatId: to }),
    occurredAt: dateOf(message.date),
    address: { from: String(from), to: String(to), kind: 'group' },
  };
}

function parseDeletions(update: Update): MessageDelete[] {
  const deleted = update.deleted_business_messages;
  if (!deleted) return [];
  const thread: Thread = { chatId: deleted.chat.id, businessConnectionId: deleted.business_connection_id };
  return deleted.message_ids.map((messageId) => ({
    kind: 'delete',
    externalEventId: `update:${update.update_id}:${messageId}`,
    threadKey: threadKey(thread),
    externalId: externalId(thread, messageId),
  }));
}

function parseReaction(update: Update): Reaction[] {
  const reaction = update.message_reaction;
  if (!reaction?.user) return [];
  const thread: Thread = { chatId: reaction.chat.id };
  return [
    {
      kind: 'reaction',
      externalEventId: `update:${update.update_id}`,
      threadKey: threadKey(thread),
      occurredAt: dateOf(reaction.date),
      externalId: externalId(thread, reaction.message_id),
      sender: userSender(reaction.user),
      emojis: reaction.new_reaction.flatMap(emojiOf),
    },
  ];
}

function emojiOf(reaction: {
  type: string;
  emoji?: string | undefined;
  custom_emoji_id?: string | undefined;
}): string[] {
  if (reaction.emoji !== undefined) return [reaction.emoji];
  if (reaction.custom_emoji_id !== undefined) return [`custom:${reaction.custom_emoji_id}`];
  return reaction.type === 'paid' ? ['⭐'] : [];
}

/** A pressed button is what the customer says: its label, with the data by which its choice is known. */
function parseCallback(update: Update): InboundMessage[] {
  const query = update.callback_query;
  if (!query?.message) return [];
  const { message, from, data } = query;
  const buttons = message.reply_markup?.inline_keyboard.flat() ?? [];
  const label = buttons.find((button) => button.callback_data === data)?.text;
  return [
    {
      ...place(message, update.update_id),
      sender: userSender(from),
      type: 'text',
      content: label ?? '',
      ...(message.message_id > 0
        ? { replyToExternalId: externalId(threadOf(message), message.message_id) }
        : {}),
      ...(data === undefined ? {} : { pressed: data }),
      metadata: { ...metadataOf(message), callback_query_id: query.id },
    },
  ];
}

const GONE = new Set(['kicked', 'left']);

/** Blocked, let in again, removed from a group: whether the bot can still write there. */
function parseMembership(update: Update): IdentityChange[] {
  const change = update.my_chat_member;
  if (!change) return [];
  const { status, is_member } = change.new_chat_member;
  return [
    {
      kind: 'identity_change',
      externalEventId: `update:${update.update_id}`,
      threadKey: threadKey({ chatId: change.chat.id }),
      occurredAt: dateOf(change.date),
      reachable: !GONE.has(status) && is_member !== false,
    },
  ];
}

function dateOf(unixSeconds: number): Date {
  return new Date(unixSeconds * 1000);
}
