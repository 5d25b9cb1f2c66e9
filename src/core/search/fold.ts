// What stands above and below letters in Latin, Greek, Cyrillic, Hebrew and Arabic; what only stretches, joins or turns text.
const MARKS =
  /[\u0300-\u036f]|[\u0591-\u05bd\u05bf\u05c1-\u05c7]|[\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed]|[\ufe00-\ufe0f]|\p{Cf}/gu;

/** The form in which texts are compared: "Müller", "MULLER" and "ｍüller" are one, and so are "Straße" and "STRASSE". */
export function fold(text: string): string {
  return (
    text
      .replaceAll(/[’‘‛ʼ´`′]/g, "'")
      .replaceAll(/[“”„‟]/g, '"')
      .normalize('NFKD')
      .replaceAll(MARKS, '')
      .normalize('NFC')
      .replaceAll(/[\p{Pd}−]/gu, '-')
      // Letters that only one case tells apart: ß is SS, ς is Σ, ı is I.
      .toUpperCase()
      .toLowerCase()
      .replaceAll('ς', 'σ')
      .replaceAll(/\s+/g, ' ')
      .trim()
  );
}

/** The digits of a phone number however it is written; undefined for what is none. */
export function digitsOf(text: string): string | undefined {
  return /^\+?[\d\s()/.-]{5,30}$/.test(text) ? text.replaceAll(/\D/g, '') : undefined;
}

const FEWEST_DIGITS = 7;

/** The phone numbers that stand in a text, as their digits. */
export function numbersIn(text: string): string[] {
  return (text.match(/\d[\d ()/.-]{5,28}\d/g) ?? [])
    .filter((number) => /\D/.test(number))
    .map((number) => number.replaceAll(/\D/g, ''))
    .filter((digits) => digits.length >= FEWEST_DIGITS);
}
