import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Postmaster {
  pid: number;
  port: number;
  ready: boolean;
  alive: boolean;
}

/** What `postmaster.pid` says about the server that runs, or last ran, on the data below this folder. */
export async function readPostmaster(home: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(home, 'data', 'postmaster.pid'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  // pid, data folder, start time, port, socket folder, address, shared memory, state
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  return { pid, port: Number(lines[3]), ready: lines[7]?.trim() === 'ready', alive: isAlive(pid) };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Whether Postgres runs under this pid. Where asking for a program's name means starting one, any program will do. */
export async function isRunning(pid: number): Promise<boolean> {
  if (process.platform !== 'linux') return isAlive(pid);
  return (await commandName(pid))?.includes('postgres') ?? false;
}

/** The name of the program that runs under this pid now; undefined when none does. */
export async function commandName(pid: number): Promise<string | undefined> {
  if (!isAlive(pid)) return undefined;
  if (process.platform === 'linux') return linuxCommandName(pid);
  const [program, args] =
    process.platform === 'win32'
      ? ['tasklist', ['/fi', `pid eq ${pid}`, '/nh']]
      : ['ps', ['-o', 'comm=', '-p', String(pid)]];
  return new Promise((resolve) =>
    execFile(program, args, (error, stdout) => resolve(error ? undefined : stdout)),
  );
}

// In a container whose first process collects nobody, what was killed keeps its number as a zombie.
async function linuxCommandName(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [, name, state] = /^\d+ \((.*)\) (\w)/s.exec(stat) ?? [];
  return state === 'Z' ? undefined : name;
}
