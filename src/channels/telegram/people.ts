import type { Sender } from '../../core/envelope.ts';
import type { TelegramChat, TelegramMessage, TelegramUser } from './update.ts';

/** Whether a customer wrote it, and not the bot itself or the owner of a connected business account. */
export function isFromCustomer(message: TelegramMessage, botId: string): boolean {
  if (message.sender_business_bot || String(message.from?.id) === botId) return false;
  return message.business_connection_id === undefined || message.from?.id === message.chat.id;
}

/** Who wrote: a person, or the chat in whose name an anonymous person did. */
export function senderOf(message: TelegramMessage): Sender {
  const person =
    message.sender_chat || !message.from
      ? chatSender(message.sender_chat ?? message.chat)
      : userSender(message.from);
  const phone = ownPhone(message);
  return phone === undefined ? person : { ...person, phone };
}

/** The group that is the conversation's customer; undefined where one person writes. */
export function groupOf(message: TelegramMessage): Sender | undefined {
  const { chat } = message;
  // In a channel's direct messages each topic belongs to one person.
  const hasOneWriter = chat.type === 'private' || chat.is_direct_messages === true;
  return hasOneWriter ? undefined : chatSender(chat);
}

/** A Telegram account as a sender. */
export function userSender(user: TelegramUser): Sender {
  const name = [user.first_name, user.last_name].filter(Boolean).join(' ') || user.username;
  return {
    address: String(user.id),
    kind: 'user',
    ...(name ? { name } : {}),
    profile: {
      ...(user.username ? { username: user.username } : {}),
      ...(user.language_code ? { language: user.language_code } : {}),
    },
  };
}

/** A chat as a sender or a group; a private chat has the id of its person. */
function chatSender(chat: TelegramChat): Sender {
  if (chat.type === 'private') return userSender(chat);
  return {
    address: String(chat.id),
    kind: chat.type === 'channel' ? 'channel' : 'group',
    ...(chat.title ? { name: chat.title } : {}),
    profile: chat.username ? { username: chat.username } : {},
  };
}

/** A shared contact card is the sender's own number only when Telegram says whose it is. */
function ownPhone(message: TelegramMessage): string | undefined {
  const card = message['contact'];
  if (typeof card !== 'object' || card === null || !message.from) return undefined;
  const { user_id, phone_number } = card as { user_id?: unknown; phone_number?: unknown };
  if (user_id !== message.from.id || typeof phone_number !== 'string') return undefined;
  return phone_number.startsWith('+') ? phone_number : `+${phone_number}`;
}
