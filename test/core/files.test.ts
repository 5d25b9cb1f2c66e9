import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { safeFileName, trustedType } from '../../src/core/file-name.ts';
import { createFiles, type Files, FileTooLarge } from '../../src/core/files.ts';

let folder: string;
let files: Files;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-files-'));
  files = createFiles(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function* chunks(...texts: string[]) {
  for (const text of texts) yield Buffer.from(text);
}
const stored = async () =>
  (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length;

describe('files', () => {
  it('are read back as they were written, whole, in part and as a copy', async () => {
    const file = await files.write(chunks('hel', 'lo'), { maxBytes: 5 });
    expect([file.sizeBytes, file.sniffedType]).toEqual([5, undefined]);
    expect(file.sha256.toString('hex')).toBe(
      '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
    );
    const copy = await files.copy(file.key);
    await files.remove(file.key);
    expect((await files.read(copy)).toString()).toBe('hello');
    expect((await files.stream(copy, { start: 1, end: 2 }).toArray()).join('')).toBe('el');
  });

  it('leave nothing behind when they are too large or break off', async () => {
    const before = await stored();
    await expect(files.write(chunks('toolong'), { maxBytes: 6 })).rejects.toBeInstanceOf(FileTooLarge);
    async function* breaking() {
      yield Buffer.from('half');
      throw new Error('connection lost');
    }
    await expect(files.write(breaking(), { maxBytes: 100 })).rejects.toThrow('connection lost');
    await expect(files.write(chunks('x'), { maxBytes: 9, signal: AbortSignal.abort() })).rejects.toThrow();
    expect(await stored()).toBe(before);
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
});
