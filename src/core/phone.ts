import { parsePhoneNumberFromString } from 'libphonenumber-js';

/** A number as it is stored and compared: E.164 where it is international, else its digits. */
export function normalPhone(text: string): string {
  const compact = text
    .replaceAll(/[^\d+]/g, '')
    .replace(/(?!^)\+/g, '')
    .replace(/^00/, '+');
  if (!compact.startsWith('+')) return compact;
  const number = parsePhoneNumberFromString(compact);
  return number?.isPossible() === true ? number.number : compact;
}

/** The digits of an international number without those of its country; undefined for what is none. */
export function nationalNumber(digits: string): string | undefined {
  const number = parsePhoneNumberFromString(`+${digits}`);
  return number?.isPossible() === true ? number.nationalNumber : undefined;
}

/** Every form that a number is found under: networks write the mobiles of three countries with a digit more or less. */
export function phoneForms(text: string): string[] {
  const number = normalPhone(text);
  // In a query the plus of a number reads as a space unless it is encoded.
  const international = number.startsWith('+') ? number : `+${number}`;
  const forms = SIBLINGS.flatMap(([pattern, sibling]) => {
    const parts = pattern.exec(international);
    return parts === null ? [] : [sibling(parts[1] ?? '', parts[2] ?? '')];
  });
  return [...new Set([number, international, ...forms])];
}

type Sibling = (area: string, rest: string) => string;

const SIBLINGS: readonly [RegExp, Sibling][] = [
  // Brazil put a 9 before its mobiles, some accounts are older.
  [/^\+55(\d{2})9(\d{8})$/, (area, rest) => `+55${area}${rest}`],
  [/^\+55(\d{2})([6-9]\d{7})$/, (area, rest) => `+55${area}9${rest}`],
  // Argentina and Mexico had a digit for mobiles called from abroad.
  [/^\+549(\d{2})(\d{8})$/, (area, rest) => `+54${area}${rest}`],
  [/^\+54(\d{2})(\d{8})$/, (area, rest) => `+549${area}${rest}`],
  [/^\+521(\d{2})(\d{8})$/, (area, rest) => `+52${area}${rest}`],
  [/^\+52(\d{2})(\d{8})$/, (area, rest) => `+521${area}${rest}`],
];
