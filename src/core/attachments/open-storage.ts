import { join } from 'node:path';
import type { Config, S3Config } from '../config.ts';
import { createDiskStorage } from './storage/disk.ts';
import type { Storage } from './storage.ts';

/** On the disk of DATA_DIR unless an S3-compatible service is configured. Throws when that service refuses us. */
export async function openStorage({ dataDir, s3 }: Pick<Config, 'dataDir' | 's3'>): Promise<Storage> {
  return s3 === undefined ? createDiskStorage(join(dataDir, 'files')) : openBucket(s3);
}

/** Who keeps files on disk need not load what speaks S3. */
async function openBucket(config: S3Config): Promise<Storage> {
  const { openS3Storage } = await import('./storage/s3.ts');
  return openS3Storage(config);
}
