import { showCard } from '../../../core/cards.ts';
import type { OutboundAttachment, OutboundMessage, Part } from '../../../core/envelope.ts';
import type { FilledTemplate } from '../../../core/template.ts';
import { splitText } from '../../shared/split-text.ts';
import { fitsInteractive, interactiveOf } from './interactive.ts';
import { LIMITS, type MediaKind, mediaKind, takesCaption } from './limits.ts';

/** One request to Meta, but for whom it is for. `text` is what it says; `message` names it in the statuses. */
export interface Payload {
  message: string;
  text: string;
  media?: MediaKind;
  interactive?: Record<string, unknown>;
  template?: FilledTemplate;
  replyTo?: string;
}

/** What one message becomes: a file a request with the text as a caption, long texts cut, buttons on the last. */
export function split(message: OutboundMessage): Part[] {
  const drafts = message.template === undefined ? draftsOf(message) : [templateOf(message)];
  return drafts.map(({ payload, attachments }, n) => ({
    n,
    threadKey: message.threadKey,
    payload: {
      message: message.id,
      ...payload,
      ...(n === 0 && message.replyToExternalId !== undefined ? { replyTo: message.replyToExternalId } : {}),
    } satisfies Payload,
    attachments,
  }));
}

interface Draft {
  payload: Omit<Payload, 'message'>;
  attachments: OutboundAttachment[];
}

function templateOf({ template, content, attachments }: OutboundMessage): Draft {
  return { payload: { text: content, ...(template === undefined ? {} : { template }) }, attachments };
}

function draftsOf(message: OutboundMessage): Draft[] {
  const { attachments, content } = message;
  const card = message.card && showCard({ id: message.id, card: message.card }, LIMITS.cards);
  if (card !== undefined) {
    const files = attachments.map((file) => fileDraft(file, ''));
    const text = [card.title, card.body].filter(Boolean).join('\n\n');
    const interactive = fitsInteractive(card) ? interactiveOf(card) : undefined;
    if (interactive !== undefined) return [...files, { payload: { text, interactive }, attachments: [] }];
    // Words too long for buttons go as the numbered text, which can be answered too.
    return [...files, ...texts(content.trim() === '' ? text : content)];
  }
  const first = attachments.findIndex((file) => takesCaption(mediaKind(file)));
  const isCaption = first !== -1 && content.length <= LIMITS.captionLength;
  const files = attachments.map((file, n) => fileDraft(file, isCaption && n === first ? content.trim() : ''));
  return isCaption ? files : [...files, ...texts(content)];
}

function fileDraft(file: OutboundAttachment, text: string): Draft {
  return { payload: { text, media: mediaKind(file) }, attachments: [file] };
}

function texts(content: string): Draft[] {
  const pieces = splitText(content.trim(), LIMITS.textLength).filter((text) => text.trim() !== '');
  return pieces.map((text) => ({ payload: { text }, attachments: [] }));
}
