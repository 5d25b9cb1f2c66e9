import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Program, startProgram } from './program.ts';

export interface Credentials {
  business_id: string;
  api_key: string;
  agent_id: string;
  channel_id: string;
}

/** What `npm start` gives a person: a whole gateway in a process of its own, with an embedded Postgres and a new DATA_DIR. */
export interface Server {
  url: string;
  dataDir: string;
  credentials: Credentials;
  /** The link to the demo page that the first start prints. */
  demoUrl: string;
  /** What it printed and logged so far. */
  output(): string;
  stop(): Promise<void>;
}

/** Starts it on a free port and waits until it says that it is ready. */
export async function startServer(env: Record<string, string> = {}): Promise<Server> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tributary-server-'));
  // As root, Postgres runs as another user, who must pass through.
  await chmod(dataDir, 0o711);
  let program: Program | undefined;
  const stop = async () => {
    await program?.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    program = await startProgram({ LOG_LEVEL: 'warn', DATA_DIR: dataDir, ...env });
    const { url, output } = program;
    const credentials: Credentials = JSON.parse(await readFile(join(dataDir, 'credentials.json'), 'utf8'));
    const demoUrl = /(http\S+\/demo#\S+)/.exec(output())?.[1] ?? '';
    return { url, dataDir, credentials, demoUrl, output, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
