// What people leave out when they type: how a sign is drawn; what stands above and below letters in Latin, Greek,
// Cyrillic, Hebrew and Arabic; what only stretches, divides, joins or turns text.
const LEFT_OUT =
  /[\ufe00-\ufe0f\u0300-\u036f\u0591-\u05bd\u05bf\u05c1-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u0640\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g;

/** The form in which texts are compared: "Müller", "MULLER" and "ｍüller" are one, and so are "Straße" and "STRASSE". */
export function fold(text: string): string {
  return (
    text
      .replaceAll(/[’‘‛ʼ´`′]/g, "'")
      .replaceAll(/[“”„‟]/g, '"')
      .normalize('NFKD')
      .replaceAll(LEFT_OUT, '')
      .normalize('NFC')
      .replaceAll(/[‐-―−]/g, '-')
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
