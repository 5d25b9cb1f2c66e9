import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createFiles,
  type Files,
  FileTooLarge,
  fileKey,
  thumbnailKey,
} from '../../src/core/attachments/files.ts';
import { FileGone } from '../../src/core/attachments/storage/gone.ts';
import type { Storage } from '../../src/core/attachments/storage.ts';
import { newId } from '../../src/core/id.ts';

export interface StorageHarness {
  /** Opens the storage, as each process does. */
  open(): Promise<Storage>;
  /** The keys that are stored, as somebody sees them who looks for himself. */
  keys(): Promise<string[]>;
  close(): Promise<void>;
}

/** What every place that keeps attachments must do. */
export function filesContract(name: string, create: () => Promise<StorageHarness>): void {
  describe(`files: ${name}`, () => {
    let harness: StorageHarness;
    let incoming: string;
    let files: Files;
    let others: Files;
    const storages: Storage[] = [];
    beforeAll(async () => {
      harness = await create();
      // On the storage's own disk where it is one, so that a file can be put in place at once.
      incoming = await mkdtemp(join(tmpdir(), 'tributary-incoming-'));
      storages.push(await harness.open(), await harness.open());
      const [mine, theirs] = storages as [Storage, Storage];
      files = createFiles({ storage: mine, incoming });
      others = createFiles({ storage: theirs, incoming: `${incoming}-other` });
    }, 60_000);
    afterAll(async () => {
      for (const storage of storages) storage.close();
      await harness?.close();
      await rm(incoming, { recursive: true, force: true });
      await rm(`${incoming}-other`, { recursive: true, force: true });
    });

    const key = () => fileKey(newId());
    const bytesOf = async (from: Files, of: string) => (await from.read(of)).toString();
    const left = () => readdir(incoming);

    it('are read back as they were written, whole and in part, by every process', async () => {
      const file = await files.write(key(), chunks('hel', 'lo'), { maxBytes: 5 });
      expect([file.sizeBytes, file.receivedBytes, file.sniffedType, file.picture]).toEqual([
        5,
        5,
        undefined,
        undefined,
      ]);
      expect(file.sha256.toString('hex')).toBe(
        '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
      );
      expect(await bytesOf(others, file.key)).toBe('hello');
      const part = await others.stream(file.key, { start: 1, end: 2 });
      expect((await part.toArray()).join('')).toBe('el');
      expect(await left()).toEqual([]);
    });

    it('keep an empty file, and one of many parts', async () => {
      const empty = await files.write(key(), chunks(), { maxBytes: 5 });
      expect([empty.sizeBytes, await bytesOf(files, empty.key)]).toEqual([0, '']);
      const megabyte = Buffer.alloc(1024 * 1024, 'x');
      async function* many() {
        for (let n = 0; n < 20; n += 1) yield megabyte;
      }
      const large = await files.write(key(), many(), { maxBytes: 21 * megabyte.length });
      expect((await files.read(large.key)).length).toBe(20 * megabyte.length);
    });

    it('leave nothing behind when they are too large or break off', async () => {
      const before = await harness.keys();
      await expect(files.write(key(), chunks('toolong'), { maxBytes: 6 })).rejects.toBeInstanceOf(
        FileTooLarge,
      );
      async function* breaking() {
        yield Buffer.from('half');
        throw new Error('connection lost');
      }
      await expect(files.write(key(), breaking(), { maxBytes: 100 })).rejects.toThrow('connection lost');
      const signal = AbortSignal.abort();
      await expect(files.write(key(), chunks('x'), { maxBytes: 9, signal })).rejects.toThrow();
      expect(await harness.keys()).toEqual(before);
      expect(await left()).toEqual([]);
    });

    it('are written over by whoever writes the same key again', async () => {
      const same = key();
      await files.write(same, chunks('first'), { maxBytes: 9 });
      await others.write(same, chunks('second'), { maxBytes: 9 });
      expect(await bytesOf(files, same)).toBe('second');
    });

    it('are gone once they are removed, thumbnail and all, and may be removed twice', async () => {
      const file = await files.write(key(), chunks(await picture(900, 600)), { maxBytes: 1e6 });
      expect((await harness.keys()).filter((one) => one.startsWith(file.key))).toHaveLength(2);
      await others.remove(file.key);
      await others.remove(file.key);
      expect((await harness.keys()).filter((one) => one.startsWith(file.key))).toEqual([]);
      await expect(files.stream(file.key)).rejects.toBeInstanceOf(FileGone);
      await expect(files.read(file.key)).rejects.toBeInstanceOf(FileGone);
    });

    it('have a thumbnail when they are pictures, which shows nothing of where they were taken', async () => {
      const taken = sharp({ create: { width: 900, height: 600, channels: 3, background: 'red' } })
        .withExif({ IFD3: { GPSLatitude: '52/1 31/1 0/1' } })
        .withMetadata({ orientation: 6 });
      const file = await files.write(key(), chunks(await taken.jpeg().toBuffer()), { maxBytes: 1e6 });
      // Upright, as people see it.
      expect(file).toMatchObject({ sniffedType: 'image/jpeg', picture: { width: 600, height: 900 } });
      const thumbnail = await sharp(await files.read(thumbnailKey(file.key))).metadata();
      expect(thumbnail).toMatchObject({ format: 'webp', width: 213, height: 320 });
      expect(thumbnail.exif).toBeUndefined();
    });

    it('are pictures without a thumbnail when unpacking them would fill the memory, or they are broken', async () => {
      const bomb = await sharp({
        create: { width: 12_000, height: 12_000, channels: 3, background: 'black' },
      })
        .png()
        .toBuffer();
      expect(bomb.length).toBeLessThan(1_000_000);
      const file = await files.write(key(), chunks(bomb), { maxBytes: 1e6 });
      expect(file).toMatchObject({ sniffedType: 'image/png', picture: undefined });
      const broken = (await picture(900, 600)).subarray(0, 200);
      expect(await files.write(key(), chunks(broken), { maxBytes: 1e6 })).toMatchObject({
        picture: undefined,
      });
    });

    it('convert pictures to what they have to be, and nothing else', async () => {
      const limits = { types: ['image/jpeg', 'image/png'], bytes: 700_000 };
      const write = (bytes: Buffer) => files.write(key(), chunks(bytes), { maxBytes: 1e8, pictures: limits });
      const webp = await write(
        await sharp(await picture(900, 600))
          .webp()
          .toBuffer(),
      );
      expect(webp).toMatchObject({ sniffedType: 'image/jpeg', picture: { width: 900, height: 600 } });
      expect((await files.read(webp.key)).length).toBe(webp.sizeBytes);
      const noise = sharp(randomBytes(900 * 600 * 3), { raw: { width: 900, height: 600, channels: 3 } });
      const large = await write(await noise.png().toBuffer());
      expect(large.sizeBytes).toBeLessThanOrEqual(limits.bytes);
      expect(large.receivedBytes).toBeGreaterThan(limits.bytes);
      const fitting = await picture(90, 60);
      expect(await write(fitting)).toMatchObject({
        sizeBytes: fitting.length,
        receivedBytes: fitting.length,
      });
      expect(await write(Buffer.from('%PDF-1.7 no picture'))).toMatchObject({ sizeBytes: 19 });
      expect(await left()).toEqual([]);
    });
  });
}

async function* chunks(...parts: (string | Buffer)[]) {
  for (const part of parts) yield Buffer.from(part);
}

function picture(width: number, height: number): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: 'green' } })
    .jpeg()
    .toBuffer();
}
