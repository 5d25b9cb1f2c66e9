import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createInbox } from './telegram/inbox.ts';
import { readRequest, type UploadedFile } from './telegram/multipart.ts';
import {
  chatIdOf,
  checkAction,
  checkAlbum,
  checkCaption,
  checkMarkup,
  checkPhoto,
  checkText,
  checkWebhook,
  type Params,
  Refused,
} from './telegram/rules.ts';
import type { FakeChat, FakeUpdate } from './telegram/updates.ts';

export * from './telegram/updates.ts';

/** One request that reached the stand-in, whatever became of it. */
export interface ReceivedCall {
  method: string;
  params: Params;
  files: Map<string, UploadedFile>;
  at: number;
}

/** A message that the stand-in took. */
export interface AcceptedMessage {
  chatId: number;
  messageId: number;
  method: string;
  text: string;
  params: Params;
  files: UploadedFile[];
  /** The business account in whose name it was written. */
  account?: string;
}

/** What goes wrong with a call: a refusal, an answer that no Telegram gave, or no answer after the message was taken. */
export type Failure =
  | { code: number; description: string; parameters?: Record<string, unknown> }
  | { html: number }
  | { json: number }
  | 'hang'
  | 'drop';

interface TelegramOptions {
  token?: string;
  /** A self-hosted server: takes http webhooks and gives out files of any size. */
  local?: boolean;
  /** Where a public webhook address is really served. */
  route?: (url: string) => string;
  retryMs?: number;
  /** How long a message that was taken is not answered. */
  answerAfterMs?: number;
}

const CLOUD_FILE_BYTES = 20 * 1024 * 1024;
const UPLOAD_BYTES = 50 * 1000 * 1000;

export type FakeTelegram = Awaited<ReturnType<typeof startTelegram>>;

/** A Bot API server over loopback, as strict as the original where our adapter could be wrong. */
export async function startTelegram({
  token = '123456:TEST-token_abc',
  local = false,
  route = (url) => url,
  retryMs = 20,
  answerAfterMs = 0,
}: TelegramOptions = {}) {
  const bot = {
    id: Number(token.split(':')[0]),
    is_bot: true,
    first_name: 'Test bot',
    username: 'test_bot',
    can_read_all_group_messages: false,
  };
  const inbox = createInbox({ route, retryMs });
  const calls: ReceivedCall[] = [];
  const accepted: AcceptedMessage[] = [];
  const failures: { method: string; failure: Failure; times: number; after: number }[] = [];
  const chats = new Set<number>();
  const lost = new Map<number, string>();
  const topics = new Set<string>();
  const accounts = new Set<string>();
  const written = new Set<string>();
  const migrated = new Map<number, number>();
  const stored = new Map<string, { path: string; bytes: Buffer; size: number }>();
  const callbacks = new Set<string>();
  let answering = Promise.resolve();
  let lastMessageId = 9000;

  const server = createServer((request, response) => {
    respond(request, response).catch((error: unknown) => {
      if (!response.headersSent)
        answer(response, 500, { ok: false, error_code: 500, description: `Internal Server Error: ${error}` });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    const [, givenToken, method = ''] = /^\/bot([^/]+)\/(\w+)$/.exec(request.url ?? '') ?? [];
    if (givenToken === undefined) return sendFile(request, response);
    if (givenToken !== token)
      return answer(response, 401, { ok: false, error_code: 401, description: 'Unauthorized' });
    const call = { method, ...readRequest(request.headers['content-type'] ?? '', body), at: Date.now() };
    calls.push(call);
    await perform(call, request, response);
  }

  async function perform(
    call: ReceivedCall,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const failure = takeFailure(call.method);
    if (typeof failure === 'object' && 'html' in failure) {
      response.writeHead(failure.html, { 'content-type': 'text/html' }).end('<html>Bad Gateway</html>');
      return;
    }
    if (typeof failure === 'object' && 'json' in failure) {
      answer(response, failure.json, { error: 'upstream' });
      return;
    }
    try {
      if (call.method.startsWith('send')) await answering;
      if (typeof failure === 'object')
        throw new Refused(failure.code, failure.description, failure.parameters);
      const result = await execute(call);
      if (answerAfterMs > 0 && call.method.startsWith('send')) await sleep(answerAfterMs);
      if (failure === 'drop') return void request.socket.destroy();
      if (failure === 'hang') return;
      answer(response, 200, { ok: true, result });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const parameters = error.parameters ? { parameters: error.parameters } : {};
      answer(response, error.code, {
        ok: false,
        error_code: error.code,
        description: error.message,
        ...parameters,
      });
    }
  }

  function takeFailure(method: string): Failure | undefined {
    const planned = failures.find((one) => one.times > 0 && (one.method === '*' || one.method === method));
    if (planned && planned.after-- > 0) return undefined;
    if (planned) planned.times -= 1;
    return planned?.failure;
  }

  const methods: Record<string, (call: ReceivedCall) => unknown> = {
    getMe: () => bot,
    getWebhookInfo: () => inbox.webhookInfo(),
    getUpdates: ({ params }) => inbox.getUpdates(params),
    setWebhook({ params }) {
      checkWebhook(params, local);
      return inbox.setWebhook(params);
    },
    deleteWebhook: ({ params }) =>
      inbox.setWebhook({ url: '', drop_pending_updates: params['drop_pending_updates'] }),
    sendMessage(call) {
      checkText(call.params);
      return accept(call, String(call.params['text']), []);
    },
    sendMediaGroup(call) {
      const items = checkAlbum(call.params);
      for (const [n, item] of items.entries())
        if (item['type'] === 'photo') checkPhoto(mediaOf(call, item['media']), n + 1);
      return items.map((item) => accept(call, String(item['caption'] ?? ''), [mediaOf(call, item['media'])]));
    },
    editMessageText({ params }) {
      checkText(params);
      return change(params, String(params['text']));
    },
    editMessageCaption({ params }) {
      checkCaption(params);
      return change(params, String(params['caption'] ?? ''));
    },
    deleteMessages({ params }) {
      const chatId = knownChat(params);
      removeAll(params, (one) => one.chatId === chatId && one.account === undefined);
      return true;
    },
    deleteBusinessMessages({ params }) {
      const account = knownAccount(params);
      if (account === undefined) throw new Refused(400, 'Bad Request: BUSINESS_CONNECTION_INVALID');
      removeAll(params, (one) => one.account === account);
      return true;
    },
    answerCallbackQuery({ params }) {
      if (callbacks.has(String(params['callback_query_id']))) return true;
      throw new Refused(
        400,
        'Bad Request: query is too old and response timeout expired or query ID is invalid',
      );
    },
    setMessageReaction({ params }) {
      const chatId = knownChat(params);
      const id = `${chatId}:${params['message_id']}`;
      if (!written.has(id) && !accepted.some((one) => `${one.chatId}:${one.messageId}` === id))
        throw new Refused(400, 'Bad Request: message to react not found');
      const [reaction] = (params['reaction'] ?? []) as { type?: string; emoji?: string }[];
      if (reaction !== undefined && !['👍', '❤', '🔥', '🎉'].includes(reaction.emoji ?? ''))
        throw new Refused(400, 'Bad Request: REACTION_INVALID');
      return true;
    },
    sendChatAction({ params }) {
      knownPlace(params);
      checkAction(params);
      return true;
    },
    readBusinessMessage({ params }) {
      const account = knownAccount(params);
      if (account === undefined) throw new Refused(400, 'Bad Request: BUSINESS_CONNECTION_INVALID');
      if (!written.has(`${knownChat(params)}:${params['message_id']}`))
        throw new Refused(400, 'Bad Request: message not found');
      return true;
    },
    getFile({ params }) {
      const file = stored.get(String(params['file_id']));
      if (!file) throw new Refused(400, 'Bad Request: wrong file_id or the file is temporarily unavailable');
      if (!local && file.size > CLOUD_FILE_BYTES) throw new Refused(400, 'Bad Request: file is too big');
      return { file_id: params['file_id'], file_unique_id: 'u', file_size: file.size, file_path: file.path };
    },
  };
  for (const kind of ['photo', 'video', 'animation', 'audio', 'voice', 'document']) {
    methods[`send${kind[0]?.toUpperCase()}${kind.slice(1)}`] = (call) => {
      checkCaption(call.params);
      const file = mediaOf(call, call.params[kind]);
      if (kind === 'photo') checkPhoto(file);
      return accept(call, String(call.params['caption'] ?? ''), [file]);
    };
  }

  function execute(call: ReceivedCall): unknown {
    const method = methods[call.method];
    if (!method) throw new Refused(404, 'Not Found: method not found');
    return method(call);
  }

  function accept(call: ReceivedCall, text: string, files: UploadedFile[]) {
    const { chatId, account } = knownPlace(call.params);
    checkMarkup(call.params);
    checkReply(call.params, chatId);
    const messageId = ++lastMessageId;
    const { method, params } = call;
    accepted.push({ chatId, messageId, method, text, params, files, ...(account ? { account } : {}) });
    return {
      message_id: messageId,
      date: Math.floor(Date.now() / 1000),
      chat: { id: chatId, type: 'private' },
      from: bot,
      text,
    };
  }

  function change(params: Params, text: string) {
    const chatId = knownChat(params);
    checkMarkup(params);
    const account = knownAccount(params);
    const message = accepted.find(
      (one) => one.chatId === chatId && one.messageId === params['message_id'] && one.account === account,
    );
    if (message === undefined) throw new Refused(400, 'Bad Request: message to edit not found');
    if (message.text === text && params['reply_markup'] === undefined)
      throw new Refused(
        400,
        'Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message',
      );
    message.text = text;
    return { message_id: message.messageId, chat: { id: chatId, type: 'private' }, text };
  }

  function knownChat(params: Params): number {
    const chatId = chatIdOf(params);
    const supergroup = migrated.get(chatId);
    if (supergroup !== undefined) {
      const parameters = { migrate_to_chat_id: supergroup };
      throw new Refused(400, 'Bad Request: group chat was upgraded to a supergroup chat', parameters);
    }
    if (!chats.has(chatId)) throw new Refused(400, 'Bad Request: chat not found');
    const why = lost.get(chatId);
    if (why !== undefined) throw new Refused(403, `Forbidden: ${why}`);
    return chatId;
  }

  function knownAccount({ business_connection_id: account }: Params): string | undefined {
    if (account === undefined) return undefined;
    if (!accounts.has(String(account))) throw new Refused(400, 'Bad Request: business connection not found');
    return String(account);
  }

  /** The chat, the topic in it and the account that writes there. */
  function knownPlace(params: Params): { chatId: number; account: string | undefined } {
    const chatId = knownChat(params);
    const topic = params['message_thread_id'] ?? params['direct_messages_topic_id'];
    if (topic !== undefined && !topics.has(`${chatId}:${topic}`))
      throw new Refused(400, 'Bad Request: message thread not found');
    return { chatId, account: knownAccount(params) };
  }

  /** What is not there is passed over. */
  function removeAll({ message_ids: ids }: Params, isThere: (message: AcceptedMessage) => boolean): void {
    if (!Array.isArray(ids) || ids.length === 0 || ids.length > 100)
      throw new Refused(400, 'Bad Request: message identifiers are not specified');
    for (const id of ids) {
      const index = accepted.findIndex((one) => isThere(one) && one.messageId === id);
      if (index !== -1) accepted.splice(index, 1);
    }
  }

  function checkReply(params: Params, chatId: number): void {
    const reply = params['reply_parameters'] as
      | { message_id?: unknown; allow_sending_without_reply?: boolean }
      | undefined;
    if (reply === undefined) return;
    if (!Number.isSafeInteger(reply.message_id))
      throw new Refused(400, 'Bad Request: message_id must be an integer');
    const isOurs = accepted.some((one) => one.chatId === chatId && one.messageId === reply.message_id);
    if (!isOurs && !reply.allow_sending_without_reply)
      throw new Refused(400, 'Bad Request: message to be replied not found');
  }

  function mediaOf({ files }: ReceivedCall, media: unknown): UploadedFile {
    const file = files.get(String(media).replace('attach://', ''));
    if (!file || file.bytes.length === 0)
      throw new Refused(400, 'Bad Request: wrong file identifier/HTTP URL specified');
    if (file.bytes.length > UPLOAD_BYTES) throw new Refused(413, 'Request Entity Too Large');
    return file;
  }

  function sendFile(request: IncomingMessage, response: ServerResponse): void {
    const prefix = `/file/bot${token}/`;
    const path = decodeURIComponent((request.url ?? '').slice(prefix.length));
    const file = request.url?.startsWith(prefix)
      ? [...stored.values()].find((one) => one.path === path)
      : undefined;
    if (!file) {
      answer(response, 404, { ok: false, error_code: 404, description: 'Not Found' });
      return;
    }
    response
      .writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': file.bytes.length })
      .end(file.bytes);
  }

  return {
    url,
    token,
    bot,
    calls,
    accepted,
    inbox,
    /** Settings of a channel whose bot lives here. */
    config: { bot_token: token, api_root: url },
    /** A customer's update: its chat is one that the bot may write to from now on. */
    push(update: FakeUpdate): FakeUpdate {
      noteChats(update);
      inbox.push(update);
      return update;
    },
    /** Lets the bot write to chats that never wrote. */
    know(...ids: number[]): void {
      for (const id of ids) chats.add(id);
    },
    /** The chat has this topic, or person that writes to a channel. */
    knowTopic(chat: number, topic: number): void {
      chats.add(chat);
      topics.add(`${chat}:${topic}`);
    },
    /** The bot may write in the name of this business account. */
    knowAccount(connectionId: string): void {
      accounts.add(connectionId);
    },
    /** There is a message of this number in the chat. */
    knowMessage(chat: number, messageId: number): void {
      chats.add(chat);
      written.add(`${chat}:${messageId}`);
    },
    /** The next calls of this method (`*`: of any) fail, once some of them went well. */
    fail(method: string, failure: Failure, times = 1, { after = 0 } = {}): void {
      failures.push({ method, failure, times, after });
    },
    /** Whatever is sent is answered when it is let go. */
    hold(): () => void {
      const held = Promise.withResolvers<void>();
      answering = held.promise;
      return held.resolve;
    },
    /** Nothing fails any more. */
    heal(): void {
      failures.length = 0;
    },
    /** The group is a supergroup from now on. */
    migrate(from: number, to: number): void {
      chats.add(to);
      migrated.set(from, to);
    },
    /** Stores a file that customers can send; `size` may claim more than there is. */
    addFile(bytes: Buffer, { path = `documents/file_${stored.size}.bin`, size = bytes.length } = {}): string {
      const fileId = `stored-${stored.size}`;
      stored.set(fileId, { path, bytes, size });
      return fileId;
    },
    /** The messages that a chat shows, in order. */
    shown: (chat: FakeChat | number) =>
      accepted.filter(({ chatId }) => chatId === (typeof chat === 'number' ? chat : chat.id)),
    /** Texts that were taken more than once. */
    doubled: () =>
      [...Map.groupBy(accepted, ({ chatId, text }) => `${chatId}: ${text}`)]
        .filter(([, all]) => all.length > 1)
        .map(([text]) => text),
    async close() {
      await inbox.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  function noteChats(update: FakeUpdate): void {
    noteMembership(update);
    for (const value of Object.values(update)) {
      if (typeof value !== 'object' || value === null) continue;
      const { id, message } = value as { id?: unknown; message?: Params };
      noteMessage(value as Params);
      if (message) noteMessage(message);
      if ('chat_instance' in value && typeof id === 'string') callbacks.add(id);
    }
  }

  function noteMessage(message: Params): void {
    const { message_id, message_thread_id, business_connection_id } = message;
    const chat = message['chat'] as FakeChat | undefined;
    const direct = message['direct_messages_topic'] as { topic_id?: number } | undefined;
    if (chat === undefined) return;
    chats.add(chat.id);
    written.add(`${chat.id}:${message_id}`);
    topics.add(`${chat.id}:${direct?.topic_id ?? message_thread_id}`);
    if (business_connection_id !== undefined) accounts.add(String(business_connection_id));
  }

  /** Whoever blocked the bot, or put it out of a group, gets nothing of it until they let it in again. */
  function noteMembership({ my_chat_member: change }: FakeUpdate): void {
    if (change === undefined) return;
    const { chat, new_chat_member } = change as { chat: FakeChat; new_chat_member: { status: string } };
    const isGone = ['kicked', 'left'].includes(new_chat_member.status);
    const group = chat.type === 'group' ? 'group' : chat.type;
    if (!isGone) lost.delete(chat.id);
    else if (chat.type === 'private') lost.set(chat.id, 'bot was blocked by the user');
    else lost.set(chat.id, `bot was kicked from the ${group} chat`);
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
