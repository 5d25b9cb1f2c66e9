/** The HTML as Telegram takes it, with the text that it shows; undefined where it has what Telegram does not know. */
export function telegramHtml(html: string): { html: string; text: string } | undefined {
  const adapted = linesInsteadOfBlocks(html);
  return isSupported(adapted) ? { html: adapted, text: visibleText(adapted) } : undefined;
}

/** Editors write every line as a paragraph, which Telegram has no tag for. */
function linesInsteadOfBlocks(html: string): string {
  return html
    .replace(/<br\s*\/?>/gi, '\n')
    .replace(/<\/(p|div)>\s*<(p|div)>/gi, '\n\n')
    .replace(/<\/?(p|div)>/gi, '')
    .trim();
}

const PLAIN_TAGS = 'b|strong|i|em|u|ins|s|strike|del|tg-spoiler|code|pre|blockquote';
const OPENING = new RegExp(
  `^<(?:(${PLAIN_TAGS})|(a) href="[^"<>]*"|(span) class="tg-spoiler"|(code) class="language-[\\w+#-]+"|(blockquote) expandable|(tg-emoji) emoji-id="\\d+")>$`,
  'i',
);
const CLOSING = /^<\/([a-z-]+)>$/i;

/** Telegram refuses a message for one unknown, crossed or unclosed tag. */
function isSupported(html: string): boolean {
  const open: string[] = [];
  for (const [token] of html.matchAll(/<[^>]*>?/g)) {
    const opening = OPENING.exec(token)?.slice(1).find(Boolean);
    const closing = CLOSING.exec(token)?.[1];
    if (opening !== undefined) open.push(opening.toLowerCase());
    else if (closing === undefined || open.pop() !== closing.toLowerCase()) return false;
  }
  return open.length === 0 && !UNKNOWN_ENTITY.test(html);
}

const UNKNOWN_ENTITY = /&(?!(?:lt|gt|amp|quot|#\d{1,7}|#x[\da-f]{1,6});)/i;
const NAMED: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"' };

function visibleText(html: string): string {
  return html.replace(/<[^>]*>/g, '').replace(/&#?\w+;/g, (entity) => {
    if (!entity.startsWith('&#')) return NAMED[entity.slice(1, -1).toLowerCase()] ?? entity;
    const code = /^&#x/i.test(entity) ? Number.parseInt(entity.slice(3), 16) : Number(entity.slice(2, -1));
    return code <= 0x10ffff ? String.fromCodePoint(code) : '';
  });
}
