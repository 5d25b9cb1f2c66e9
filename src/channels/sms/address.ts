const E164 = /^\+[1-9]\d{6,14}$/;
const SHORT_CODE = /^\d{3,8}$/;
// A messaging service may hold senders of other kinds: what is written to those comes by the same door.
const OTHER_KIND = /^(whatsapp|messenger|rcs):\S+$/;

/** The thread of whoever has this number: a person by theirs, a service by its short code. */
export function threadKeyFor(address: string): string | undefined {
  const compact = address.replaceAll(/[\s().-]/g, '');
  return E164.test(compact) || SHORT_CODE.test(compact) ? compact : undefined;
}

/** Where a thread's messages go; undefined for who has only a name. */
export function addressOf(threadKey: string): string | undefined {
  return OTHER_KIND.test(threadKey) ? threadKey : threadKeyFor(threadKey);
}
