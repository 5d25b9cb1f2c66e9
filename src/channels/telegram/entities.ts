import type { Entity } from './update.ts';

/** The text with its formatting as HTML; undefined when it has none, so that plain messages stay plain. */
export function entitiesToHtml(text: string, entities: Entity[] = []): string | undefined {
  const formatting = entities
    .filter((entity) => tagsOf(entity) !== undefined)
    .slice(0, MOST_ENTITIES)
    .sort((a, b) => a.offset - b.offset || b.length - a.length);
  return formatting.length === 0 ? undefined : render(text, { from: 0, to: text.length }, formatting);
}

// Telegram itself stops at 100; the limit keeps the recursion shallow.
const MOST_ENTITIES = 200;
const SAFE_LINK = /^(https?|tg|mailto|tel):/i;

const TAGS: Record<string, readonly [string, string]> = {
  bold: ['<b>', '</b>'],
  italic: ['<i>', '</i>'],
  underline: ['<u>', '</u>'],
  strikethrough: ['<s>', '</s>'],
  spoiler: ['<span class="tg-spoiler">', '</span>'],
  blockquote: ['<blockquote>', '</blockquote>'],
  expandable_blockquote: ['<blockquote expandable>', '</blockquote>'],
  code: ['<code>', '</code>'],
  pre: ['<pre>', '</pre>'],
};

function tagsOf(entity: Entity): readonly [string, string] | undefined {
  if (entity.type !== 'text_link') return Object.hasOwn(TAGS, entity.type) ? TAGS[entity.type] : undefined;
  const isSafe = entity.url !== undefined && SAFE_LINK.test(entity.url);
  return isSafe ? [`<a href="${escapeHtml(entity.url ?? '')}">`, '</a>'] : undefined;
}

/** Entities nest or stand apart; one that crosses another loses its formatting, never its text. */
function render(text: string, span: { from: number; to: number }, entities: Entity[]): string {
  let html = '';
  let at = span.from;
  for (let next = 0; next < entities.length; ) {
    const entity = entities[next++] as Entity;
    const end = entity.offset + entity.length;
    if (entity.offset < at || end > span.to) continue;
    const first = next;
    while (next < entities.length && (entities[next] as Entity).offset < end) next++;
    const inner = render(text, { from: entity.offset, to: end }, entities.slice(first, next));
    const [open, close] = tagsOf(entity) ?? ['', ''];
    html += escapeHtml(text.slice(at, entity.offset)) + open + inner + close;
    at = end;
  }
  return html + escapeHtml(text.slice(at, span.to));
}

/** Makes text safe between and inside HTML tags. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&${ESCAPES[character]};`);
}

const ESCAPES: Record<string, string> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot' };
