import { containing } from '../containing.ts';
import type { Sql } from '../database/connect.ts';
import { digitsOf, fold } from './fold.ts';

/** Words in any order, each anywhere in the text; quotes, OR and a minus mean what they mean elsewhere. */
export function matches(sql: Sql, q: string, hasParts: boolean) {
  const text = fold(q);
  if (isQuery(text)) return sql`d.words @@ websearch_to_tsquery('simple', ${text})`;
  if (!hasParts) return matchesBeginnings(sql, q);
  const digits = digitsOf(q);
  return sql`true ${wordsOf(text).map((word) => sql`and d.text like ${containing(word)}`)}
    ${digits === undefined ? sql`` : sql`or d.text like ${containing(digits)}`}`;
}

/** Words in any order, each as the beginning of one. */
export function matchesBeginnings(sql: Sql, q: string) {
  return sql`d.words @@ (
    select to_tsquery('simple', coalesce(string_agg(quote_literal(lexeme) || ':*', ' & '), ''))
    from unnest(to_tsvector('simple', ${fold(q)})))`;
}

/** Whether an index knows where all that matches is: parts of words are kept by three characters. */
export function hasIndexedPart(q: string): boolean {
  return isQuery(fold(q)) || /[\p{L}\p{N}]{3}/u.test(fold(q));
}

function isQuery(text: string): boolean {
  return /"|(^|\s)-\S|\sor\s/.test(text);
}

/** Without the signs around them; signs alone are looked for as they are. */
function wordsOf(text: string): string[] {
  const words = text
    .split(/[\s,;]+/)
    .map((word) => word.replaceAll(/^[^\p{L}\p{N}\p{M}]+|[^\p{L}\p{N}\p{M}]+$/gu, ''))
    .filter((word) => word !== '');
  return words.length === 0 ? [text] : words;
}
