import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renamed, safeFileName, trustedType } from '../../src/core/attachments/file-name.ts';
import { createFiles, fileKey } from '../../src/core/attachments/files.ts';
import { openStorage } from '../../src/core/attachments/open-storage.ts';
import { createDiskStorage } from '../../src/core/attachments/storage/disk.ts';
import { newId } from '../../src/core/id.ts';
import { filesContract } from '../contracts/files.ts';
import { startS3 } from '../support/s3.ts';

filesContract('on disk', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-files-'));
  return {
    open: async () => createDiskStorage(folder),
    async keys() {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
        .sort();
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
});

filesContract('in a bucket', async () => {
  const s3 = await startS3();
  const open = () => openStorage({ dataDir: '/nowhere', s3: s3.config });
  return { open, keys: s3.keys, close: s3.stop };
});

describe('a bucket', () => {
  it('that is not there is refused at the start by its name', async () => {
    const s3 = await startS3();
    const missing = { ...s3.config, bucket: 'not-there' };
    await expect(openStorage({ dataDir: '/nowhere', s3: missing })).rejects.toThrow(
      /S3_BUCKET: .*not-there does not exist/,
    );
    await s3.stop();
  });

  it('that is away is said to be so, and loses nothing of what was being written', async () => {
    const s3 = await startS3();
    const storage = await openStorage({ dataDir: '/nowhere', s3: s3.config });
    const incoming = await mkdtemp(join(tmpdir(), 'tributary-incoming-'));
    const files = createFiles({ storage, incoming });
    await s3.stop();
    async function* bytes() {
      yield Buffer.from('hello');
    }
    const away = expect.objectContaining({ code: 'unavailable' });
    await expect(files.write(fileKey(newId()), bytes(), { maxBytes: 9 })).rejects.toEqual(away);
    await expect(files.read(fileKey(newId()))).rejects.toEqual(away);
    // A service that is merely away is met later.
    const later = await openStorage({ dataDir: '/nowhere', s3: s3.config });
    later.close();
    storage.close();
    await rm(incoming, { recursive: true, force: true });
  });
});

describe('names and types', () => {
  it('keep what is harmless of a name', () => {
    expect(safeFileName('Rechnung März 2026.pdf')).toBe('Rechnung März 2026.pdf');
    expect(safeFileName('../../etc/passwd')).toBe('_.._etc_passwd');
    expect(safeFileName('a\u202egpj.exe\u0000')).toBe('a_gpj.exe_');
    expect(safeFileName(' .. ')).toBe('attachment');
    expect(safeFileName(undefined)).toBe('attachment');
    expect(safeFileName(`${'x'.repeat(300)}.tar.gz`)).toMatch(/^x+\.gz$/);
    expect(safeFileName(`${'x'.repeat(300)}.gz`).length).toBe(150);
  });

  it('believe the bytes before what was declared', () => {
    expect(trustedType('text/plain', 'image/png')).toBe('image/png');
    expect(trustedType('image/png', undefined)).toBe('application/octet-stream');
    expect(trustedType('text/csv; charset=utf-8', undefined)).toBe('text/csv');
    expect(trustedType('application/msword', 'application/x-cfb')).toBe('application/msword');
    expect(trustedType('text/html', 'application/zip')).toBe('application/zip');
    expect(trustedType('nonsense', undefined)).toBe('application/octet-stream');
  });

  it('follow a picture that was converted', () => {
    expect(renamed('photo.heic', 'image/jpeg')).toBe('photo.jpg');
    expect(renamed('photo', 'image/png')).toBe('photo.png');
    expect(renamed('photo.pdf', 'application/pdf')).toBe('photo.pdf');
  });
});
