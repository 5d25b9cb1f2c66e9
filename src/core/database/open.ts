import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import { connect, type Pool } from './connect.ts';
import { startEmbedded } from './embedded.ts';
import { migrate } from './migrate.ts';
import { refuseOldPostgres, refuseTransactionPooling, refuseWithoutTemporary } from './session.ts';

export interface Database {
  url: string;
  pool: Pool;
  /** Closes the pool, and the embedded Postgres after it. */
  close(): Promise<void>;
}

/** Opens the configured database with its schema up to date; an embedded one is started first. */
export async function openDatabase(
  config: Config,
  log: Log,
  options: { max?: number } = {},
): Promise<Database> {
  const server = await startServer(config, log);
  const pool = connect(server.url, { ...options, applicationName: `tributary ${config.role}` });
  const close = async () => {
    await pool.end({ timeout: 5 });
    await server.stop();
  };
  try {
    if (config.database.kind === 'external') {
      await refuseTransactionPooling(server.url);
      await refuseOldPostgres(pool);
      await refuseWithoutTemporary(pool);
    }
    await migrate(pool);
    return { url: server.url, pool, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startServer(config: Config, log: Log): Promise<{ url: string; stop(): Promise<void> }> {
  if (config.database.kind === 'embedded') return startEmbedded({ dataDir: config.dataDir, log });
  return { url: config.database.url, stop: async () => {} };
}
