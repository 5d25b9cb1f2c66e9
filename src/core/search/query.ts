import { fold } from './fold.ts';

/** One thing that has to be in a text, or must not be. */
export interface Term {
  /** In this order, with nothing but signs between them. */
  words: string[];
  /** Whole words; else anywhere in the text, parts too. */
  isExact: boolean;
  isExcluded: boolean;
}

/** What is asked for: all terms of any of the alternatives. */
export type Query = Term[][];

/** Reads a question: words, `"phrases"`, `-what` must not be there, and `or` between alternatives. */
export function readQuery(question: string): Query {
  const text = fold(question);
  const alternatives: Query = [[]];
  const tokens = [...text.matchAll(/-?"\s*[^"\s][^"]*"|\S+/g)].map(([token]) => token);
  for (const [n, token] of tokens.entries()) {
    if (token === 'or' && n > 0 && n < tokens.length - 1) alternatives.push([]);
    else alternatives.at(-1)?.push(...termsOf(token));
  }
  const asked = alternatives.filter((terms) => terms.length > 0);
  // Signs alone are looked for as they are.
  return asked.length > 0 ? asked : [[{ words: [text], isExact: false, isExcluded: false }]];
}

function termsOf(token: string): Term[] {
  const [, minus, phrase, rest] = /^(-?)(?:"([^"]+)"|(.*))$/.exec(token) ?? [];
  const isExcluded = minus === '-';
  if (phrase !== undefined) return [{ words: phrase.trim().split(' '), isExact: true, isExcluded }];
  return wordsOf(rest ?? '').map((word) => ({ words: [word], isExact: isExcluded, isExcluded }));
}

/** Without the signs around them. "order:123" is two words, 10:30 is one. */
function wordsOf(token: string): string[] {
  return token
    .split(/[,;]+|(?<!\d)[:=#]|[:=#](?!\d)/)
    .map((word) =>
      word.replaceAll(
        /^[^\p{L}\p{N}\p{M}\p{Extended_Pictographic}]+|[^\p{L}\p{N}\p{M}\p{Extended_Pictographic}]+$/gu,
        '',
      ),
    )
    .filter((word) => word !== '');
}
