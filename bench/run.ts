import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { measureAttachments } from './attachments.ts';
import { startChild } from './child.ts';
import { type Lab, openLab } from './lab.ts';
import { measureLists } from './lists.ts';
import { measureMail } from './mail.ts';
import { measureDoor, measureSocket, measureStart } from './measure.ts';
import { measureBacklog, measureIsolation, measureWebhooks } from './measure-webhooks.ts';
import { measureReplies } from './replies.ts';
import type { Results } from './results.ts';
import { type Measured, toRows } from './rows.ts';
import { measureSignedDoors } from './signed-doors.ts';
import { renderTable, writeTable } from './table.ts';

/** `npm run bench -- 1` is quicker, and says so in its table. */
const RUNS = Number(process.argv[2] ?? 3);

const lab = await openLab();
try {
  const runs: Measured[] = [];
  for (let n = 1; n <= RUNS; n++) {
    console.log(`run ${n} of ${RUNS}`);
    runs.push(await measureAll(lab));
  }
  const results = describe(lab, runs);
  await writeFile(new URL('./results.json', import.meta.url), `${JSON.stringify(results, null, 2)}\n`);
  await writeTable(results);
  console.log(`\n${renderTable(results)}`);
} finally {
  await lab.close();
}

async function measureAll(lab: Lab): Promise<Measured> {
  const load = startChild('./load.ts');
  try {
    const parts = [
      await told(measureDoor(lab, load)),
      await told(measureSignedDoors(lab, load)),
      await told(measureMail(lab)),
      await told(measureSocket(lab, load)),
      await told(measureWebhooks(lab, load)),
      await told(measureIsolation(lab, load)),
      await told(measureBacklog(lab, load)),
      await told(measureAttachments(lab)),
      await told(measureReplies(lab)),
      await told(measureLists(lab)),
      await told(measureStart()),
    ];
    return Object.assign({}, ...parts) as Measured;
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
