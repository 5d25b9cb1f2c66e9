import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileTypeFromFile } from 'file-type';
import { newId } from './id.ts';

export interface StoredFile {
  key: string;
  sizeBytes: number;
  sha256: Buffer;
  /** What the bytes themselves say they are; undefined for text and unknown formats. */
  sniffedType: string | undefined;
}

export interface WriteOptions {
  maxBytes: number;
  signal?: AbortSignal;
}

/** The bytes went over the limit; nothing of them was kept. */
export class FileTooLarge extends Error {
  constructor(maxBytes: number) {
    super(`the file is larger than ${maxBytes} bytes`);
    this.name = 'FileTooLarge';
  }
}

export interface Files {
  /** Stores the bytes under a new key: on the disk, not only in its cache, before it resolves. */
  write(body: AsyncIterable<Uint8Array>, options: WriteOptions): Promise<StoredFile>;
  copy(key: string): Promise<string>;
  read(key: string): Promise<Buffer>;
  stream(key: string, range?: { start: number; end: number }): Readable;
  remove(key: string): Promise<void>;
}

/** Attachments' bytes, one file each, below one folder. */
export function createFiles(folder: string): Files {
  const pathOf = (key: string) => join(folder, key);
  return {
    async write(body, options) {
      const key = newKey();
      return inPlace(pathOf(key), async (temporary) => {
        const written = await writeDurably(temporary, body, options);
        const sniffed = await fileTypeFromFile(temporary);
        return { key, ...written, sniffedType: sniffed?.mime };
      });
    },
    async copy(from) {
      const key = newKey();
      return inPlace(pathOf(key), async (temporary) => {
        await copyFile(pathOf(from), temporary);
        await syncToDisk(temporary);
        return key;
      });
    },
    read: (key) => readFile(pathOf(key)),
    stream: (key, range) => createReadStream(pathOf(key), range),
    remove: (key) => rm(pathOf(key), { force: true }),
  };
}

/** The random end of the id spreads the files over 256 folders. */
function newKey(): string {
  const id = newId();
  return join(id.slice(-2), id);
}

/** A file appears under its name when it is whole, so a crash leaves no half of one. */
async function inPlace<T>(path: string, fill: (temporary: string) => Promise<T>): Promise<T> {
  const temporary = `${path}.part`;
  await mkdir(dirname(path), { recursive: true });
  try {
    const filled = await fill(temporary);
    await rename(temporary, path);
    await syncToDisk(dirname(path));
    return filled;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function writeDurably(
  path: string,
  body: AsyncIterable<Uint8Array>,
  { maxBytes, signal }: WriteOptions,
) {
  const hash = createHash('sha256');
  const file = await open(path, 'wx');
  let sizeBytes = 0;
  try {
    for await (const chunk of body) {
      signal?.throwIfAborted();
      sizeBytes += chunk.byteLength;
      if (sizeBytes > maxBytes) throw new FileTooLarge(maxBytes);
      hash.update(chunk);
      await file.writeFile(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { sizeBytes, sha256: hash.digest() };
}

async function syncToDisk(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
