import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Child {
  /** Has the process do one job; resolves with what it answers. */
  ask<T = void>(job: string, input?: unknown): Promise<T>;
  stop(): Promise<void>;
}

/** A process of this folder, so that what measures does not share a core's time with what is measured. */
export function startChild(file: string): Child {
  const child: ChildProcess = fork(fileURLToPath(new URL(file, import.meta.url)), { execArgv: [] });
  const ended = once(child, 'exit');
  return {
    async ask<T>(job: string, input?: unknown): Promise<T> {
      const answer = once(child, 'message');
      child.send({ job, input });
      const [message] = await Promise.race([
        answer,
        ended.then(() => Promise.reject(new Error(`${file} ended`))),
      ]);
      const { result, error } = message as { result?: T; error?: string };
      if (error !== undefined) throw new Error(`${file}, ${job}: ${error}`);
      return result as T;
    },
    async stop() {
      child.kill();
      await ended;
    },
  };
}

type Jobs = Record<string, (input: never) => unknown>;

/** The child's side: does the jobs it is asked for. */
export function serveJobs(jobs: Jobs): void {
  process.on('message', async ({ job, input }: { job: string; input: never }) => {
    try {
      process.send?.({ result: await jobs[job]?.(input) });
    } catch (error) {
      process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
}
