/** Where messages of Telegram go: a chat, maybe one topic of it, maybe through a business's own account. */
export interface Thread {
  chatId: number;
  topicId?: number;
  /** One person's topic in the direct messages of a channel. */
  directTopicId?: number;
  /** The account on whose behalf the bot answers; its chats are apart from the bot's own of the same id. */
  businessConnectionId?: string;
}

/** `chat`, `chat:topic`, `chat:d<direct topic>`, each with `@<business connection>` where there is one. */
export function threadKey(thread: Thread): string {
  return `${thread.chatId}${topicSuffix(thread)}${accountSuffix(thread)}`;
}

const THREAD_KEY = /^(-?\d{1,16})(?::(d?)(\d{1,16}))?(?:@(.+))?$/s;

/** The thread that a key names; undefined when it is none of Telegram's. */
export function readThread(key: string): Thread | undefined {
  const [, chat, direct, topic, account] = THREAD_KEY.exec(key) ?? [];
  if (chat === undefined) return undefined;
  return {
    chatId: Number(chat),
    ...(topic === undefined ? {} : direct ? { directTopicId: Number(topic) } : { topicId: Number(topic) }),
    ...(account === undefined ? {} : { businessConnectionId: account }),
  };
}

/** Telegram counts messages per chat, so its id alone would name two messages. */
export function externalId(thread: Thread, messageId: number): string {
  return `${thread.chatId}${accountSuffix(thread)}:${messageId}`;
}

/** The message id within this thread's chat; undefined when the id belongs to another chat. */
export function messageIdIn(thread: Thread, id: string): number | undefined {
  const prefix = externalId(thread, 0).slice(0, -1);
  const messageId = Number(id.slice(prefix.length));
  return id.startsWith(prefix) && Number.isSafeInteger(messageId) && messageId > 0 ? messageId : undefined;
}

/** The chat and the message in it that a thread and an id name; undefined when they are of two chats. */
export function messageAt(key: string, id: string): { thread: Thread; messageId: number } | undefined {
  const thread = readThread(key);
  const messageId = thread && messageIdIn(thread, id);
  return thread === undefined || messageId === undefined ? undefined : { thread, messageId };
}

function topicSuffix(thread: Thread): string {
  if (thread.topicId !== undefined) return `:${thread.topicId}`;
  return thread.directTopicId === undefined ? '' : `:d${thread.directTopicId}`;
}

function accountSuffix(thread: Thread): string {
  return thread.businessConnectionId === undefined ? '' : `@${thread.businessConnectionId}`;
}
