const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Cuts text into pieces that joined are the text again: at a paragraph, a line, a space, else between two graphemes. */
export function splitText(text: string, limit: number, firstLimit = limit): string[] {
  const pieces: string[] = [];
  let rest = text;
  for (let most = firstLimit; rest.length > most; most = limit) {
    const end = cutWithin(rest, most);
    pieces.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  return [...pieces, rest];
}

const BREAKS = ['\n\n', '\n', ' '];

function cutWithin(text: string, limit: number): number {
  // The grapheme that the limit falls into begins where the text can be cut at the latest; its end lies not much further.
  const segments = graphemes.segment(text.slice(0, limit + LONGEST_GRAPHEME));
  const window = text.slice(0, limit);
  for (const mark of BREAKS) {
    const end = window.lastIndexOf(mark) + mark.length;
    // A break in the first half would only make more pieces.
    if (end > limit / 2 && segments.containing(end)?.index === end) return end;
  }
  const start = segments.containing(limit)?.index ?? limit;
  return start > 0 ? start : withoutHalfPair(text, limit);
}

const LONGEST_GRAPHEME = 64;

/** For a "grapheme" longer than a whole piece, such as a letter under a thousand accents. */
function withoutHalfPair(text: string, end: number): number {
  const cutsPair = /^[\uD800-\uDBFF][\uDC00-\uDFFF]$/.test(text.slice(end - 1, end + 1));
  return cutsPair && end > 1 ? end - 1 : end;
}
