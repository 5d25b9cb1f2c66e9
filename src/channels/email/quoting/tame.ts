const LONGEST_HTML = 1_000_000;
const DEEPEST = 500;
const LONGEST_ATTRIBUTE = 1_000;
/** They need no end, so that many of them are not deep. */
const NEVER_DEEP = new Set(
  'area base br col embed hr img input link meta source track wbr p li td th tr dt dd option tbody thead o:p'.split(
    ' ',
  ),
);

/** HTML that no parser chokes on: parsers need the square of the depth, and no person nests this deep. */
export function tame(html: string): string {
  const short = html.slice(0, LONGEST_HTML).replace(/<(?![a-z/!?])/gi, '&lt;');
  return depthOf(short) > DEEPEST ? short.replace(/<[^<>]*>?/g, '<br>') : short;
}

function depthOf(html: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [, closes, name = ''] of html.matchAll(/<(\/?)([a-z][a-z0-9:]*)/gi)) {
    if (NEVER_DEEP.has(name.toLowerCase())) continue;
    depth = Math.max(0, depth + (closes === '/' ? -1 : 1));
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

/** As much of an attribute as any mail program writes. */
export function attribute(attributes: Record<string, string>, name: string): string {
  return (attributes[name] ?? '').slice(0, LONGEST_ATTRIBUTE);
}
