/** The words of a rich message, block by block; its pictures and tables keep only their text. */
export function richText(value: unknown): string {
  return blockText(value).trim();
}

function blockText(value: unknown): string {
  if (Array.isArray(value)) return value.map(blockText).filter(Boolean).join('\n');
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? value : '';
  const block = value as Record<string, unknown>;
  const lines = [inlineText(block['summary'] ?? ''), inlineText(block['text'] ?? block['expression'] ?? '')];
  for (const key of ['blocks', 'items']) lines.push(blockText(block[key] ?? ''));
  lines.push(cellText(block['cells']), captionText(block['caption']), captionText(block['credit']));
  return lines.filter(Boolean).join('\n');
}

function inlineText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(inlineText).join('');
  if (typeof value !== 'object' || value === null) return '';
  const inline = value as Record<string, unknown>;
  return inlineText(
    inline['text'] ?? inline['expression'] ?? inline['alternative_text'] ?? inline['button'] ?? '',
  );
}

function cellText(rows: unknown): string {
  if (!Array.isArray(rows)) return '';
  return rows.map((row) => (Array.isArray(row) ? row.map(inlineText).join(' | ') : '')).join('\n');
}

function captionText(caption: unknown): string {
  return inlineText(caption ?? '');
}
