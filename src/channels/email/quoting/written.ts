import { attributionAt, headersAt } from './attribution.ts';
import { isBlank, type Line, wordsOf } from './line.ts';
import { signatureStart } from './signature.ts';
import { ANSWER_ABOVE, isForwarded, isOriginalMessage } from './vocabulary.ts';

/** What every line is; what is `forwarded` was passed on to be read, and stays. */
export type Kind = 'written' | 'quoted' | 'signature' | 'forwarded';

interface WrittenOptions {
  /** The subject says that the mail is a forward, where the markup of a forward is that of an answer. */
  isForward: boolean;
}

/** Says of each line whether the person wrote it. */
export function kindsOf(lines: Line[], { isForward }: WrittenOptions): Kind[] {
  const kinds = quotesIn(lines, isForward);
  markRules(lines, kinds);
  markSignatures(lines, kinds);
  return kinds;
}

function quotesIn(lines: Line[], isForward: boolean): Kind[] {
  const kinds: Kind[] = [];
  const countsQuotes = hasQuotes(lines);
  while (kinds.length < lines.length) {
    const at = kinds.length;
    const found = pieceAt(lines, at, { countsQuotes });
    const isAnswer = kinds.includes('quoted');
    // Who forwards a mail wants it read: it and all below it is kept, unless it is part of an older quote.
    if (!isAnswer && found.kind === 'quoted' && (isForward || isForwardAt(lines, at))) {
      kinds.push(...lines.slice(at).map(() => 'forwarded' as const));
    } else kinds.push(...lines.slice(at, at + found.length).map(() => found.kind));
  }
  return kinds;
}

function isForwardAt(lines: Line[], at: number): boolean {
  return isForwarded(wordsOf(lines[at]?.text ?? ''));
}

interface Piece {
  kind: Kind;
  length: number;
}

/** What begins at this line, and how far it goes. */
function pieceAt(lines: Line[], at: number, { countsQuotes }: { countsQuotes: boolean }): Piece {
  const line = lines[at] as Line;
  const isMarked = line.mark === 'quote' || (countsQuotes && line.depth > 0);
  if (isBlank(line)) return { kind: isMarked ? 'quoted' : 'written', length: 1 };
  const words = wordsOf(line.text);
  if (isMarked) return { kind: 'quoted', length: 1 };
  if (line.mark === 'signature') return { kind: 'signature', length: 1 };
  if (line.depth > 0) return { kind: 'written', length: 1 };
  if (ANSWER_ABOVE.test(words) || isForwarded(words)) return { kind: 'quoted', length: lines.length - at };
  if (isOriginalMessage(words)) return { kind: 'quoted', length: endOfQuote(lines, at + 1) - at };
  const headers = headersAt(lines, at);
  if (headers > 0) return { kind: 'quoted', length: endOfQuote(lines, at + headers) - at };
  return attributed(lines, at) ?? { kind: 'written', length: 1 };
}

/** The end of the head, where what follows says itself that it is quoted: then an answer may stand below it. */
function endOfQuote(lines: Line[], headEnd: number): number {
  return isQuoteNext(lines, headEnd) ? headEnd : lines.length;
}

function attributed(lines: Line[], at: number): Piece | undefined {
  const head = attributionAt(lines, at);
  if (head === undefined) return undefined;
  if (isQuoteNext(lines, at + head.length)) return { kind: 'quoted', length: head.length };
  // Telephones and web mailers put the quoted mail below the head as it is: then it goes on to the end.
  const isLast = lines.slice(at + head.length).every(isBlank);
  return head.certainty === 'sure' && !isLast ? { kind: 'quoted', length: lines.length - at } : undefined;
}

const MOST_BLANK = 3;

function isQuoteNext(lines: Line[], from: number): boolean {
  const next = lines.slice(from, from + MOST_BLANK + 1).find((line) => !isBlank(line));
  return next !== undefined && (next.depth > 0 || next.mark === 'quote');
}

const FEW = 3;

/**
 * Whether `>` means a quote in this mail. A single one with no head above it may be something that the person typed: a prompt, an arrow,
 * a line that they cite.
 */
function hasQuotes(lines: Line[]): boolean {
  const quoted = lines.filter((line) => line.depth > 0 && !isBlank(line));
  if (quoted.length >= FEW) return true;
  return lines.some((line, at) => !isBlank(line) && isHeadOfQuote(lines, at));
}

/** A head above what is quoted; most telephones quote the head too. */
function isHeadOfQuote(lines: Line[], at: number): boolean {
  const isQuoted = (lines[at]?.depth ?? 0) > 0;
  const head = attributionAt(lines, at);
  if (head !== undefined && (isQuoted ? head.certainty === 'sure' : isQuoteNext(lines, at + head.length)))
    return true;
  const headers = headersAt(lines, at);
  return headers > 0 && (isQuoted || isQuoteNext(lines, at + headers));
}

/** The line that programs draw above what they quote. */
function markRules(lines: Line[], kinds: Kind[]): void {
  for (let at = kinds.indexOf('quoted') - 1; at >= 0; at -= 1) {
    const line = lines[at] as Line;
    if (!isBlank(line) && !/^[-_=*–—]{4,}$/.test(wordsOf(line.text))) return;
    if (!isBlank(line)) kinds[at] = 'quoted';
  }
}

/** Below what was written, up to the next quote or the end, may stand a signature. */
function markSignatures(lines: Line[], kinds: Kind[]): void {
  let from = 0;
  while (from < lines.length) {
    if (kinds[from] !== 'written') {
      from += 1;
      continue;
    }
    let to = from;
    while (to < lines.length && kinds[to] === 'written') to += 1;
    const start = signatureStart(lines.slice(from, to));
    for (let at = from + start; at < to; at += 1) kinds[at] = 'signature';
    from = to;
  }
}
