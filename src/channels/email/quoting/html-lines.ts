import { Parser } from 'htmlparser2';
import type { Line } from './line.ts';
import { markOf } from './markup.ts';
import { createPage, type Page, type Surrounding } from './page.ts';
import { attribute, tame } from './tame.ts';

const BLOCKS = new Set(
  (
    'address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form ' +
    'h1 h2 h3 h4 h5 h6 header hr html li main nav ol p pre section summary table tbody tfoot thead tr ul sign includetail'
  ).split(' '),
);
/** Elements that readers see apart from what is before and after them. */
const APART = new Set('p h1 h2 h3 h4 h5 h6 ul ol pre table blockquote'.split(' '));
const UNSEEN = new Set(
  'head style script title template noscript object iframe svg math audio video select textarea'.split(' '),
);
const VOID = new Set('area base br col embed hr img input link meta source track wbr'.split(' '));

/**
 * What an HTML mail shows, line by line, with what its markup says of each. It reads a stream of tags and builds no tree, so that
 * size cannot hurt it.
 */
export function htmlLines(html: string): Line[] {
  const page = createPage();
  const stack: Open[] = [];

  function open(name: string, attributes: Record<string, string>): void {
    showTag(page, name, attributes);
    const mark = markOf(name, attributes);
    if (mark === 'rest') page.quoteRest();
    if (VOID.has(name)) return;
    const opened = openedBy(name, attributes, { mark: mark === 'rest' ? 'quote' : mark, at: page.length() });
    page.enter(opened, 1);
    stack.push(opened);
    if (name === 'li') page.word(bullet(stack.findLast(({ list }) => list !== undefined)?.list));
  }

  function close(name: string): void {
    const opened = stack.at(-1);
    // The parser closes in order; a tag that was never opened (`</p>`) is opened first.
    if (opened?.name !== name) return;
    if (opened.link !== undefined) page.word(targetOf(opened.link, page.since(opened.link.at)));
    if (BLOCKS.has(name)) page.break(APART.has(name) && name !== 'p');
    stack.pop();
    page.enter(opened, -1);
  }

  const parser = new Parser(
    { onopentag: open, onclosetag: close, ontext: (text) => page.text(text) },
    { decodeEntities: true },
  );
  parser.end(tame(html));
  page.break(false);
  return page.lines;
}

/** What a tag does to the page before anything stands in it: a new line, a space, an emoji. */
function showTag(page: Page, name: string, attributes: Record<string, string>): void {
  if (BLOCKS.has(name)) page.break(APART.has(name) && !isFlat(attributes));
  else if (name === 'br') page.flush();
  else if (name === 'td' || name === 'th') page.word(' ');
  else if (name === 'img') page.word(emojiOf(attributes));
}

interface Open extends Surrounding {
  name: string;
  list?: List | undefined;
  link?: { href: string; at: number } | undefined;
}

function openedBy(
  name: string,
  attributes: Record<string, string>,
  { mark, at }: { mark: Line['mark']; at: number },
): Open {
  const href = attributes['href'] ?? '';
  return {
    name,
    mark,
    quotes: name === 'blockquote' && !isIndent(attributes),
    unseen: UNSEEN.has(name) || isHidden(attributes),
    preserves: name === 'pre',
    list: listOf(name, attributes),
    link: name === 'a' && /^https?:/i.test(href) ? { href, at } : undefined,
  };
}

interface List {
  /** The number of its next item, where they are counted. */
  next: number | undefined;
}

function listOf(name: string, { start = '1' }: Record<string, string>): List | undefined {
  if (name === 'ol') return { next: Number(start) };
  return name === 'ul' ? { next: undefined } : undefined;
}

function bullet(list: List | undefined): string {
  if (list?.next === undefined) return '- ';
  list.next += 1;
  return `${list.next - 1}. `;
}

/** A link's address stands behind its words where they do not say it. */
function targetOf({ href }: { href: string }, words: string): string {
  const bare = (url: string) =>
    url
      .trim()
      .replace(/^https?:\/\/(www\.)?/i, '')
      .replace(/\/$/, '');
  return words.trim() === '' || bare(words) === bare(href) ? '' : ` <${href}>`;
}

function emojiOf({ alt = '', class: name = '', ...attributes }: Record<string, string>): string {
  const isEmoji =
    'data-emoji' in attributes || /\bemoji\b/i.test(name) || /^\p{Extended_Pictographic}/u.test(alt);
  return isEmoji ? alt : '';
}

/** Outlook writes every line as a paragraph without space around it. */
function isFlat(attributes: Record<string, string>): boolean {
  return (
    /\bMsoNormal\b/.test(attributes['class'] ?? '') ||
    /margin(-top|-bottom)?:\s*0/i.test(attributes['style'] ?? '')
  );
}

function isHidden(attributes: Record<string, string>): boolean {
  const style = attribute(attributes, 'style');
  return 'hidden' in attributes || /display:\s*none|mso-hide:\s*all|visibility:\s*hidden/i.test(style);
}

/** The indent button of composers makes block quotes too. */
function isIndent(attributes: Record<string, string>): boolean {
  const style = attribute(attributes, 'style');
  const isNamed = 'type' in attributes || 'class' in attributes;
  return !isNamed && /border:\s*(none|0)/i.test(style) && /margin:\s*0/i.test(style);
}
