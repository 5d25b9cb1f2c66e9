import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  NoSuchKey,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { S3Config } from '../../config.ts';
import { AppError } from '../../errors.ts';
import type { Storage } from '../storage.ts';
import { FileGone } from './gone.ts';

const CONNECTION_TIMEOUT_MS = 5_000;
const STALLED_MS = 30_000;
const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_ONCE = 2;

/** Objects of one bucket. Throws when the bucket is not there or refuses the credentials; a service that is merely away is met later. */
export async function openS3Storage(config: S3Config): Promise<Storage> {
  const storage = createS3Storage(config);
  try {
    await storage.client.send(new HeadBucketCommand({ Bucket: config.bucket }));
  } catch (error) {
    const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
    if (status === 403 || status === 404) {
      storage.close();
      const why = status === 404 ? 'does not exist' : 'refuses S3_ACCESS_KEY_ID';
      throw new Error(`S3_BUCKET: the bucket ${config.bucket} ${why}.`, { cause: error });
    }
  }
  return storage;
}

function createS3Storage({ bucket, prefix, ...config }: S3Config): Storage & { client: S3Client } {
  const client = new S3Client({
    region: config.region,
    ...(config.endpoint === undefined ? {} : { endpoint: config.endpoint, forcePathStyle: true }),
    ...(config.credentials === undefined ? {} : { credentials: config.credentials }),
    // Services other than Amazon's know no checksums in trailers.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, socketTimeout: STALLED_MS },
  });
  const at = (key: string) => ({ Bucket: bucket, Key: `${prefix}${key}` });
  return {
    client,
    async put(key, path) {
      const params = { ...at(key), Body: createReadStream(path), ContentType: 'application/octet-stream' };
      await new Upload({ client, params, partSize: PART_BYTES, queueSize: PARTS_AT_ONCE })
        .done()
        .catch((error: unknown) => {
          throw unavailable(error);
        });
      await rm(path, { force: true });
    },
    async open(key, range) {
      const part = range === undefined ? {} : { Range: `bytes=${range.start}-${range.end}` };
      try {
        const { Body } = await client.send(new GetObjectCommand({ ...at(key), ...part }));
        return Body as Readable;
      } catch (error) {
        throw error instanceof NoSuchKey ? new FileGone(key, { cause: error }) : unavailable(error);
      }
    },
    async remove(key) {
      await client.send(new DeleteObjectCommand(at(key)));
    },
    close: () => client.destroy(),
  };
}

function unavailable(cause: unknown): AppError {
  return new AppError('unavailable', 'The storage of attachments cannot be reached, try again.', { cause });
}
