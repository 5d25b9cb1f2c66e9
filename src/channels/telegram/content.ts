import { z } from 'zod';
import type { InboundMessage } from '../../core/envelope.ts';
import { entitiesToHtml } from './entities.ts';
import { MEDIA_KINDS, readMedia } from './media.ts';
import { richText } from './rich.ts';
import type { TelegramMessage } from './update.ts';

/** What a message says, whatever its kind. */
export type Content = Pick<InboundMessage, 'type' | 'content' | 'html' | 'attachments' | 'metadata'>;

/** Reads what the customer sent; undefined for a service message, which nobody wrote. */
export function readContent(message: TelegramMessage, mostBytes: number): Content | undefined {
  if (SERVICE_KINDS.some((kind) => message[kind] !== undefined)) return undefined;
  return readText(message) ?? readFile(message, mostBytes) ?? readOther(message) ?? unsupported(message);
}

function readText(message: TelegramMessage): Content | undefined {
  if (message.text === undefined) return undefined;
  const [, payload] = /^\/start(?:@\w+)? (\S+)$/.exec(message.text) ?? [];
  return {
    type: 'text',
    ...formatted(message.text, message.entities),
    ...(payload === undefined ? {} : { metadata: { start_payload: payload } }),
  };
}

function readFile(message: TelegramMessage, mostBytes: number): Content | undefined {
  const kind = MEDIA_KINDS.find((candidate) => message[candidate] !== undefined);
  const attachment = kind && readMedia(kind, message[kind], mostBytes);
  if (!attachment) return undefined;
  const emoji = z.object({ emoji: z.string() }).safeParse(message['sticker']).data?.emoji;
  return {
    type: 'attachment',
    ...formatted(message.caption ?? emoji ?? '', message.caption_entities),
    attachments: [attachment],
    metadata: { telegram_kind: kind },
  };
}

function formatted(
  content: string,
  entities: TelegramMessage['entities'],
): { content: string; html?: string } {
  const html = entitiesToHtml(content, entities);
  return html === undefined ? { content } : { content, html };
}

const coordinates = z.object({
  latitude: z.number(),
  longitude: z.number(),
  live_period: z.number().optional(),
});
const venue = z.object({ location: coordinates, title: z.string(), address: z.string() });
const contact = z.object({
  phone_number: z.string(),
  first_name: z.string(),
  last_name: z.string().optional(),
  user_id: z.int().optional(),
  vcard: z.string().optional(),
});
const poll = z.object({ question: z.string(), options: z.array(z.object({ text: z.string() })) });
const checklist = z.object({ title: z.string(), tasks: z.array(z.object({ text: z.string() })) });
const dice = z.object({ emoji: z.string(), value: z.int() });
const game = z.object({ title: z.string(), description: z.string() });
const webApp = z.object({ data: z.string(), button_text: z.string() });

/** A venue also has a location, so it is looked for first. */
function readOther(message: TelegramMessage): Content | undefined {
  return (
    when(venue, message['venue'], ({ location, title, address }) => ({
      type: 'location',
      content: `${title}, ${address} (${location.latitude}, ${location.longitude})`,
      metadata: { location: { ...location, title, address } },
    })) ??
    when(coordinates, message['location'], (location) => ({
      type: 'location',
      content: `${location.latitude}, ${location.longitude}`,
      metadata: { location },
    })) ??
    when(contact, message['contact'], (card) => ({
      type: 'contact',
      content: `${[card.first_name, card.last_name].filter(Boolean).join(' ')}, ${card.phone_number}`,
      metadata: { contact: card },
    })) ??
    readAsText(message)
  );
}

/** Kinds that only Telegram has, told in words. */
function readAsText(message: TelegramMessage): Content | undefined {
  return (
    when(poll, message['poll'], (asked) => text(listed(asked.question, asked.options), { poll: asked })) ??
    when(checklist, message['checklist'], (list) =>
      text(listed(list.title, list.tasks), { checklist: list }),
    ) ??
    when(dice, message['dice'], (thrown) => text(`${thrown.emoji} ${thrown.value}`, { dice: thrown })) ??
    when(game, message['game'], (played) =>
      text(`${played.title}: ${played.description}`, { game: played }),
    ) ??
    when(webApp, message['web_app_data'], (sent) => text(sent.button_text, { web_app_data: sent.data })) ??
    when(z.looseObject({}), message['rich_message'], (rich) => text(richText(rich), { rich_message: rich }))
  );
}

function when<T>(schema: z.ZodType<T>, value: unknown, read: (value: T) => Content): Content | undefined {
  if (value === undefined) return undefined;
  const parsed = schema.safeParse(value);
  return parsed.success ? read(parsed.data) : undefined;
}

function text(content: string, metadata: Record<string, unknown>): Content {
  return { type: 'text', content, metadata };
}

function listed(title: string, items: { text: string }[]): string {
  return [title, ...items.map((item) => `- ${item.text}`)].join('\n');
}

/** A kind that we cannot show yet: the raw payload is kept, so that it can be shown some day. */
function unsupported(message: TelegramMessage): Content {
  const raw = Object.fromEntries(Object.entries(message).filter(([key]) => !ENVELOPE_KEYS.has(key)));
  const kind = Object.keys(raw)[0] ?? 'empty';
  return {
    type: 'unsupported',
    content: [`[${kind.replaceAll('_', ' ')}]`, message.caption].filter(Boolean).join(' '),
    metadata: { telegram_kind: kind, raw },
  };
}

/** Members that say who, where and when; whatever else a message has is its content. */
const ENVELOPE_KEYS = new Set(
  (
    'message_id date chat from sender_chat sender_tag author_signature message_thread_id is_topic_message ' +
    'direct_messages_topic business_connection_id sender_business_bot sender_boost_count is_automatic_forward ' +
    'media_group_id reply_to_message external_reply quote forward_origin via_bot reply_markup edit_date ' +
    'has_protected_content show_caption_above_media is_from_offline link_preview_options effect_id paid_star_count ' +
    'has_media_spoiler is_paid_post suggested_post_info reply_to_story reply_to_checklist_task_id reply_to_poll_option_id ' +
    'receiver_user ephemeral_message_id guest_query_id guest_bot_caller_user guest_bot_caller_chat caption caption_entities'
  ).split(' '),
);

/** Written by Telegram about the chat, not by a customer. */
const SERVICE_KINDS = (
  'new_chat_members left_chat_member new_chat_title new_chat_photo delete_chat_photo group_chat_created ' +
  'supergroup_chat_created channel_chat_created message_auto_delete_timer_changed migrate_to_chat_id ' +
  'migrate_from_chat_id pinned_message connected_website write_access_allowed proximity_alert_triggered ' +
  'boost_added chat_background_set forum_topic_created forum_topic_edited forum_topic_closed forum_topic_reopened ' +
  'general_forum_topic_hidden general_forum_topic_unhidden giveaway_created giveaway_completed video_chat_scheduled ' +
  'video_chat_started video_chat_ended video_chat_participants_invited chat_owner_left chat_owner_changed ' +
  'community_chat_added community_chat_joined community_chat_removed managed_bot_created poll_option_added ' +
  'poll_option_deleted checklist_tasks_done checklist_tasks_added suggested_post_approved ' +
  'suggested_post_approval_failed suggested_post_declined suggested_post_paid suggested_post_refunded ' +
  'paid_message_price_changed direct_message_price_changed gift_upgrade_sent'
).split(' ');
