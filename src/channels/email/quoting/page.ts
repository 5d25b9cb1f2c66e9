import type { Line } from './line.ts';

/** What an element makes of the lines inside it. */
export interface Surrounding {
  mark: Line['mark'];
  quotes: boolean;
  unseen: boolean;
  preserves: boolean;
}

export type Page = ReturnType<typeof createPage>;

const MOST_PIECES = 50;

/** The lines of a mail as they come, each with what it stands in: a quote, a signature, something unseen. */
export function createPage() {
  const lines: Line[] = [];
  const inside = { quote: 0, signature: 0, depth: 0, unseen: 0, preserved: 0 };
  // In pieces: a long line must not be copied for each of them.
  let pieces: string[] = [];
  let isRest = false;
  let wantsGap = false;

  function place(): Omit<Line, 'text'> {
    const { quote, signature, depth } = inside;
    if (isRest || quote > 0) return { depth, mark: 'quote' };
    return { depth, mark: signature > 0 ? 'signature' : undefined };
  }

  function gap(): void {
    wantsGap = false;
    if ((lines.at(-1)?.text ?? '').trim() !== '') lines.push({ ...place(), text: '' });
  }

  function flush(): void {
    const line = pieces.join('');
    pieces = [];
    if (inside.unseen > 0) return;
    const text = inside.preserved > 0 ? line.trimEnd() : line.trim();
    if (text !== '' && wantsGap) gap();
    lines.push({ ...place(), text });
  }

  function word(text: string): void {
    const last = pieces.at(-1);
    const joined = last === undefined || last.endsWith(' ') ? text.replace(/^ /, '') : text;
    if (joined === '') return;
    if (wantsGap && joined.trim() !== '') gap();
    pieces.push(joined);
  }

  return {
    lines,
    flush,
    word,
    length: () => pieces.length,
    since: (at: number) => pieces.slice(at, at + MOST_PIECES).join(''),
    quoteRest: () => {
      isRest = true;
    },
    text(text: string): void {
      if (inside.unseen > 0) return;
      if (inside.preserved === 0) {
        word(text.replace(/[\t\n\r ]+/g, ' '));
        return;
      }
      const [first = '', ...rest] = text.split(/\r\n|\r|\n/);
      pieces.push(first);
      for (const line of rest) {
        flush();
        pieces.push(line);
      }
    },
    /** Ends a line, if anything stands on it; `apart` leaves an empty one before what comes next. */
    break(apart: boolean): void {
      const text = pieces.join('');
      if (text.trim() !== '' || (text !== '' && inside.preserved > 0)) flush();
      pieces = [];
      if (apart) wantsGap = true;
    },
    /** Goes into an element, or out of it again with -1. */
    enter(element: Surrounding, step: 1 | -1): void {
      if (element.mark !== undefined) inside[element.mark] += step;
      if (element.quotes) inside.depth += step;
      if (element.unseen) inside.unseen += step;
      if (element.preserves) inside.preserved += step;
    },
  };
}
