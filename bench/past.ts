import { deepStrictEqual } from 'node:assert';
import { type History, makeHistory } from './history.ts';
import { type Lab, type Subject, withGateway } from './lab.ts';
import { LISTS, REPORTS, SEARCHES, WHOLE } from './questions.ts';
import type { Measured } from './rows.ts';
import { median, percentile } from './stats.ts';

const ASKED = 100;
// The largest of many figures of a few milliseconds is whatever else happened just then, unless each is the middle of some.
const ROUNDS = 3;
const ASKED_DEARER = 40;
const WARM_UP = 10;
const FEW = 10_000;
/** `BENCH_MESSAGES=10000000` asks for ten million. */
const MANY = Number(process.env['BENCH_MESSAGES'] ?? 1_000_000);

/** What is asked of a long past, and how much slower than of a short one: the 95th of a hundred requests. */
export async function measurePast(lab: Lab): Promise<Measured> {
  const { figures: short, rows: shortRows } = await measureWith(lab, FEW);
  const { figures: long, rows: longRows } = await measureWith(lab, MANY);
  // A longer answer takes longer, however it was found.
  deepStrictEqual(longRows, shortRows, 'a list of the long past answers other rows than of the short one');
  const ratios = Object.keys(LISTS).map((name) => (long[name] ?? Number.NaN) / (short[name] ?? Number.NaN));
  const figures: Measured = {
    'lists: the slowest': Math.max(...ratios),
    'lists: the middle one': median(ratios),
  };
  for (const name of Object.keys(SEARCHES)) figures[`search: ${name}`] = long[name] ?? Number.NaN;
  for (const name of Object.keys(REPORTS)) figures[`report: ${name}`] = long[name] ?? Number.NaN;
  for (const name of Object.keys(long))
    console.log(`    ${name}: ${short[name]?.toFixed(1)} ms, ${long[name]?.toFixed(1)} ms`);
  return figures;
}

interface Past {
  figures: Measured;
  /** How many rows each list answers. */
  rows: Record<string, number>;
}

function measureWith(lab: Lab, messages: number): Promise<Past> {
  return lab.withDatabase((url) =>
    withGateway(url, async (subject) => {
      const past = await makeHistory(subject, messages);
      await expectWhole(subject, past);
      const rows = await countRows(subject, past);
      const figures = await measureLists(subject, past);
      for (const [name, path] of Object.entries({ ...SEARCHES, ...REPORTS }))
        figures[name] = await p95(subject, path(past), ASKED_DEARER);
      return { figures, rows };
    }),
  );
}

async function countRows(subject: Subject, past: History): Promise<Record<string, number>> {
  const rows: Record<string, number> = {};
  for (const [name, path] of Object.entries(LISTS)) {
    const answer = await ask(subject, path(past), subject.apiKey);
    const { data, messages } = (await answer.json()) as Record<'data' | 'messages', unknown[] | undefined>;
    rows[name] = (data ?? messages ?? []).length;
  }
  return rows;
}

/** Each list's p95, the middle one of rounds that ask for all of them. */
async function measureLists(subject: Subject, past: History): Promise<Measured> {
  const rounds: Measured[] = [];
  for (let n = 0; n < ROUNDS; n += 1) {
    const round: Measured = {};
    for (const [name, path] of Object.entries(LISTS)) round[name] = await p95(subject, path(past), ASKED);
    rounds.push(round);
  }
  const middle = (name: string) => median(rounds.map((round) => round[name] ?? Number.NaN));
  return Object.fromEntries(Object.keys(LISTS).map((name) => [name, middle(name)]));
}

/** An answer in time is worth nothing where it leaves out what is there. */
async function expectWhole(subject: Subject, past: History): Promise<void> {
  for (const name of WHOLE) {
    const answer = await ask(subject, SEARCHES[name]?.(past) ?? '', subject.apiKey);
    const { data, partial } = (await answer.json()) as { data: unknown[]; partial: boolean };
    if (partial || data.length === 0) throw new Error(`${name}: ${data.length} hits, partial: ${partial}`);
  }
}

async function p95(subject: Subject, path: string, count: number): Promise<number> {
  const times: number[] = [];
  // A key of its own, for each may ask only so often a minute.
  const { key } = await subject.call<{ key: string }>('POST', '/api-keys', { name: 'past', role: 'agent' });
  for (let n = 0; n < WARM_UP + count; n += 1) {
    const begun = performance.now();
    const answer = await ask(subject, path, key);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    if (n >= WARM_UP) times.push(performance.now() - begun);
  }
  return percentile(times, 0.95);
}

function ask({ url }: Subject, path: string, key: string): Promise<Response> {
  const dialect = path.startsWith('/support') ? '/api' : '/api/v1';
  return fetch(`${url}${dialect}${path}`, { headers: { authorization: `Bearer ${key}` } });
}
