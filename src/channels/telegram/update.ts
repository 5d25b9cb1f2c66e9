import { z } from 'zod';

/*
 * The part of Telegram's updates that we read. What identifies a message must be right, else the update is malformed;
 * what only decorates it falls away when Telegram changes it, so that a new shape never costs a message.
 */

const id = z.int();
const decoration = <T extends z.ZodType>(schema: T) => schema.optional().catch(undefined);
const text = decoration(z.string());
// Seconds up to the year 9999: beyond it there is no date to store.
const unixTime = z.int().min(0).max(253_402_300_799);

const user = z.object({
  id,
  is_bot: decoration(z.boolean()),
  first_name: text,
  last_name: text,
  username: text,
  language_code: text,
});

const chat = z.object({
  id,
  type: z.string(),
  title: text,
  username: text,
  first_name: text,
  last_name: text,
  is_direct_messages: decoration(z.boolean()),
});

const entity = z.object({
  type: z.string(),
  offset: z.int().min(0),
  length: z.int().min(1),
  url: text,
  language: text,
});

const entities = decoration(z.array(entity));

const origin = z.object({
  type: z.string(),
  sender_user: decoration(user),
  sender_user_name: text,
  sender_chat: decoration(chat),
  chat: decoration(chat),
});

const button = z.object({ text: z.string(), callback_data: text });

const message = z.looseObject({
  message_id: id,
  date: unixTime,
  chat,
  from: decoration(user),
  sender_chat: decoration(chat),
  author_signature: text,
  message_thread_id: decoration(id),
  is_topic_message: decoration(z.boolean()),
  direct_messages_topic: decoration(z.object({ topic_id: id })),
  business_connection_id: text,
  sender_business_bot: decoration(user),
  is_automatic_forward: decoration(z.boolean()),
  media_group_id: text,
  reply_to_message: decoration(z.looseObject({ message_id: id })),
  quote: decoration(z.object({ text: z.string() })),
  external_reply: decoration(z.record(z.string(), z.unknown())),
  forward_origin: decoration(origin),
  via_bot: decoration(user),
  reply_markup: decoration(z.object({ inline_keyboard: z.array(z.array(button)) })),
  text,
  entities,
  caption: text,
  caption_entities: entities,
  migrate_to_chat_id: decoration(id),
  migrate_from_chat_id: decoration(id),
});

const reaction = z.object({ type: z.string(), emoji: text, custom_emoji_id: text });

/** One update; a kind that we do not read has none of these members. */
export const updateSchema = z.object({
  update_id: id,
  message: message.optional(),
  edited_message: message.optional(),
  channel_post: message.optional(),
  edited_channel_post: message.optional(),
  business_message: message.optional(),
  edited_business_message: message.optional(),
  deleted_business_messages: z
    .object({ business_connection_id: z.string(), chat, message_ids: z.array(id) })
    .optional(),
  message_reaction: z
    .object({ chat, message_id: id, date: unixTime, user: decoration(user), new_reaction: z.array(reaction) })
    .optional(),
  callback_query: z
    .object({ id: z.string(), from: user, data: text, message: message.optional() })
    .optional(),
  my_chat_member: z
    .object({
      chat,
      date: unixTime,
      new_chat_member: z.object({ status: z.string(), is_member: decoration(z.boolean()) }),
    })
    .optional(),
});

/** What we ask Telegram to send; the list must name reactions, which it leaves out by default. */
export const ALLOWED_UPDATES = [
  'message',
  'edited_message',
  'channel_post',
  'edited_channel_post',
  'business_message',
  'edited_business_message',
  'deleted_business_messages',
  'message_reaction',
  'callback_query',
  'my_chat_member',
] as const satisfies readonly Exclude<keyof Update, 'update_id'>[];

export type Update = z.infer<typeof updateSchema>;
export type TelegramMessage = z.infer<typeof message>;
export type TelegramUser = z.infer<typeof user>;
export type TelegramChat = z.infer<typeof chat>;
export type Entity = z.infer<typeof entity>;
