import { globSync } from 'node:fs';
import process from 'node:process';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import extractOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';

const FOLDER = 'src';

await checkBoundaries();

/** Fails on a forbidden import, and on a module that was not read: a tool that sees nothing forbids nothing. */
async function checkBoundaries(): Promise<void> {
  const { output } = await cruise([FOLDER], await extractOptions('./.dependency-cruiser.cjs'));
  if (typeof output === 'string') throw new Error('dependency-cruiser gave text instead of a result');
  const unread = filesNotIn(output);
  const problems = [
    ...output.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`),
    ...unread.map((file) => `not read: ${file}`),
  ];
  for (const problem of problems) console.error(problem);
  console.log(`boundaries: ${output.modules.length} modules, ${problems.length} problems`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

function filesNotIn(result: ICruiseResult): string[] {
  const read = new Set(result.modules.filter(({ dependencies }) => dependencies).map(({ source }) => source));
  return globSync(`${FOLDER}/**/*.ts`).filter((file) => !read.has(file.replaceAll('\\', '/')));
}
