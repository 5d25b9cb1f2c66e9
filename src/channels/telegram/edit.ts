import type { RawApi } from 'grammy';
import type { EditTarget, RemovalTarget } from '../../core/adapter.ts';
import { SendRejected } from '../../core/errors.ts';
import type { Call } from './client.ts';
import { sendError, TelegramRefusal } from './errors.ts';
import { CANNOT_PARSE, captionOf, type SendOptions, wordsOf } from './send.ts';
import type { Payload } from './split.ts';
import { messageAt, type Thread } from './thread.ts';

/** Puts other words where a message stands, for as long as Telegram lets bots do that. */
export async function edit(
  call: Call,
  { part, externalId }: EditTarget,
  options: SendOptions,
): Promise<void> {
  const { thread, messageId } = locate(part.threadKey, externalId);
  const payload = part.payload as unknown as Payload;
  try {
    await change(payload);
  } catch (error) {
    if (error instanceof TelegramRefusal && NOTHING_NEW.test(error.description)) return;
    throw sendError(error);
  }

  /** Formatting that Telegram does not understand goes, as when the message was sent. */
  async function change(wanted: Payload): Promise<void> {
    try {
      await call(
        options.channel.settings,
        (api) => replace(api, { thread, messageId, payload: wanted }),
        options,
      );
    } catch (error) {
      const { html, ...plain } = wanted;
      const isFormat = error instanceof TelegramRefusal && CANNOT_PARSE.test(error.description);
      if (html === undefined || !isFormat) throw error;
      await change(plain);
    }
  }
}

const NOTHING_NEW = /message is not modified/i;

interface Replacement {
  thread: Thread;
  messageId: number;
  payload: Payload;
}

async function replace(api: RawApi, { thread, messageId, payload }: Replacement): Promise<unknown> {
  const markup = payload.keyboard ? { reply_markup: { inline_keyboard: payload.keyboard } } : {};
  const where = { chat_id: thread.chatId, message_id: messageId, ...accountOf(thread), ...markup };
  return payload.media === undefined
    ? api.editMessageText({ ...where, ...wordsOf(payload) })
    : api.editMessageCaption({ ...where, ...captionOf(payload) });
}

function accountOf({ businessConnectionId }: Thread) {
  return businessConnectionId === undefined ? {} : { business_connection_id: businessConnectionId };
}

/** Takes messages back, all of an album together. */
export async function remove(
  call: Call,
  { threadKey, externalIds }: RemovalTarget,
  { channel, signal }: SendOptions,
): Promise<void> {
  const located = externalIds.map((id) => locate(threadKey, id));
  const message_ids = located.map(({ messageId }) => messageId);
  const { chatId, businessConnectionId } = located[0]?.thread ?? { chatId: 0 };
  try {
    await call(
      channel.settings,
      (api) =>
        businessConnectionId === undefined
          ? api.deleteMessages({ chat_id: chatId, message_ids })
          : api.deleteBusinessMessages({ business_connection_id: businessConnectionId, message_ids }),
      { signal },
    );
  } catch (error) {
    throw sendError(error);
  }
}

function locate(threadKey: string, externalId: string): { thread: Thread; messageId: number } {
  const located = messageAt(threadKey, externalId);
  if (located !== undefined) return located;
  throw new SendRejected('The message is in another chat than the conversation is now.');
}
