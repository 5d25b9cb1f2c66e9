import type { ShownCard } from '../../../core/cards.ts';
import { INTERACTIVE_LENGTH } from './limits.ts';

const OPEN_LENGTH = 20;
const SECTION_LENGTH = 24;

/** Whether there is anything to press, below words that WhatsApp takes beside it. */
export function fitsInteractive(card: ShownCard): boolean {
  const isPressable = card.list !== undefined || card.buttons.length > 0;
  return isPressable && wordsOf(card).length <= INTERACTIVE_LENGTH;
}

/** The card as WhatsApp shows it: a list, up to three buttons, or one button that opens an address. */
export function interactiveOf(card: ShownCard): Record<string, unknown> {
  return { ...kindOf(card), body: { text: wordsOf(card) } };
}

function wordsOf({ title, body }: ShownCard): string {
  return [`*${title}*`, body].filter(Boolean).join('\n\n');
}

function kindOf({ list, buttons }: ShownCard): Record<string, unknown> {
  if (list !== undefined) {
    const sections = list.sections.map(({ title, rows }) => ({
      ...(title === undefined && list.sections.length === 1
        ? {}
        : { title: (title ?? '–').slice(0, SECTION_LENGTH) }),
      rows: rows.map(({ id, label, description }) => ({
        id,
        title: label,
        ...(description === undefined ? {} : { description }),
      })),
    }));
    return { type: 'list', action: { button: list.open.slice(0, OPEN_LENGTH), sections } };
  }
  const [first] = buttons;
  if (first !== undefined && 'url' in first) {
    const parameters = { display_text: first.label, url: first.url };
    return { type: 'cta_url', action: { name: 'cta_url', parameters } };
  }
  const replies = buttons.flatMap((button) =>
    'id' in button ? [{ type: 'reply', reply: { id: button.id, title: button.label } }] : [],
  );
  return { type: 'button', action: { buttons: replies } };
}
