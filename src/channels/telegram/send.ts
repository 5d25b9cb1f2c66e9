import type { InputFile, RawApi } from 'grammy';
import type { Channel } from '../../core/adapter.ts';
import type { OutboundAttachment, Part, SentPart } from '../../core/envelope.ts';
import { SendRejected } from '../../core/errors.ts';
import type { Call } from './client.ts';
import { sendError, TelegramRefusal } from './errors.ts';
import { LIMITS } from './limits.ts';
import type { TelegramSettings } from './settings.ts';
import type { MediaKind, Payload } from './split.ts';
import { externalId, messageIdIn, readThread, type Thread, threadKey } from './thread.ts';

const UPLOAD_TIMEOUT_MS = 120_000;

/** Sends one part, and once more where Telegram says what to do differently. */
export async function send(call: Call, part: Part, { channel, signal }: SendOptions): Promise<SentPart> {
  const thread = readThread(part.threadKey);
  if (!thread) throw new SendRejected(`"${part.threadKey}" is no chat of Telegram.`);
  refuseTooLarge(part.attachments);
  const uploads = await Promise.all(part.attachments.map(readUpload));
  const timing = { signal, ...(uploads.length > 0 ? { timeoutMs: UPLOAD_TIMEOUT_MS } : {}) };
  try {
    const request = { thread, payload: part.payload as unknown as Payload, uploads };
    return await attempt(request, (tried) => call(channel.settings, (api) => post(api, tried), timing));
  } catch (error) {
    throw sendError(error);
  }
}

export interface SendOptions {
  channel: Channel<TelegramSettings>;
  signal: AbortSignal;
}

interface Request {
  thread: Thread;
  payload: Payload;
  uploads: InputFile[];
  /** Set once the group turned out to be a supergroup now. */
  movedTo?: string;
}

function refuseTooLarge(attachments: OutboundAttachment[]): void {
  const tooLarge = attachments.find(({ sizeBytes }) => (sizeBytes ?? 0) > LIMITS.outboundBytes);
  if (tooLarge) throw new SendRejected(`"${tooLarge.name}" is over Telegram's limit of 50 MB.`);
}

async function readUpload({ name, open }: OutboundAttachment): Promise<InputFile> {
  const { InputFile } = await import('grammy');
  // grammY writes the name unquoted into the header of its part.
  return new InputFile(await open(), name.replace(/[\p{Cc}";\\]/gu, '_'));
}

async function attempt(
  request: Request,
  tryOnce: (request: Request) => Promise<SentMessage[]>,
): Promise<SentPart> {
  try {
    return sentPart(request, await tryOnce(request));
  } catch (error) {
    const changed = error instanceof TelegramRefusal ? amended(request, error) : undefined;
    if (!changed) throw error;
    return attempt(changed, tryOnce);
  }
}

/** Each change makes the next refusal of its kind impossible or final, so this ends. */
function amended(request: Request, refusal: TelegramRefusal): Request | undefined {
  const { payload, thread } = request;
  const supergroup = refusal.parameters.migrate_to_chat_id;
  if (supergroup !== undefined && request.movedTo === undefined) {
    const moved = { ...thread, chatId: supergroup };
    return { ...request, thread: moved, movedTo: threadKey(moved) };
  }
  if (payload.html !== undefined && CANNOT_PARSE.test(refusal.description)) {
    const { html: _, ...plain } = payload;
    return { ...request, payload: plain };
  }
  if (payload.media?.includes('photo') && REFUSED_PHOTO.test(refusal.description)) {
    // Documents share an album with their like only.
    return { ...request, payload: { ...payload, media: payload.media.map(() => 'document') } };
  }
  return undefined;
}

/** Formatting that Telegram does not understand. */
export const CANNOT_PARSE = /can't parse (entities|message text)/i;

const REFUSED_PHOTO =
  /PHOTO_INVALID_DIMENSIONS|PHOTO_EXT_INVALID|PHOTO_SAVE_FILE_INVALID|IMAGE_PROCESS_FAILED/;

interface SentMessage {
  message_id: number;
}

function sentPart({ thread, movedTo }: Request, messages: SentMessage[]): SentPart {
  const [first, ...others] = messages
    .filter(({ message_id }) => message_id > 0)
    .map(({ message_id }) => externalId(thread, message_id));
  return {
    externalId: first,
    ...(others.length > 0 ? { alsoKnownAs: others } : {}),
    ...(movedTo === undefined ? {} : { newThreadKey: movedTo }),
  };
}

async function post(api: RawApi, { thread, payload, uploads }: Request): Promise<SentMessage[]> {
  const where = { ...addressOf(thread), ...replyParameters(thread, payload) };
  const { media = [], keyboard } = payload;
  if (media.length > 1) {
    return api.sendMediaGroup({ ...where, media: albumOf(payload, uploads) });
  }
  const markup = keyboard ? { reply_markup: { inline_keyboard: keyboard } } : {};
  const [kind] = media;
  if (kind !== undefined)
    return [
      await postFile(api, kind, { ...where, ...markup, ...captionOf(payload), file: present(uploads[0]) }),
    ];
  return [await api.sendMessage({ ...where, ...markup, ...wordsOf(payload) })];
}

/** The members that every method takes to say which chat, topic and account. */
export function addressOf(thread: Thread) {
  return {
    chat_id: thread.chatId,
    ...(thread.topicId === undefined ? {} : { message_thread_id: thread.topicId }),
    ...(thread.directTopicId === undefined ? {} : { direct_messages_topic_id: thread.directTopicId }),
    ...(thread.businessConnectionId === undefined
      ? {}
      : { business_connection_id: thread.businessConnectionId }),
  };
}

/** A message that is gone, or was in the group before it moved, must not keep the answer from going out. */
function replyParameters(thread: Thread, { replyTo }: Payload) {
  const messageId = replyTo === undefined ? undefined : messageIdIn(thread, replyTo);
  return messageId === undefined
    ? {}
    : { reply_parameters: { message_id: messageId, allow_sending_without_reply: true } };
}

/** The words of a message without files. */
export function wordsOf({ text, html }: Payload) {
  return html === undefined ? { text } : { text: html, parse_mode: 'HTML' as const };
}

/** The words below a file. */
export function captionOf({ text, html }: Payload) {
  if (html !== undefined) return { caption: html, parse_mode: 'HTML' as const };
  return text === '' ? {} : { caption: text };
}

type Album = Parameters<RawApi['sendMediaGroup']>[0]['media'];

/** `split` has seen to it that what shares an album may do so, which the types cannot know. */
function albumOf(payload: Payload, uploads: InputFile[]): Album {
  return (payload.media ?? []).map((kind, n) =>
    albumItem(kind, uploads[n], n === 0 ? payload : undefined),
  ) as Album;
}

function albumItem(kind: MediaKind, upload: InputFile | undefined, captioned: Payload | undefined) {
  const media = { media: present(upload), ...(captioned ? captionOf(captioned) : {}) };
  switch (kind) {
    case 'photo':
      return { type: 'photo' as const, ...media };
    case 'video':
      return { type: 'video' as const, ...media };
    case 'audio':
      return { type: 'audio' as const, ...media };
    case 'document':
    case 'animation':
    case 'voice':
      return { type: 'document' as const, ...media };
  }
}

function present(upload: InputFile | undefined): InputFile {
  if (!upload) throw new SendRejected('A file of this message is gone.');
  return upload;
}

type FileParameters = ReturnType<typeof addressOf> & { file: InputFile };

function postFile(
  api: RawApi,
  kind: MediaKind,
  { file, ...parameters }: FileParameters,
): Promise<SentMessage> {
  switch (kind) {
    case 'photo':
      return api.sendPhoto({ ...parameters, photo: file });
    case 'video':
      return api.sendVideo({ ...parameters, video: file });
    case 'animation':
      return api.sendAnimation({ ...parameters, animation: file });
    case 'audio':
      return api.sendAudio({ ...parameters, audio: file });
    case 'voice':
      return api.sendVoice({ ...parameters, voice: file });
    case 'document':
      return api.sendDocument({ ...parameters, document: file });
  }
}
