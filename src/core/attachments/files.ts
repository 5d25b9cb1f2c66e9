import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { newId } from '../id.ts';
import {
  drawThumbnail,
  fitPicture,
  isConvertible,
  isPicture,
  type PictureLimits,
  type Size,
} from './picture.ts';
import type { Span, Storage } from './storage.ts';

export interface StoredFile {
  key: string;
  sizeBytes: number;
  /** How many came; others than are stored where a picture was converted. */
  receivedBytes: number;
  sha256: Buffer;
  /** What the bytes themselves say they are; undefined for text and unknown formats. */
  sniffedType: string | undefined;
  /** Of a picture, which then has a thumbnail too. */
  picture: Size | undefined;
}

export interface WriteOptions {
  maxBytes: number;
  signal?: AbortSignal;
  /** What pictures are converted to. */
  pictures?: PictureLimits | undefined;
}

/** The bytes went over the limit; nothing of them was kept. */
export class FileTooLarge extends Error {
  constructor(maxBytes: number) {
    super(`the file is larger than ${maxBytes} bytes`);
    this.name = 'FileTooLarge';
  }
}

export interface Files {
  /** Stores the bytes under this key, and a thumbnail where they are a picture; durably, before it resolves. */
  write(key: string, body: AsyncIterable<Uint8Array>, options: WriteOptions): Promise<StoredFile>;
  read(key: string): Promise<Buffer>;
  /** Throws FileGone. */
  stream(key: string, range?: Span): Promise<Readable>;
  /** The file and its thumbnail; no error where there is nothing. */
  remove(key: string): Promise<void>;
  /** Forgets what writes of processes that died have left on this disk. */
  tidy(): Promise<void>;
}

interface FilesOptions {
  storage: Storage;
  /** A folder on this disk, the storage's own where that is a disk: files are whole before they are stored. */
  incoming: string;
}

/** Attachments' bytes: received on this disk, looked at there, then stored where all processes find them. */
export function createFiles({ storage, incoming }: FilesOptions): Files {
  async function receive(body: AsyncIterable<Uint8Array>, options: WriteOptions): Promise<Received> {
    await mkdir(incoming, { recursive: true });
    const path = join(incoming, newId());
    try {
      return await fitted(await receiveFile(path, body, options), options);
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  }

  async function store(
    key: string,
    received: Received,
    signal: AbortSignal | undefined,
  ): Promise<StoredFile> {
    const { path, ...file } = received;
    const thumbnail = `${path}.thumbnail`;
    try {
      const picture = isPicture(file.sniffedType) ? await drawThumbnail(path, thumbnail) : undefined;
      signal?.throwIfAborted();
      if (picture !== undefined) await storage.put(thumbnailKey(key), thumbnail);
      await storage.put(key, path);
      return { key, ...file, picture };
    } finally {
      await rm(thumbnail, { force: true });
      await rm(path, { force: true });
    }
  }

  return {
    write: async (key, body, options) => store(key, await receive(body, options), options.signal),
    read: async (key) => buffer(await storage.open(key)),
    stream: (key, range) => storage.open(key, range),
    async remove(key) {
      await storage.remove(key);
      await storage.remove(thumbnailKey(key));
    },
    tidy: () => tidy(incoming),
  };
}

/** The key of an attachment's file. The random end of its id spreads the files over 256 folders. */
export function fileKey(attachmentId: string, version = 0): string {
  const name = version === 0 ? attachmentId : `${attachmentId}-${version}`;
  return `${attachmentId.slice(-2)}/${name}`;
}

/** Where the small picture of a picture is. */
export function thumbnailKey(key: string): string {
  return `${key}.thumbnail`;
}

interface Received extends Omit<StoredFile, 'key' | 'picture'> {
  path: string;
}

async function receiveFile(
  path: string,
  body: AsyncIterable<Uint8Array>,
  { maxBytes, signal }: WriteOptions,
): Promise<Received> {
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
  } finally {
    await file.close();
  }
  const { fileTypeFromFile } = await import('file-type');
  const sniffed = await fileTypeFromFile(path);
  return { path, sizeBytes, receivedBytes: sizeBytes, sha256: hash.digest(), sniffedType: sniffed?.mime };
}

/** The picture as the channel shows it, where it would not as it is. An animation stays one. */
async function fitted(received: Received, { pictures, signal }: WriteOptions): Promise<Received> {
  const { path, sniffedType, sizeBytes } = received;
  if (pictures === undefined || !isConvertible(sniffedType)) return received;
  if (pictures.types.includes(sniffedType ?? '') && sizeBytes <= pictures.bytes) return received;
  const converted = `${path}.fitted`;
  try {
    const type = await fitPicture(path, converted, pictures);
    if (type === undefined) return received;
    const file = await open(converted, 'r');
    const again = await receiveFile(`${path}.again`, file.createReadStream(), {
      maxBytes: Number.POSITIVE_INFINITY,
      ...(signal === undefined ? {} : { signal }),
    });
    await rm(path, { force: true });
    return { ...again, receivedBytes: sizeBytes };
  } finally {
    await rm(converted, { force: true });
  }
}

const ABANDONED_MS = 24 * 3_600_000;

async function tidy(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const path = join(folder, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (Date.now() - mtimeMs > ABANDONED_MS) await rm(path, { force: true });
  }
}
