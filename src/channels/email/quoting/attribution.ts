import { markMessageLines } from 'planer';
import { isBlank, type Line, wordsOf } from './line.ts';
import { replyParserKnows } from './reply-parser.ts';
import { endsWithWrote, isAboutOurselves, type Label, labelOf, saysWrote } from './vocabulary.ts';

const MOST_LINES = 4;
const MOST_WORDS = 400;

/** How sure it is that lines are the head of a quote: `weak` holds only right above one. */
export type Certainty = 'sure' | 'weak';

export interface Attribution {
  /** How many lines it takes. */
  length: number;
  certainty: Certainty;
}

/** Yahoo's telephones let the quoted mail begin in the same line. */
const RUN_ON = /^\s{0,6}(\S.{8,300}<[^<>]*@[^<>]*>[^:：]{0,25}[:：])\s{2,}\S/u;

/** "On 6 May 2025 Ada wrote:" in up to four lines that begin here. */
export function attributionAt(lines: Line[], start: number): Attribution | undefined {
  const [, head] = RUN_ON.exec(lines[start]?.text.slice(0, MOST_WORDS) ?? '') ?? [];
  if (head !== undefined && certaintyOf(wordsOf(head)) === 'sure') return { length: 1, certainty: 'sure' };
  const heads = headsAt(lines, start);
  return heads.find(({ certainty }) => certainty === 'sure') ?? heads[0];
}

/** Every number of lines from here that could be a head, the fewest first. */
function headsAt(lines: Line[], start: number): Attribution[] {
  const heads: Attribution[] = [];
  for (const [above, words] of joinedWords(lines, start).entries()) {
    const certainty = certaintyOf(words);
    if (certainty === undefined) continue;
    const length = above + 1;
    // What the person wrote in the line above is no part of it.
    if (length > 1 && certainty === certaintyBelow(lines, start, length)) break;
    heads.push({ length, certainty });
  }
  return heads;
}

/** The words of the line, of it and the next, and so on: as far as lines alike are short enough for a head. */
function joinedWords(lines: Line[], start: number): string[] {
  const joined: string[] = [];
  for (const line of lines.slice(start, start + MOST_LINES)) {
    if (isBlank(line) || !isAlike(line, lines[start])) break;
    const words = wordsOf(`${joined.at(-1) ?? ''} ${line.text}`);
    if (words.length > MOST_WORDS) break;
    joined.push(words);
  }
  return joined;
}

function isAlike(one: Line, other: Line | undefined): boolean {
  return one.depth === other?.depth && one.mark === other.mark;
}

function certaintyBelow(lines: Line[], start: number, length: number): Certainty | undefined {
  const below = lines.slice(start + 1, start + length).map(({ text }) => text);
  return certaintyOf(wordsOf(below.join(' ')));
}

const ADDRESS = /[\w.+'-]+@[\w-]+(\.[\w-]+)+/;
/** As mail programs write who it was: `Ada <ada@example.com>`. */
const BRACKETED = /[<([](mailto:)?[^<>()[\]\s]+@[^<>()[\]\s]+[>)\]]/;
const DATE = /\b(19|20)\d\d\b|\b\d{1,4}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{1,4}\b|\d{4}\s?[年년]/u;
const TIME = /\d{1,2}\s?[:.h時点시]\s?\d{2}/u;
const ENDS =
  /[:：]\s*[*>\])]*$|(写道|寫道|작성|のメール|のメッセージ|wrote|schrieb|a écrit|escribió|escreveu)[:：,，.]?\s*[-—]*$/iu;

function certaintyOf(words: string): Certainty | undefined {
  if (!ENDS.test(words)) return undefined;
  const isDated = DATE.test(words);
  const isTimed = TIME.test(words);
  const isNamed = ADDRESS.test(words);
  const says = saysWrote(words);
  const isKnown = says || ((isDated || isNamed) && isLibraryCertain(words));
  const facts = [isDated, isTimed, isKnown].filter(Boolean).length;
  const isComplete = BRACKETED.test(words) ? facts >= 2 : isDated && isTimed && endsWithWrote(words);
  if (isComplete && !isAboutOurselves(words)) return 'sure';
  return isKnown || isNamed ? 'weak' : undefined;
}

/** The libraries know what many programs write; alone they also take for a head what is none. */
function isLibraryCertain(words: string): boolean {
  return markMessageLines([words]).startsWith('s') || replyParserKnows.head(words);
}

const MOST_HEADERS = 14;

/** `From:`, `Sent:`, `To:`, `Subject:` one below the other: how many lines they take from here. */
export function headersAt(lines: Line[], start: number): number {
  const shown = new Map<Label, string>();
  let length = 0;
  for (const [at, line] of lines.slice(start, start + MOST_HEADERS).entries()) {
    if (isBlank(line)) continue;
    const label = labelOf(wordsOf(line.text));
    if (label === undefined ? !isContinued(line, shown) : isSecond(label, shown)) break;
    if (label !== undefined) shown.set(label, line.text);
    length = at + 1;
  }
  return isHeaderBlock(shown) ? length : 0;
}

type Headers = ReadonlyMap<Label, string>;

/** Long lists of recipients go on in the next line. */
function isContinued({ text }: Line, shown: Headers): boolean {
  return (shown.has('to') || shown.has('copy') || shown.has('from')) && ADDRESS.test(text);
}

/** Only copies have several labels: Cc, Bcc, Reply-To. */
function isSecond(label: Label, shown: Headers): boolean {
  return label !== 'copy' && shown.has(label);
}

function isHeaderBlock(shown: Headers): boolean {
  // People write "From: Berlin, To: Paris" too, or which address is to be which.
  if (ADDRESS.test(shown.get('from') ?? '')) return shown.has('date') || shown.has('subject');
  return shown.has('from') && shown.has('subject') && TIME.test(shown.get('date') ?? '');
}
