import type { ShownButton, ShownCard } from '../../core/cards.ts';
import { escapeHtml } from './entities.ts';

export type Button = { text: string; url: string } | { text: string; callback_data: string };

/** A card's words: its title above all that no button says. */
export function cardWords({ title, body }: ShownCard): { content: string; html: string } {
  return {
    content: [title, body].filter(Boolean).join('\n\n'),
    html: [`<b>${escapeHtml(title)}</b>`, escapeHtml(body)].filter(Boolean).join('\n\n'),
  };
}

/** The buttons under the message, each in a row of its own; undefined without any. */
export function keyboardOf(card: ShownCard | undefined): Button[][] | undefined {
  const rows = (card?.buttons ?? []).map((button) => [buttonOf(button)]);
  return rows.length === 0 ? undefined : rows;
}

function buttonOf(button: ShownButton): Button {
  const text = button.label;
  return 'url' in button ? { text, url: button.url } : { text, callback_data: button.id };
}
