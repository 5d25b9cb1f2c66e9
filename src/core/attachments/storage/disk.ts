import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Storage } from '../storage.ts';
import { FileGone } from './gone.ts';

/** One file a key, below one folder that all processes of an installation share. */
export function createDiskStorage(folder: string): Storage {
  const pathOf = (key: string) => join(folder, key);
  return {
    /** A file appears under its name when it is whole, so a crash leaves no half of one. */
    async put(key, path) {
      const target = pathOf(key);
      await mkdir(dirname(target), { recursive: true });
      await sync(path);
      await rename(path, target);
      await sync(dirname(target));
    },
    async open(key, range) {
      const file = await open(pathOf(key), 'r').catch((error: NodeJS.ErrnoException) => {
        throw error.code === 'ENOENT' ? new FileGone(key, { cause: error }) : error;
      });
      return file.createReadStream(range);
    },
    remove: (key) => rm(pathOf(key), { force: true }),
    close() {},
  };
}

/** On the disk itself, not only in its cache. */
async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
