import { westernDigits } from './digits.ts';
import type { Card, CardAction, Choice } from './envelope.ts';
import { isUuid } from './id.ts';
import { caseless, plainQuotes } from './letters.ts';

/** What a channel shows of a card by itself; what it leaves out, and all of it where it has none, is numbered text. */
export interface CardLimits {
  /** Buttons that answer: how many below one message, and the longest label in UTF-16 units. */
  buttons?: { most: number; labelLength: number };
  /** Buttons that open an address. */
  links?: { most: number; labelLength: number };
  /** A list that a button opens. */
  list?: { most: number; labelLength: number; descriptionLength: number };
  /** Both kinds of buttons may stand below one message. */
  mixed?: boolean;
}

/** A button: `id` comes back in `InboundMessage.pressed` when the customer presses it. */
export type ShownButton = { label: string; url: string } | { label: string; id: string };

export interface ShownRow {
  id: string;
  label: string;
  description?: string;
}

/** A card as one channel shows it. Its words hold everything that no button and no list shows. */
export interface ShownCard {
  title: string;
  /** The words below the title: the description, numbered choices, links. */
  body: string;
  /** In the card's order; empty where there is a list. */
  buttons: ShownButton[];
  list?: { open: string; sections: { title?: string; rows: ShownRow[] }[] };
}

/** Pure: what this channel shows of a message's card. */
export function showCard({ id, card }: { id: string; card: Card }, limits: CardLimits): ShownCard {
  const list = listOf(id, card, limits);
  const buttons = list === undefined ? buttonsOf(id, card, limits) : [];
  const isShown = ({ url, label }: CardAction) =>
    url === undefined && list !== undefined ? true : buttons.some((button) => button.label === label);
  const lines = linesOf(card).flatMap(({ action, line }) => (isShown(action) ? [] : [line]));
  return {
    title: card.title,
    body: joined([card.description ?? '', lines.join('\n')]),
    buttons,
    ...(list === undefined ? {} : { list }),
  };
}

/** What a card says where nothing but text can be shown: each choice with the number that chooses it. */
export function cardText(card: Card, words = joined([card.title, card.description ?? ''], '\n')): string {
  return joined([
    words,
    linesOf(card)
      .map(({ line }) => line)
      .join('\n'),
  ]);
}

/** The card's choices: its actions that open no address. */
export function choicesOf({ actions = [] }: Pick<Card, 'actions'>): CardAction[] {
  return actions.filter(({ url }) => url === undefined);
}

function linesOf(card: Card): { action: CardAction; line: string }[] {
  const choices = choicesOf(card);
  return (card.actions ?? []).map((action) => {
    const { label, url, description } = action;
    if (url !== undefined) return { action, line: `${label}: ${url}` };
    const more = description === undefined ? '' : ` – ${description}`;
    return { action, line: `${choices.indexOf(action) + 1}. ${label}${more}` };
  });
}

function joined(texts: string[], between = '\n\n'): string {
  return texts.filter((text) => text !== '').join(between);
}

function buttonsOf(id: string, card: Card, { buttons, links, mixed }: CardLimits): ShownButton[] {
  const choices = choicesOf(card);
  const answering = fits(choices, buttons) ? choices : [];
  const opening = (card.actions ?? []).filter(({ url }) => url !== undefined);
  const both = mixed === true || answering.length === 0;
  const linked = both && fits(opening, links) ? opening : [];
  return (card.actions ?? []).flatMap((action): ShownButton[] => {
    const { label, url } = action;
    if (url !== undefined) return linked.includes(action) ? [{ label, url }] : [];
    return answering.includes(action) ? [{ label, id: choiceId(id, choices.indexOf(action) + 1) }] : [];
  });
}

function fits(actions: CardAction[], limit: { most: number; labelLength: number } | undefined): boolean {
  if (limit === undefined || actions.length > limit.most) return false;
  return actions.every(({ label }) => label.length <= limit.labelLength);
}

const OPEN_LIST = 'Options';

/** A list where the card asks for one, or has more choices than there may be buttons. */
function listOf(id: string, card: Card, limits: CardLimits): ShownCard['list'] {
  const choices = choicesOf(card);
  const wanted = card.layout === 'list' || !fits(choices, limits.buttons);
  if (choices.length === 0 || !wanted || !fits(choices, limits.list)) return undefined;
  const longest = limits.list?.descriptionLength ?? 0;
  const sections = Map.groupBy(choices, ({ section }) => section);
  return {
    open: card.list_label ?? OPEN_LIST,
    sections: [...sections].map(([title, actions]) => ({
      ...(title === undefined ? {} : { title }),
      rows: actions.map((action) => ({
        id: choiceId(id, choices.indexOf(action) + 1),
        label: action.label,
        ...(action.description === undefined ? {} : { description: action.description.slice(0, longest) }),
      })),
    })),
  };
}

/** How a pressed button names its choice, whatever the provider says of the message it stood below: 46 bytes. */
export function choiceId(messageId: string, number: number): string {
  return `choice:${messageId}:${number}`;
}

/** The card and the number that a button's id names; undefined for a button that is none of ours. */
export function readChoiceId(id: string): { messageId: string; number: number } | undefined {
  const [kind, messageId = '', number = ''] = id.split(':');
  if (kind !== 'choice' || !isUuid(messageId) || !/^[1-9]\d{0,2}$/.test(number)) return undefined;
  return { messageId, number: Number(number) };
}

/** The choice with this number. */
export function choiceAt(messageId: string, card: Pick<Card, 'actions'>, number: number): Choice | undefined {
  const chosen = choicesOf(card)[number - 1];
  if (chosen === undefined) return undefined;
  return { message_id: messageId, number, label: chosen.label, action: chosen.action ?? chosen.label };
}

/** The choice that a customer typed: its label, its number, or both as they were shown. A label goes before a number. */
export function readChoice(messageId: string, card: Pick<Card, 'actions'>, text: string): Choice | undefined {
  const labels = choicesOf(card).map(({ label }) => plain(label));
  for (const said of [text, firstLine(text)]) {
    const number = labels.indexOf(plain(said)) + 1 || numberIn(said, labels);
    const choice = choiceAt(messageId, card, number);
    if (choice !== undefined) return choice;
  }
  return undefined;
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0] ?? '';
}

const NUMBERED = /^[(#]?(\d{1,3})\ufe0f?\u20e3?[.):]*(?:\s+(.*))?$/s;

/** "2", "2.", "(2)", "2️⃣", "２" or "2. Blue", where Blue is the second. */
function numberIn(text: string, labels: string[]): number {
  const [, digits, rest = ''] = NUMBERED.exec(westernDigits(text.normalize('NFKC').trim())) ?? [];
  const number = Number(digits);
  return rest === '' || labels[number - 1] === plain(rest) ? number : 0;
}

/** Compared as people mean it: whatever the case, the quotes, the accents' spelling, or a full stop at the end. */
function plain(text: string): string {
  return caseless(plainQuotes(text).normalize('NFKC'))
    .replace(/\s+/g, ' ')
    .replace(/^[\s"']+|[\s"'.!]+$/g, '');
}
