import { DatabaseSync } from 'node:sqlite';

/**
 * Takes the lock of a folder, or says that another process has it. The kernel frees it when the process ends,
 * however it ends; Node has no `flock`, but SQLite locks its files that way on every system.
 */
export function lockFolder(lockFile: string): { release(): void } | undefined {
  const file = new DatabaseSync(lockFile, { timeout: 0 });
  try {
    file.exec('pragma locking_mode = exclusive; begin exclusive');
  } catch (error) {
    file.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
  return { release: () => file.close() };
}

const SQLITE_BUSY = 5;

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}
