import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../src/core/database/connect.ts';
import { startEmbedded } from '../src/core/database/embedded.ts';
import { migrate } from '../src/core/database/migrate.ts';
import { createLog } from '../src/core/log.ts';
import { dumpSchema } from './schema.ts';

const FILE = new URL('../src/core/database/schema.sql', import.meta.url);

/** `schema:dump` writes what the migrations lead to; `schema:check` fails where the committed file says otherwise. */
const schema = await migratedSchema();
if (!process.argv.includes('--check')) {
  await writeFile(FILE, schema);
} else if ((await readFile(FILE, 'utf8').catch(() => '')) !== schema) {
  console.error('src/core/database/schema.sql is not what the migrations lead to: npm run schema:dump');
  process.exitCode = 1;
}

async function migratedSchema(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tributary-schema-'));
  // As root, Postgres runs as another user, who must pass through.
  await chmod(dataDir, 0o711);
  const server = await startEmbedded({ dataDir, log: createLog('warn'), settings: { fsync: 'off' } });
  const pool = connect(server.url, { max: 2 });
  try {
    await migrate(pool);
    return await dumpSchema(pool);
  } finally {
    await pool.end();
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}
