import type { RawApi } from 'grammy';
import type { AdapterContext, Channel, ChannelAdapter, ReactionTarget } from '../../core/adapter.ts';
import type { Inbound } from '../../core/envelope.ts';
import { SendRejected } from '../../core/errors.ts';
import { type Call, createCall } from './client.ts';
import { connect, health } from './connect.ts';
import { edit, remove } from './edit.ts';
import { rethrow } from './errors.ts';
import { fetchAttachment } from './files.ts';
import { LIMITS } from './limits.ts';
import { parse } from './parse.ts';
import { poll } from './poll.ts';
import { addressOf, send } from './send.ts';
import { botId, type TelegramSettings, telegramSettings } from './settings.ts';
import { split } from './split.ts';
import { messageAt, readThread, threadKey } from './thread.ts';
import { probe, verify } from './verify.ts';

const CONFLICT_WAIT_MS = 10_000;

/** Telegram bots: by webhook where there is a public https address, else by long polling. */
export function telegramAdapter(
  { egress }: Pick<AdapterContext, 'egress'>,
  { conflictWaitMs = CONFLICT_WAIT_MS } = {},
): ChannelAdapter<TelegramSettings> {
  const call = createCall(egress);
  const conflicts = new Map<string, string>();
  return {
    type: 'telegram',
    settings: telegramSettings,
    secretKeys: ['bot_token', 'secret_token'],
    hostKeys: ['api_root'],
    limits: LIMITS,
    opensThreads: false,
    sendIsIdempotent: false,
    accountKey: (settings) => `telegram:${botId(settings)}`,
    threadKeyFor,
    split,
    send: (part, channel, signal) => send(call, part, { channel, signal }),
    edit: (target, channel, signal) => edit(call, target, { channel, signal }),
    remove: (target, channel, signal) => remove(call, target, { channel, signal }),
    door: { verify, parse, probe },
    listen: (channel, context) => poll(call, { channel, context }, { conflicts, conflictWaitMs }),
    shouldListen: (_channel, doorUrl) => doorUrl === undefined,
    connect: (channel, doorUrl) => connect(call, channel, doorUrl).catch(rethrow),
    health: (channel, doorUrl) => health(call, channel, { doorUrl, conflict: conflicts.get(channel.id) }),
    acknowledge: (inbound, channel) => answerCallback(call, inbound, channel),
    fetchAttachment: (ref, channel, signal) => fetchAttachment(ref, { call, egress, channel, signal }),
    typing: (key, channel) => showTyping(call, key, channel),
    markRead: (key, externalId, channel) => markRead(call, { key, externalId }, channel),
    react: (target, channel) => react(call, target, channel).catch(rethrow),
  };
}

/** Bots may write to whoever wrote to them; the person's id is the chat's. */
function threadKeyFor(address: string): string | undefined {
  const thread = readThread(address);
  return thread && threadKey(thread);
}

/** Until it is answered, a pressed button spins on the customer's screen. */
async function answerCallback(
  call: Call,
  inbound: Inbound,
  { settings }: Channel<TelegramSettings>,
): Promise<void> {
  const queryId = inbound.kind === 'message' ? inbound.metadata?.['callback_query_id'] : undefined;
  if (typeof queryId !== 'string') return;
  await call(settings, (api) => api.answerCallbackQuery({ callback_query_id: queryId }));
}

async function showTyping(call: Call, key: string, { settings }: Channel<TelegramSettings>): Promise<void> {
  const thread = readThread(key);
  if (!thread) return;
  const { direct_messages_topic_id: _, ...where } = addressOf(thread);
  await call(settings, (api) => api.sendChatAction({ ...where, action: 'typing' }));
}

/** A bot has one reaction to a message, of those that the chat allows. */
async function react(
  call: Call,
  { threadKey: key, externalId, emoji }: ReactionTarget,
  { settings }: Channel<TelegramSettings>,
): Promise<void> {
  const located = messageAt(key, externalId);
  if (located === undefined) throw new SendRejected('Telegram does not know this message.');
  const { thread, messageId } = located;
  const reaction = emoji === undefined ? [] : [{ type: 'emoji' as const, emoji: emoji as ReactionEmoji }];
  await call(settings, (api) =>
    api.setMessageReaction({ chat_id: thread.chatId, message_id: messageId, reaction }),
  );
}

// Telegram's list grows: what it does not know it refuses itself.
type ReactionEmoji = Extract<
  NonNullable<Parameters<RawApi['setMessageReaction']>[0]['reaction']>[number],
  { type: 'emoji' }
>['emoji'];

/** Only in a business's own account is there anybody whose reading the customer sees. */
async function markRead(
  call: Call,
  { key, externalId }: { key: string; externalId: string },
  { settings }: Channel<TelegramSettings>,
): Promise<void> {
  const located = messageAt(key, externalId);
  const businessConnectionId = located?.thread.businessConnectionId;
  if (located === undefined || businessConnectionId === undefined) return;
  await call(settings, (api) =>
    api.readBusinessMessage({
      business_connection_id: businessConnectionId,
      chat_id: located.thread.chatId,
      message_id: located.messageId,
    }),
  );
}
