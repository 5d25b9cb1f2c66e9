import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import S3rver from 's3rver';
import type { S3Config } from '../../src/core/config.ts';

export interface FakeS3 {
  config: S3Config;
  /** The keys in the bucket, without the prefix. */
  keys(): Promise<string[]>;
  stop(): Promise<void>;
}

const BUCKET = 'attachments';
const PREFIX = 'tributary/';

/** A server that speaks S3, with one empty bucket, on a port of its own. */
export async function startS3(): Promise<FakeS3> {
  const directory = await mkdtemp(join(tmpdir(), 'tributary-s3-'));
  const server = new S3rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory,
    configureBuckets: [{ name: BUCKET }],
  });
  const { port } = await server.run();
  const config: S3Config = {
    bucket: BUCKET,
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
    prefix: PREFIX,
  };
  const { region, endpoint = '', credentials } = config;
  const client = new S3Client({
    region,
    endpoint,
    forcePathStyle: true,
    ...(credentials && { credentials }),
  });
  return {
    config,
    async keys() {
      const { Contents = [] } = await client.send(
        new ListObjectsV2Command({ Bucket: BUCKET, Prefix: PREFIX }),
      );
      return Contents.map(({ Key = '' }) => Key.slice(PREFIX.length)).sort();
    },
    async stop() {
      client.destroy();
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
