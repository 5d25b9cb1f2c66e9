import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

/* What the README promises line by line: each line names a test, and that test is there and runs. */

const ROOT = new URL('../../', import.meta.url);

interface Table {
  mark: string;
  what: string;
  cells: number;
  least: number;
}

const TABLES: Table[] = [
  {
    mark: 'comparison',
    what: 'everything that subscribers compare, each with all systems',
    cells: 9,
    least: 35,
  },
  { mark: 'documented', what: 'everything that both documented interfaces print', cells: 3, least: 30 },
];

async function rows(mark: string): Promise<string[][]> {
  const readme = await readFile(new URL('README.md', ROOT), 'utf8');
  const table = new RegExp(`<!-- ${mark} -->\\n([\\s\\S]*?)<!-- /${mark} -->`).exec(readme)?.[1] ?? '';
  const lines = table.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(1).map((line) => line.slice(2, -2).split(' | '));
}

/** The call that declares the test, like `it('…'` or `it.each([…])('…'`; undefined where the file has none. */
async function declarationOf(path: string, sentence: string): Promise<string | undefined> {
  const text = await readFile(new URL(path, ROOT), 'utf8').catch(() => '');
  const at = ["'", '"', '`']
    .map((quote) => text.indexOf(`(${quote}${sentence}${quote}`))
    .find((index) => index >= 0);
  return at === undefined ? undefined : text.slice(text.lastIndexOf('\n', at), at);
}

describe.each(TABLES)('the README on $mark', ({ mark, what, cells, least }) => {
  it(`has a line for ${what}`, async () => {
    const all = await rows(mark);
    expect(all.length).toBeGreaterThanOrEqual(least);
    for (const row of all) expect([row[0], row.length]).toEqual([row[0], cells]);
    expect(new Set(all.map(([first]) => first)).size).toBe(all.length);
  });

  it('names tests that exist and are not skipped', async () => {
    for (const row of await rows(mark)) {
      const [, path = '', sentence = ''] = /^\[[\w-]+\]\(([^)]+)\): (.+)$/.exec(row.at(-1) ?? '') ?? [];
      const declaration = await declarationOf(path, sentence);
      expect([row[0], path, sentence, declaration]).toEqual([row[0], path, sentence, expect.any(String)]);
      expect([row[0], declaration]).toEqual([row[0], expect.not.stringMatching(/skip|todo/)]);
    }
  });
});
