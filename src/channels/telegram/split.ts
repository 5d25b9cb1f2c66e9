import { type ShownCard, showCard } from '../../core/cards.ts';
import type { OutboundAttachment, OutboundMessage, Part } from '../../core/envelope.ts';
import { splitText } from '../shared/split-text.ts';
import { type Button, cardWords, keyboardOf } from './cards.ts';
import { telegramHtml } from './html.ts';
import { LIMITS } from './limits.ts';

export type MediaKind = 'photo' | 'video' | 'animation' | 'audio' | 'voice' | 'document';

/** One request to Telegram: a text, a file or an album; `html` is what it looks like formatted. */
export interface Payload {
  text: string;
  html?: string;
  media?: MediaKind[];
  replyTo?: string;
  keyboard?: Button[][];
}

/** What one message becomes: files in albums of up to ten, the text as their caption or below, buttons on the last. */
export function split(message: OutboundMessage): Part[] {
  const groups = groupMedia(message.attachments);
  const card = message.card && showCard({ id: message.id, card: message.card }, LIMITS.cards);
  const texts = wordsOf(message, card, groups.length > 0 && !card);
  const caption = groups.length > 0 && !card ? texts.shift() : undefined;
  const files = groups.map((group, n) => ({
    payload: { text: '', ...(n === 0 ? caption : undefined), media: group.map(mediaKind) },
    attachments: group,
  }));
  const below = texts.map((text) => ({ payload: text, attachments: [] }));
  return finish([...files, ...below], message, keyboardOf(card));
}

interface Draft {
  payload: Payload;
  attachments: OutboundAttachment[];
}

function finish(drafts: Draft[], message: OutboundMessage, keyboard: Button[][] | undefined): Part[] {
  const first = message.replyToExternalId === undefined ? {} : { replyTo: message.replyToExternalId };
  return drafts.map(({ payload, attachments }, n) => ({
    n,
    threadKey: message.threadKey,
    payload: {
      ...payload,
      ...(n === 0 ? first : {}),
      ...(keyboard && n === drafts.length - 1 ? { keyboard } : {}),
    },
    attachments,
  }));
}

/** Formatting survives only where the text fits into one piece: a cut would tear its tags. */
function wordsOf(message: OutboundMessage, card: ShownCard | undefined, startsAsCaption: boolean): Payload[] {
  const firstLimit = startsAsCaption ? LIMITS.captionLength : LIMITS.textLength;
  const { content, formatted } = formattedWords(card ? cardWords(card) : message);
  if (formatted && formatted.text.trim() !== '' && formatted.text.length <= firstLimit) {
    return [{ text: content.length <= firstLimit ? content : formatted.text, html: formatted.html }];
  }
  const pieces = splitText(content.trim(), LIMITS.textLength, firstLimit).map((text) => ({ text }));
  // Telegram refuses a piece of nothing but white space; an all blank message goes out once, to be refused in words.
  const [head, ...rest] = pieces.filter((piece) => piece.text.trim() !== '');
  return head ? [head, ...rest] : message.attachments.length > 0 ? [] : pieces.slice(0, 1);
}

function formattedWords({ content, html }: { content: string; html: string | undefined }) {
  return { content, formatted: html ? telegramHtml(html) : undefined };
}

/** Neighbours that Telegram shows in one album, in the order in which the agent put them. */
function groupMedia(attachments: OutboundAttachment[]): OutboundAttachment[][] {
  const groups: OutboundAttachment[][] = [];
  for (const attachment of attachments) {
    const group = groups.at(-1);
    const neighbour = group?.[0];
    if (group && neighbour && group.length < LIMITS.attachmentsPerPart && shareAlbum(neighbour, attachment))
      group.push(attachment);
    else groups.push([attachment]);
  }
  return groups;
}

const ALBUMS: Record<MediaKind, string | undefined> = {
  photo: 'visual',
  video: 'visual',
  audio: 'audio',
  document: 'document',
  animation: undefined,
  voice: undefined,
};

function shareAlbum(one: OutboundAttachment, other: OutboundAttachment): boolean {
  const album = ALBUMS[mediaKind(one)];
  return album !== undefined && album === ALBUMS[mediaKind(other)];
}

const KINDS: Record<string, MediaKind> = {
  'image/jpeg': 'photo',
  'image/png': 'photo',
  'image/webp': 'photo',
  'image/gif': 'animation',
  'video/mp4': 'video',
  'audio/mpeg': 'audio',
  'audio/mp4': 'audio',
  'audio/ogg': 'voice',
};

function mediaKind({ contentType, sizeBytes }: OutboundAttachment): MediaKind {
  const kind = KINDS[contentType.split(';')[0]?.trim().toLowerCase() ?? ''] ?? 'document';
  return kind === 'photo' && (sizeBytes ?? 0) > LIMITS.pictures.bytes ? 'document' : kind;
}
