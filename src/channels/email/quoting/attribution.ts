import { markMessageLines } from 'planer';
import { isBlank, type Line, wordsOf } from './line.ts';
import { replyParserKnows } from './reply-parser.ts';
import { endsWithWrote, isAboutOurselves, labelOf, saysWrote } from './vocabulary.ts';

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
  if (head !== undefined && attributes(wordsOf(head)) === 'sure') return { length: 1, certainty: 'sure' };
  let weak: Attribution | undefined;
  let joined = '';
  for (let length = 1; length <= MOST_LINES; length += 1) {
    const line = lines[start + length - 1];
    if (line === undefined || isBlank(line) || !isAlike(line, lines[start])) break;
    joined = wordsOf(`${joined} ${line.text}`);
    if (joined.length > MOST_WORDS) break;
    const certainty = attributes(joined);
    // What the person wrote in the line above is no part of it.
    if (certainty !== undefined && length > 1 && certainty === certaintyBelow(lines, start, length)) break;
    if (certainty === 'sure') return { length, certainty };
    if (certainty === 'weak') weak ??= { length, certainty };
  }
  return weak;
}

function isAlike(one: Line, other: Line | undefined): boolean {
  return one.depth === other?.depth && one.mark === other.mark;
}

function certaintyBelow(lines: Line[], start: number, length: number): Certainty | undefined {
  const below = lines.slice(start + 1, start + length).map(({ text }) => text);
  return attributes(wordsOf(below.join(' ')));
}

const ADDRESS = /[\w.+'-]+@[\w-]+(\.[\w-]+)+/;
/** As mail programs write who it was: `Ada <ada@example.com>`. */
const BRACKETED = /[<([](mailto:)?[^<>()[\]\s]+@[^<>()[\]\s]+[>)\]]/;
const DATE = /\b(19|20)\d\d\b|\b\d{1,4}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{1,4}\b|\d{4}\s?[年년]/u;
const TIME = /\d{1,2}\s?[:.h時点시]\s?\d{2}/u;
const ENDS =
  /[:：]\s*[*>\])]*$|(写道|寫道|작성|のメール|のメッセージ|wrote|schrieb|a écrit|escribió|escreveu)[:：,，.]?\s*[-—]*$/iu;

function attributes(words: string): Certainty | undefined {
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
  const seen = new Set<string>();
  let from = '';
  let date = '';
  let end = start;
  for (let at = start; at < Math.min(lines.length, start + MOST_HEADERS); at += 1) {
    const line = lines[at];
    if (line === undefined) break;
    if (isBlank(line)) continue;
    const label = labelOf(wordsOf(line.text));
    if (label === undefined && !isContinued(line, seen)) break;
    if (label !== undefined && seen.has(label) && label !== 'copy') break;
    if (label === 'from') from = line.text;
    if (label === 'date') date = line.text;
    if (label !== undefined) seen.add(label);
    end = at + 1;
  }
  return isHeaderBlock(seen, { from, date }) ? end - start : 0;
}

/** Long lists of recipients go on in the next line. */
function isContinued({ text }: Line, seen: Set<string>): boolean {
  return (seen.has('to') || seen.has('copy') || seen.has('from')) && ADDRESS.test(text);
}

function isHeaderBlock(seen: Set<string>, { from, date }: { from: string; date: string }): boolean {
  // People write "From: Berlin, To: Paris" too, or which address is to be which.
  if (ADDRESS.test(from)) return seen.has('date') || seen.has('subject');
  return seen.has('from') && seen.has('subject') && TIME.test(date);
}
