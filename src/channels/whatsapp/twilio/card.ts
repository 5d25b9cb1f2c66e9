import type { ShownButton, ShownCard } from '../../../core/cards.ts';
import type { NewContent } from '../../shared/twilio/content.ts';
import { INTERACTIVE_LENGTH } from '../cloud/limits.ts';

/** A card as a content of Twilio's, and the ids of what can be pressed, which differ from message to message. */
export interface CardContent {
  content: NewContent;
  /** What fills the content's variables. */
  ids: Record<string, string>;
}

// To Twilio the start of a variable.
const GAP = '{{';
const OPEN_LENGTH = 20;

/** The content that shows this card; undefined where its words alone have to do. */
export function contentOf(card: ShownCard): CardContent | undefined {
  const body = [card.title === '' ? '' : `*${card.title}*`, card.body].filter(Boolean).join('\n\n');
  const types = typesOf(card, body);
  if (types === undefined || body.length > INTERACTIVE_LENGTH || JSON.stringify(card).includes(GAP))
    return undefined;
  const pressable = pressableIn(card);
  const ids = Object.fromEntries(pressable.map(({ id }, n) => [String(n + 1), id]));
  const samples = Object.fromEntries(pressable.map((_, n) => [String(n + 1), `choice-${n + 1}`]));
  return { content: { types, variables: samples }, ids };
}

function pressableIn({ list, buttons }: ShownCard): { id: string }[] {
  if (list !== undefined) return list.sections.flatMap(({ rows }) => rows);
  return buttons.filter((button) => 'id' in button);
}

/** Ids are numbered in the order in which they are pressed for, and become the variables of that number. */
function typesOf({ list, buttons }: ShownCard, body: string): Record<string, unknown> | undefined {
  if (list !== undefined) {
    const rows = list.sections.flatMap(({ rows }) => rows);
    const items = rows.map(({ label, description }, n) => ({
      item: label,
      id: variable(n),
      ...(description === undefined ? {} : { description }),
    }));
    return { 'twilio/list-picker': { body, button: list.open.slice(0, OPEN_LENGTH), items } };
  }
  const [first] = buttons;
  if (first === undefined) return undefined;
  if ('url' in first) return { 'twilio/call-to-action': { body, actions: buttons.map(linkOf) } };
  const actions = buttons.map(({ label }, n) => ({ title: label, id: variable(n) }));
  return { 'twilio/quick-reply': { body, actions } };
}

function linkOf(button: ShownButton): Record<string, string> {
  return 'url' in button
    ? { type: 'URL', title: button.label, url: button.url }
    : { type: 'QUICK_REPLY', title: button.label };
}

function variable(n: number): string {
  return `${GAP}${n + 1}}}`;
}
