/** The host of an address, for people: the rest of it may be secret. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'an unknown host';
}
