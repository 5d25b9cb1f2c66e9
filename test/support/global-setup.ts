import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { connect } from '../../src/core/database/connect.ts';
import { type EmbeddedPostgres, startEmbedded } from '../../src/core/database/embedded.ts';
import { migrate } from '../../src/core/database/migrate.ts';
import { createPartitions } from '../../src/core/database/partitions.ts';
import { createLog } from '../../src/core/log.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The URL of the test Postgres; its path names the maintenance database. */
    postgresUrl: string;
    /** The migrated database that every test file's own is cloned from. */
    templateDatabase: string;
  }
}

const TEMPLATE = 'tributary_template';
const PREFIX = 'tributary-test-';

/** One Postgres for the whole run, without fsync, with a migrated template in it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await sweepOrphans();
  const dataDir = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  // As root, Postgres runs as another user, who must pass through.
  await chmod(dataDir, 0o711);
  const postgres = await startIn(dataDir);
  await createTemplate(postgres.url);
  project.provide('postgresUrl', postgres.url);
  project.provide('templateDatabase', TEMPLATE);
  return async () => {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
}

function startIn(dataDir: string): Promise<EmbeddedPostgres> {
  const settings = {
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    max_connections: '200',
  };
  return startEmbedded({ dataDir, log: createLog('silent'), settings });
}

async function createTemplate(url: string): Promise<void> {
  const admin = connect(url, { max: 1 });
  await admin`create database ${admin(TEMPLATE)}`;
  await admin.end();
  const template = new URL(url);
  template.pathname = TEMPLATE;
  const pool = connect(template.href, { max: 2 });
  await migrate(pool);
  await createPartitions(pool, { daysAhead: 2 });
  await pool.end();
}

// A run that was killed leaves its Postgres behind, as Tributary itself would: adopt and stop it.
async function sweepOrphans(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(/^tributary-test-(\d+)-/.exec(name)?.[1]);
    if (!pid || isAlive(pid)) continue;
    const dataDir = join(tmpdir(), name);
    const orphan = await startIn(dataDir).catch(() => undefined);
    await orphan?.stop();
    await rm(dataDir, { recursive: true, force: true }).catch(() => {});
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
