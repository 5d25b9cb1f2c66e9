const E164 = /^\+[1-9]\d{6,14}$/;
const SHORT_CODE = /^\d{3,8}$/;

/** The thread of whoever has this number: a person by theirs, a service by its short code. */
export function threadKeyFor(address: string): string | undefined {
  const compact = address.replaceAll(/[\s().-]/g, '');
  return E164.test(compact) || SHORT_CODE.test(compact) ? compact : undefined;
}
