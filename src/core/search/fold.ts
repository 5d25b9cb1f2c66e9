/** The form in which texts are compared: "Müller", "MULLER" and "ｍüller" are one. */
export function fold(text: string): string {
  return text
    .normalize('NFKD')
    .replaceAll(/[\u0300-\u036f]/g, '')
    .normalize('NFC')
    .toLowerCase()
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** The digits of a phone number however it is written; undefined for what is none. */
export function digitsOf(text: string): string | undefined {
  return /^\+?[\d\s()/.-]{5,30}$/.test(text) ? text.replaceAll(/\D/g, '') : undefined;
}
