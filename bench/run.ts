import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { measureAttachments } from './attachments.ts';
import { measureAutomation } from './automation.ts';
import { type Child, startChild } from './child.ts';
import { type Lab, openLab } from './lab.ts';
import { measureMail } from './mail.ts';
import { measureDoor, measureSocket, measureStart } from './measure.ts';
import { measureBacklog, measureIsolation, measureWebhooks } from './measure-webhooks.ts';
import { measurePast } from './past.ts';
import { measureReplies } from './replies.ts';
import type { Results } from './results.ts';
import { type Measured, toRows } from './rows.ts';
import { measureSignedDoors } from './signed-doors.ts';
import { renderTable, writeTable } from './table.ts';

type Measurement = (lab: Lab, load: Child) => Promise<Measured>;

const PARTS: Record<string, Measurement> = {
  door: measureDoor,
  doors: measureSignedDoors,
  mail: measureMail,
  socket: measureSocket,
  webhooks: measureWebhooks,
  isolation: measureIsolation,
  backlog: measureBacklog,
  attachments: measureAttachments,
  replies: measureReplies,
  automation: measureAutomation,
  past: measurePast,
  start: measureStart,
};

/** `npm run bench -- door` measures one part once and keeps nothing; `npm run bench -- 1` is the whole, and quicker. */
const asked = process.argv[2] ?? '3';
const part = PARTS[asked];
const runsAsked = Number(asked);
if (part === undefined && !(runsAsked > 0))
  throw new Error(`"${asked}" is neither a number of runs nor one of ${Object.keys(PARTS).join(', ')}`);

const lab = await openLab();
try {
  await (part === undefined ? measureAll(runsAsked) : measure([part]));
} finally {
  await lab.close();
}

async function measureAll(count: number): Promise<void> {
  const runs: Measured[] = [];
  for (let n = 1; n <= count; n++) {
    console.log(`run ${n} of ${count}`);
    runs.push(await measure(Object.values(PARTS)));
  }
  const results = describe(lab, runs);
  await writeFile(new URL('./results.json', import.meta.url), `${JSON.stringify(results, null, 2)}\n`);
  await writeTable(results);
  console.log(`\n${renderTable(results)}`);
}

async function measure(parts: Measurement[]): Promise<Measured> {
  const load = startChild('./load.ts');
  const measured: Measured = {};
  try {
    for (const part of parts) Object.assign(measured, await told(part(lab, load)));
    return measured;
  } finally {
    await load.stop();
  }
}

async function told(measuring: Promise<Measured>): Promise<Measured> {
  const measured = await measuring;
  for (const [name, value] of Object.entries(measured)) console.log(`  ${name}: ${value.toFixed(1)}`);
  return measured;
}

function describe({ postgresVersion }: Lab, runs: Measured[]): Results {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const { hono, bullmq, postgres, undici } = manifest.dependencies as Record<string, string>;
  return {
    commit: commit(),
    measuredAt: new Date().toISOString(),
    cores: cpus().length,
    cpu: cpus()[0]?.model ?? 'unknown',
    memoryGb: Math.round(totalmem() / 2 ** 30),
    versions: {
      Node: process.versions.node,
      Postgres: postgresVersion,
      hono: hono ?? '',
      bullmq: bullmq ?? '',
      'postgres.js': postgres ?? '',
      undici: undici ?? '',
    },
    rows: toRows(runs),
  };
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim();
  } catch {
    return 'none yet';
  }
}
