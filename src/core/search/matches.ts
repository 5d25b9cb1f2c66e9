import { containing } from '../containing.ts';
import type { Sql } from '../database/connect.ts';
import { fold, numberAskedFor } from './fold.ts';
import { readQuery, type Term } from './query.ts';

/** The documents that hold what is asked for: each word anywhere in the text, or with `hasParts` false, as a word. */
export function matches(sql: Sql, q: string, hasParts: boolean) {
  if (!hasParts) return matchesWords(sql, q);
  const number = numberAskedFor(fold(q));
  return sql`(false ${readQuery(q).map((terms) => sql`or (true ${terms.map((term) => sql`and ${holds(sql, term)}`)})`)}
    ${number === undefined ? sql`` : sql`or d.text like ${containing(number)}`})`;
}

/** The documents that an index of words finds: whole ones where the question has signs of its own, else their beginnings. */
function matchesWords(sql: Sql, q: string) {
  const text = fold(q);
  if (hasSigns(q)) return sql`d.words @@ websearch_to_tsquery('simple', ${text})`;
  return sql`d.words @@ (
    select to_tsquery('simple', coalesce(string_agg(quote_literal(lexeme) || ':*', ' & '), ''))
    from unnest(to_tsvector('simple', ${text})))`;
}

/** Whether an index knows where all that matches is: parts of words are kept by three characters. */
export function hasIndexedPart(q: string): boolean {
  return readQuery(q).every((terms) =>
    terms.some(({ words, isExcluded }) => !isExcluded && words.some((word) => /[\p{L}\p{N}]{3}/u.test(word))),
  );
}

function hasSigns(q: string): boolean {
  const query = readQuery(q);
  return query.length > 1 || query.flat().some(({ isExact }) => isExact);
}

function holds(sql: Sql, { words, isExact, isExcluded }: Term) {
  const parts = words.map((word) => sql`and d.text like ${containing(word)}`);
  const whole = isExact ? sql`and d.text ~ ${wholeWords(words)}` : sql``;
  return sql`${isExcluded ? sql`not` : sql``} (true ${parts} ${whole})`;
}

// These are written without spaces: where a word ends nobody can see.
const UNSPACED =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}';
const BEGINS_A_WORD = new RegExp(`^(?![${UNSPACED}])[\\p{L}\\p{N}_]`, 'u');
const ENDS_A_WORD = new RegExp(`(?![${UNSPACED}])[\\p{L}\\p{N}_]$`, 'u');

/** A pattern of Postgres: the words as they are, one after another, and no part of a longer one. */
function wholeWords(words: string[]): string {
  const text = words.map((word) => word.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('\\W+');
  const begins = BEGINS_A_WORD.test(words[0] ?? '') ? '\\m' : '';
  const ends = ENDS_A_WORD.test(words.at(-1) ?? '') ? '\\M' : '';
  return `${begins}${text}${ends}`;
}
