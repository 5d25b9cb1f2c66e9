import { cardText, showCard } from '../../../core/cards.ts';
import type { OutboundAttachment, OutboundMessage, Part } from '../../../core/envelope.ts';
import { splitText } from '../../shared/split-text.ts';
import type { Payload } from '../../shared/twilio/send.ts';
import { templatePayload } from '../../shared/twilio/template.ts';
import { type CardContent, contentOf } from './card.ts';
import { LIMITS, takesCaption } from './limits.ts';

/** One request to Twilio; a card's content is found or made when it is sent. */
export interface WhatsAppPayload extends Payload {
  card?: CardContent;
}

interface Said {
  payload: Omit<WhatsAppPayload, 'from'>;
  files: OutboundAttachment[];
}

/** What one message becomes: each file by itself, the words with the first that takes some or below, a card last. */
export function split(message: OutboundMessage): Part[] {
  const { template } = message;
  const said =
    template === undefined
      ? [...withFiles(message, message.card === undefined ? message.content : ''), ...cardOf(message)]
      : [{ payload: templatePayload(template), files: message.attachments }];
  return said.map(({ payload, files }, n) => ({
    n,
    threadKey: message.threadKey,
    payload: { ...payload, from: { id: message.id, part: n } },
    attachments: files,
  }));
}

function withFiles({ attachments }: OutboundMessage, content: string): Said[] {
  const isCaption =
    attachments[0] !== undefined && takesCaption(attachments[0]) && content.length <= LIMITS.captionLength;
  const files = attachments.map((file, n) => said(n === 0 && isCaption ? content.trim() : '', [file]));
  return isCaption ? files : [...files, ...texts(content)];
}

function texts(content: string): Said[] {
  const pieces = splitText(content.trim(), LIMITS.textLength).filter((text) => text.trim() !== '');
  return pieces.map((text) => said(text, []));
}

function cardOf({ id, card }: OutboundMessage): Said[] {
  if (card === undefined) return [];
  const shown = contentOf(showCard({ id, card }, LIMITS.cards));
  return shown === undefined ? texts(cardText(card)) : [{ payload: { text: '', card: shown }, files: [] }];
}

function said(text: string, files: OutboundAttachment[]): Said {
  return { payload: { text }, files };
}
