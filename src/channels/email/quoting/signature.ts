import { isBlank, type Line, wordsOf } from './line.ts';
import { replyParserKnows } from './reply-parser.ts';
import { isClosing, isSentWith, isSmallPrint } from './vocabulary.ts';

/** Where the signature of a piece of text begins; its length where there is none. */
export function signatureStart(lines: Line[]): number {
  const last = withoutBlanks(lines, lines.length);
  let end = last;
  for (;;) {
    const before = withoutBlanks(lines, lineAbove(lines, end));
    if (before === end) break;
    end = before;
  }
  return delimiterAbove(lines, end) ?? contactsAbove(lines, end) ?? (end === last ? lines.length : end);
}

function withoutBlanks(lines: Line[], end: number): number {
  let at = end;
  while (at > 0 && isBlank(lines[at - 1] as Line)) at -= 1;
  return at;
}

/** Above the last line, or paragraph of small print, that no person wrote. */
function lineAbove(lines: Line[], end: number): number {
  if (end === 0) return 0;
  const last = wordsOf((lines[end - 1] as Line).text);
  if (isProgramLine(last)) return end - 1;
  let start = end - 1;
  while (start > 0 && !isBlank(lines[start - 1] as Line)) start -= 1;
  const paragraph = lines.slice(start, end).map(({ text }) => wordsOf(text));
  return start > 0 && isSmallPrint(paragraph.join(' ')) ? start : end;
}

/** The library takes closings and rules for signatures as well; here only what names a program counts. */
function isProgramLine(words: string): boolean {
  if (isSentWith(words)) return true;
  return (
    /\b(outlook|iphone|android)\b/i.test(words) && words.length < 60 && replyParserKnows.signature(words)
  );
}

const MOST_SIGNATURE_LINES = 20;

/** The `-- ` of the old rule; without its space, or another rule, only above what can be nothing but a signature. */
function delimiterAbove(lines: Line[], end: number): number | undefined {
  for (let at = end - 1; at >= Math.max(0, end - MOST_SIGNATURE_LINES); at -= 1) {
    const { text } = lines[at] as Line;
    if (text === '-- ') return at;
    const below = lines.slice(at + 1, end).filter((line) => !isBlank(line));
    const isRule = /^[-_]{4,}$/.test(wordsOf(text)) && below.some(isContact);
    const isOnlyOne = lines.findIndex((line) => wordsOf(line.text) === wordsOf(text)) === at;
    if ((isRule || DELIMITER.test(wordsOf(text))) && isOnlyOne && looksLikeSignature(below)) return at;
  }
  return undefined;
}

const DELIMITER = /^(--|---|—|–|__)$/;
const MOST_SHORT_LINES = 8;
const LONGEST_SHORT_LINE = 70;

/** A name, a company, a telephone: nothing that is said or asked. */
function looksLikeSignature(below: Line[]): boolean {
  const said = /[.!?:;,。！？]$/u;
  return (
    below.length <= MOST_SHORT_LINES &&
    below.every(({ text }) => {
      const words = wordsOf(text);
      return (
        words.length <= LONGEST_SHORT_LINE &&
        (!said.test(words) || /\b(\p{Lu}|Inc|Ltd|Co|Corp|Jr|Sr|e\.V)\.$/u.test(words))
      );
    })
  );
}

const MOST_CONTACT_LINES = 14;
const LONGEST_CONTACT = 90;

/** Below a closing and a name: title, company, telephone. The closing and the name were written and stay. */
function contactsAbove(lines: Line[], end: number): number | undefined {
  const first = Math.max(0, end - MOST_CONTACT_LINES);
  for (let at = end - 1; at >= first; at -= 1) {
    if (!isClosing(wordsOf((lines[at] as Line).text))) continue;
    const below = lines.slice(at + 1, end);
    if (below.some(({ text }) => wordsOf(text).length > LONGEST_CONTACT)) return undefined;
    const name = below.findIndex((line) => !isBlank(line));
    const rest = below.slice(name + 1).filter((line) => !isBlank(line));
    const contacts = rest.filter(isContact).length;
    return name >= 0 && (contacts >= 2 || (contacts === 1 && rest.length >= 3))
      ? at + 1 + name + 1
      : undefined;
  }
  return undefined;
}

const CONTACT =
  /^\p{L}{1,2}[:.]\s*[+(]?\d[\d\s()/.-]{6,}|(^|\s)(tel|phone|fon|mobil|mobile|fax|cell|tél|tfno|móvil|тел|puh|tlf|電話|电话|전화|هاتف)[.:：\s]|^[+(]?\d[\d\s()/.-]{7,}$|[\w.+-]+@[\w-]+\.\w+|(https?:\/\/|www\.)\S+|^[\w-]+\.(com|de|org|net|io|fr|es|it|nl|pl|ru|jp|cn|kr|se|no|dk|fi|br|pt|cz|tr)$/iu;

function isContact({ text }: Line): boolean {
  return CONTACT.test(wordsOf(text));
}
