import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

export interface Program {
  pid: number;
  /** Where it listens; empty for a worker. */
  url: string;
  /** All that it wrote to its terminal until now. */
  output(): string;
  /** Sends the signal and resolves with the exit code once the process has ended; null when the signal ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** Sends a signal and waits for nothing. */
  signal(signal: NodeJS.Signals): void;
  /** Resolves with the exit code. */
  ended: Promise<number | null>;
}

interface ProgramOptions {
  /** The command line; the program itself unless given. */
  command?: [string, ...string[]];
  cwd?: string;
  /** Leads a process group of its own, for tests that kill the whole group. */
  detached?: boolean;
  /** What it prints once it is ready, for another program. */
  readyWhen?: RegExp;
}

export const ROOT = resolve(import.meta.dirname, '../..');
// As `npm start` has it.
const COMPILED = resolve(ROOT, 'node_modules/.cache/tributary');

/** Runs Tributary as a process of its own, in an environment with nothing but these variables and a random port. */
export async function startProgram(
  env: Record<string, string>,
  options: ProgramOptions = {},
): Promise<Program> {
  const program = spawnProgram(env, options);
  const ended = program.ended.then((code) =>
    Promise.reject(new Error(`exited with ${code}: ${program.output()}`)),
  );
  await Promise.race([program.ready, ended]);
  const url = /ready at (\S+)/.exec(program.output())?.[1] ?? '';
  return { ...program, url };
}

/** Runs a start that is meant to fail; resolves with its exit code and all that it said, errors in its log too. */
export async function failToStart(
  env: Record<string, string>,
): Promise<{ code: number | null; said: string }> {
  const program = spawnProgram({ LOG_LEVEL: 'error', ...env }, {});
  void program.ready.then(() => program.stop('SIGKILL'));
  return { code: await program.ended, said: program.output() };
}

function spawnProgram(
  env: Record<string, string>,
  { command, cwd = ROOT, detached = false, readyWhen = /^Tributary is ready.*\n/m }: ProgramOptions,
) {
  const [file, ...args] = command ?? [process.execPath, 'src/main.ts'];
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(file, args, {
    cwd,
    detached,
    env: { PATH, HOME, PORT: '0', LOG_LEVEL: 'info', NODE_COMPILE_CACHE: COMPILED, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  const ready = Promise.withResolvers<void>();
  child.stdout.on('data', (chunk) => {
    output += chunk;
    if (readyWhen.test(output)) ready.resolve();
  });
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    pid: child.pid ?? 0,
    ready: ready.promise,
    ended,
    output: () => output + errors,
    signal: (signal: NodeJS.Signals) => void child.kill(signal),
    stop: (signal: NodeJS.Signals = 'SIGTERM') => {
      child.kill(signal);
      return ended;
    },
  };
}
