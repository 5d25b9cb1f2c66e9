import { westernDigits } from '../digits.ts';
import { caseless, plainQuotes } from '../letters.ts';
import { nationalNumber } from '../phone.ts';

// What people leave out when they type: how a sign is drawn; what stands above and below letters in Latin, Greek,
// Cyrillic, Hebrew and Arabic; what only stretches, divides, joins or turns text.
const LEFT_OUT =
  /[\ufe00-\ufe0f\u0300-\u036f\u0591-\u05bd\u05bf\u05c1-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0640\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g;

// What Unicode calls letters of their own, and keyboards of other languages lack: those with a stroke or tied together,
// and the forms that Arabic letters have in Persian and Urdu or at the end of a word.
const LETTERS: Record<string, string> = {
  ø: 'o',
  đ: 'd',
  ð: 'd',
  ł: 'l',
  ħ: 'h',
  ŧ: 't',
  þ: 'th',
  æ: 'ae',
  œ: 'oe',
  ی: 'ي',
  ى: 'ي',
  ک: 'ك',
  ہ: 'ه',
  ة: 'ه',
};
const LETTER = new RegExp(`[${Object.keys(LETTERS).join('')}]`, 'g');

const PLAIN = /^[\t\n\r -_a-~]*$/;

/** The form in which texts are compared: "Müller", "MULLER" and "ｍüller" are one, and so are "Straße" and "STRASSE". */
export function fold(text: string): string {
  // Most of what is written is plain, and most of what is looked through here is long.
  if (PLAIN.test(text)) return text.toLowerCase().replaceAll(/\s+/g, ' ').trim();
  const bare = plainQuotes(westernDigits(text)).normalize('NFKD').replaceAll(LEFT_OUT, '').normalize('NFC');
  return caseless(bare)
    .replaceAll(/[‐-―−]/g, '-')
    .replaceAll(LETTER, (letter) => LETTERS[letter] ?? letter)
    .replaceAll(/\s+/g, ' ')
    .trim();
}

// The zero that is dialled inside of a country only: +44 (0)20 7946 0958.
const TRUNK = /\(0\)/g;

/** The digits of a phone number however it is written, in a folded text; undefined for what is none. */
export function digitsOf(text: string): string | undefined {
  return /^\+?[\d\s()/.-]{5,30}$/.test(text) ? text.replaceAll(TRUNK, '').replaceAll(/\D/g, '') : undefined;
}

/** A text as it would stand in a number that is kept, which has its country's code and nothing but digits. */
export function partOfPhone(text: string): string {
  return digitsOf(fold(text))?.replace(/^0+/, '') || text;
}

const FEWEST_DIGITS = 7;

/** The phone numbers that stand in a folded text, as their digits; those that follow each other are one. */
export function numbersIn(text: string): string[] {
  return (text.match(/\d[\d ()/.-]{5,}\d/g) ?? [])
    .filter((number) => /\D/.test(number))
    .map((number) => number.replaceAll(TRUNK, '').replaceAll(/\D/g, ''))
    .filter((digits) => digits.length >= FEWEST_DIGITS);
}

/** What stands in a number however it is written: without its country, and what is dialled inside of one or to leave it. */
export function numberAskedFor(text: string): string | undefined {
  const digits = digitsOf(text);
  if (digits === undefined) return undefined;
  const abroad = /^(?:\+|00)(\d+)$/.exec(text.startsWith('+') ? `+${digits}` : digits)?.[1];
  const number = (abroad && nationalNumber(abroad)) ?? digits.replace(/^0+/, '');
  return number.length >= FEWEST_DIGITS ? number : digits;
}
