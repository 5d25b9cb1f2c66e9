/** A text with the quotes of every keyboard and language as the plain two. */
export function plainQuotes(text: string): string {
  return text.replaceAll(/[’‘‛ʼ´`′]/g, "'").replaceAll(/[“”„‟]/g, '"');
}

/** A text in one case, with the letters that only one case tells apart as one: ß is SS, ς is Σ, ı and İ are I. */
export function caseless(text: string): string {
  return text.toUpperCase().toLowerCase().replaceAll('ς', 'σ').replaceAll('i\u0307', 'i');
}
