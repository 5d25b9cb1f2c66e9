import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

/* What the README says of webhooks beside other systems: each line of ours names a test, and that test is there. */

const ROOT = new URL('../../', import.meta.url);
const CELLS = 9;

async function rows(): Promise<string[][]> {
  const readme = await readFile(new URL('README.md', ROOT), 'utf8');
  const table = /<!-- comparison -->\n([\s\S]*?)<!-- \/comparison -->/.exec(readme)?.[1] ?? '';
  const lines = table.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(1).map((line) => line.slice(2, -2).split(' | '));
}

describe('the comparison in the README', () => {
  it('has a line for everything that subscribers compare, each with all systems', async () => {
    const all = await rows();
    expect(all.length).toBeGreaterThan(35);
    for (const cells of all) expect([cells[0], cells.length]).toEqual([cells[0], CELLS]);
    expect(new Set(all.map(([what]) => what)).size).toBe(all.length);
  });

  it('names tests that exist', async () => {
    for (const cells of await rows()) {
      const [, path = '', sentence = ''] = /^\[[\w-]+\]\(([^)]+)\): (.+)$/.exec(cells[CELLS - 1] ?? '') ?? [];
      const text = await readFile(new URL(path, ROOT), 'utf8').catch(() => '');
      const isThere = ["'", '"', '`'].some((quote) => text.includes(`(${quote}${sentence}${quote}`));
      expect([cells[0], path, sentence, isThere]).toEqual([cells[0], path, sentence, true]);
    }
  });
});
