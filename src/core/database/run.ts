import { spawn } from 'node:child_process';
import type { Home } from './home.ts';

/** Runs a program as the user of the database, to its end; what it said is in the error when it fails. */
export async function run(home: Home, program: string, args: string[]): Promise<void> {
  const child = spawn(program, args, { ...asUserOf(home), stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on('error', reject).on('close', resolve);
  if ((await promise) !== 0) throw new Error(`${program} failed: ${output.trim()}`);
}

/** How to spawn for this home: as its user, and without our environment, which holds secrets and may hold PGPORT. */
export function asUserOf(home: Home): {
  uid?: number;
  gid?: number;
  cwd: string;
  env?: Record<string, string>;
} {
  return { ...home.user, cwd: home.path, ...(process.platform === 'win32' ? {} : { env: {} }) };
}
