import type { Card, CardAction } from '../../core/envelope.ts';
import { escapeHtml } from './entities.ts';

export type Button = { text: string; url: string } | { text: string; callback_data: string };

/** A card's words: its title above its description. */
export function cardText(card: Card): { content: string; html: string } {
  const { title, description } = card;
  return {
    content: [title, description].filter(Boolean).join('\n\n'),
    html: [title && `<b>${escapeHtml(title)}</b>`, description && escapeHtml(description)]
      .filter(Boolean)
      .join('\n\n'),
  };
}

/** A card's actions as buttons under the message, each in a row of its own; undefined without any. */
export function keyboardOf(card: Card | undefined): Button[][] | undefined {
  const rows = (card?.actions ?? []).map((action, n) => [buttonOf(action, n)]);
  return rows.length === 0 ? undefined : rows;
}

const MOST_CALLBACK_BYTES = 64;

/** An action that is too long for Telegram comes back as its place in the card, which the reply names. */
function buttonOf({ label, url, action }: CardAction, n: number): Button {
  if (url !== undefined) return { text: label, url };
  const data = action || label;
  return {
    text: label,
    callback_data: Buffer.byteLength(data) <= MOST_CALLBACK_BYTES ? data : `action:${n}`,
  };
}
