import { readFile, writeFile } from 'node:fs/promises';
import { quotingTable } from '../test/support/quoting-table.ts';

const README = new URL('../README.md', import.meta.url);
const BETWEEN = /(<!-- quoting -->\n)[\s\S]*?(<!-- \/quoting -->)/;

// `npm run quoting` prints the table of the README; `--write` puts it there.
const table = await quotingTable();
process.stdout.write(table);
if (process.argv.includes('--write')) {
  const readme = await readFile(README, 'utf8');
  await writeFile(
    README,
    readme.replace(BETWEEN, (_, begin, end) => `${begin}${table}${end}`),
  );
}
