import { readFile, writeFile } from 'node:fs/promises';
import type { Figure, Results, Row } from './results.ts';

const README = new URL('../README.md', import.meta.url);
const RESULTS = new URL('./results.json', import.meta.url);
const BETWEEN = /(<!-- bench -->)[\s\S]*?(<!-- \/bench -->)/;

if (import.meta.main) await writeTable(JSON.parse(await readFile(RESULTS, 'utf8')) as Results);

/** Puts the table into the README, between its markers. */
export async function writeTable(results: Results): Promise<void> {
  const readme = await readFile(README, 'utf8').catch(() => '');
  if (!BETWEEN.test(readme)) return console.warn('README.md has no <!-- bench --> markers: not written.');
  await writeFile(
    README,
    readme.replace(BETWEEN, (_, begin, end) => `${begin}\n${renderTable(results)}\n${end}`),
  );
}

/** The results as Markdown. */
export function renderTable({ rows, ...results }: Results): string {
  const versions = Object.entries(results.versions).map(([name, version]) => `${name} ${version}`);
  return [
    '| what | measured | floor | ratio | must | dream |',
    '|---|--:|--:|--:|---|---|',
    ...rows.map(renderRow),
    '',
    `Medians of ${rows[0]?.ours[0]?.runs.length ?? 0} run(s) on ${results.cores} cores (${results.cpu}, ${results.memoryGb} GB) with the load generator on them, ` +
      `at ${results.measuredAt.slice(0, 10)}, commit ${results.commit}; ${versions.join(', ')}.`,
  ].join('\n');
}

function renderRow({ what, ours, floors, ratio, must, dream, isMet }: Row): string {
  const cells = [
    what,
    ours.map((figure) => renderFigure(figure, ours.length > 1)).join('<br>'),
    floors.map((figure) => renderFigure(figure, true)).join('<br>') || '–',
    ratio === undefined ? '–' : `${ratio.toFixed(2)} ×`,
    `${must}${isMet ? '' : ' (missed)'}`,
    dream,
  ];
  return `| ${cells.join(' | ')} |`;
}

function renderFigure({ name, unit, median }: Figure, withName: boolean): string {
  const value = `${median.toLocaleString('en')} ${unit}`;
  return withName ? `${name.replace(/^\w+: /, '').replace(/^(socket|webhook) /, '')}: ${value}` : value;
}
