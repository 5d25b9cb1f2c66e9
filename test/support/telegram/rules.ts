/** What Telegram refuses, in the words in which it does. */

export class Refused extends Error {
  readonly code: number;
  readonly parameters: Record<string, unknown> | undefined;

  constructor(code: number, description: string, parameters?: Record<string, unknown>) {
    super(description);
    this.code = code;
    this.parameters = parameters;
  }
}

export type Params = Record<string, unknown>;

const bad = (why: string) => new Refused(400, `Bad Request: ${why}`);

/** A chat id: an integer, or its digits, or the name of a public channel. */
export function chatIdOf({ chat_id }: Params): number {
  if (chat_id === undefined || chat_id === '') throw bad('chat_id is empty');
  if (typeof chat_id === 'number' && Number.isSafeInteger(chat_id)) return chat_id;
  if (typeof chat_id === 'string' && /^-?\d+$/.test(chat_id)) return Number(chat_id);
  throw bad('chat not found');
}

/** A text after its entities were parsed: 1 to 4096. */
export function checkText({ text, parse_mode }: Params): void {
  if (typeof text !== 'string') throw bad('message text is empty');
  const shown = parsedText(text, parse_mode).trim();
  if (shown === '') throw bad('message text is empty');
  if (shown.length > 4096) throw bad('message is too long');
}

/** A caption after its entities were parsed: up to 1024. */
export function checkCaption({ caption, parse_mode }: Params): void {
  if (caption === undefined) return;
  if (typeof caption !== 'string') throw bad('caption must be a string');
  if (parsedText(caption, parse_mode).trim().length > 1024) throw bad('message caption is too long');
}

const TAGS = new Set(
  'b strong i em u ins s strike del span tg-spoiler a code pre blockquote tg-emoji tg-time'.split(' '),
);

function parsedText(text: string, mode: unknown): string {
  if (mode === undefined) return text;
  if (mode !== 'HTML') throw bad(`unsupported parse_mode`);
  const open: string[] = [];
  let shown = '';
  for (const [token] of text.matchAll(/<[^>]*>?|[^<]+/g)) {
    if (!token.startsWith('<')) shown += token.replace(/&(lt|gt|amp|quot|#\d+|#x[\da-f]+);/gi, 'x');
    else readTag(token, open);
  }
  if (open.length > 0)
    throw bad(`can't parse entities: Can't find end tag corresponding to start tag "${open.pop()}"`);
  return shown;
}

function readTag(token: string, open: string[]): void {
  const [, closing, name = ''] = /^<(\/?)([a-z-]+)[^<>]*>$/i.exec(token) ?? [];
  if (!TAGS.has(name.toLowerCase()))
    throw bad(`can't parse entities: Unsupported start tag "${name}" at byte offset 0`);
  if (!closing) open.push(name.toLowerCase());
  else if (open.pop() !== name.toLowerCase())
    throw bad(`can't parse entities: Unmatched end tag at byte offset 0`);
}

/** An inline keyboard: rows of buttons, each with a text and exactly one purpose. */
export function checkMarkup({ reply_markup }: Params): void {
  if (reply_markup === undefined) return;
  const rows = (reply_markup as { inline_keyboard?: unknown }).inline_keyboard;
  if (!Array.isArray(rows)) throw bad('object expected as reply markup');
  for (const row of rows) {
    if (!Array.isArray(row)) throw bad('field "inline_keyboard" must be an array of arrays');
    for (const button of row) checkButton(button as Params);
  }
}

function checkButton({ text, url, callback_data, ...others }: Params): void {
  if (typeof text !== 'string' || text === '') throw bad('inline keyboard button text must be non-empty');
  if (Object.keys(others).length > 0) throw bad('text buttons are unallowed in the inline keyboard');
  if ((url === undefined) === (callback_data === undefined)) throw bad('exactly one type of button');
  if (url !== undefined && !(typeof url === 'string' && /^(https?|tg):\/\/[^\s]+/.test(url))) {
    throw bad(`inline keyboard button URL '${url}' is invalid: Wrong HTTP URL`);
  }
  const bytes = typeof callback_data === 'string' ? Buffer.byteLength(callback_data) : 0;
  if (callback_data !== undefined && (bytes < 1 || bytes > 64)) throw bad('BUTTON_DATA_INVALID');
}

/** The address that setWebhook takes and the secret that goes with it. */
export function checkWebhook({ url, secret_token, allowed_updates }: Params, isLocal: boolean): void {
  const isAddress = typeof url === 'string' && (url === '' || URL.canParse(url));
  if (!isAddress) throw bad('bad webhook: invalid webhook URL specified');
  if (url !== '' && !isLocal && !url.startsWith('https://'))
    throw bad('bad webhook: An HTTPS URL must be provided for webhook');
  if (secret_token !== undefined && !/^[A-Za-z0-9_-]{1,256}$/.test(String(secret_token))) {
    throw bad('secret token contains unallowed characters');
  }
  if (allowed_updates !== undefined && !Array.isArray(allowed_updates))
    throw bad("can't parse allowed updates");
}

const ACTIONS =
  'typing upload_photo record_video upload_video record_voice upload_voice upload_document choose_sticker find_location record_video_note upload_video_note';

/** What a bot may be seen doing. */
export function checkAction({ action }: Params): void {
  if (!ACTIONS.split(' ').includes(String(action))) throw bad('wrong parameter action in request');
}

const PHOTO = /^(\xff\xd8\xff|\x89PNG|RIFF....WEBP)/s;

/** A photo is a picture that Telegram can read; of an album it says which one is none. */
export function checkPhoto({ bytes }: { bytes: Buffer }, position?: number): void {
  if (PHOTO.test(bytes.toString('latin1', 0, 16))) return;
  throw bad(
    position === undefined
      ? 'IMAGE_PROCESS_FAILED'
      : `failed to send message #${position} with the error message "IMAGE_PROCESS_FAILED"`,
  );
}

/** Two to ten items, all with a file, and documents and songs among their like. */
export function checkAlbum({ media }: Params): Params[] {
  if (!Array.isArray(media) || media.length < 2 || media.length > 10)
    throw bad('media group must contain 2-10 items');
  const items = media as Params[];
  const kinds = new Set(items.map(({ type }) => (type === 'video' ? 'photo' : type)));
  if (kinds.size > 1) throw bad("can't use the specified media type in the album");
  if (!['photo', 'audio', 'document'].includes(String([...kinds][0])))
    throw bad('media type is not allowed in albums');
  for (const item of items) checkCaption(item);
  return items;
}
