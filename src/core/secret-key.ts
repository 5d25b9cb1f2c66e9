import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from './config.ts';

/** The configured keys; or the key of an embedded gateway, made on its first start, when it holds its DATA_DIR. */
export async function loadSecretKeys({ secretKeys, dataDir }: Config): Promise<string[]> {
  return secretKeys ?? [await ownSecretKey(dataDir)];
}

async function ownSecretKey(dataDir: string): Promise<string> {
  const path = join(dataDir, 'secret.key');
  const existing = await readFile(path, 'utf8').catch(() => '');
  if (existing.trim() !== '') return existing.trim();

  const key = randomBytes(32).toString('base64url');
  await writePrivate(path, `${key}\n`);
  return key;
}

/** Writes a file that only its owner can read, whole or not at all. */
export async function writePrivate(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const unfinished = `${path}.new`;
  const file = await open(unfinished, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
}
