import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import { type CallbackProgram, startCallback } from '../support/callback.ts';
import { type FileServer, startFileServer } from '../support/file-server.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { startS3 } from '../support/s3.ts';

/*
 * Two processes that have nothing but the database and the storage in common: one takes requests, the other fetches and sends.
 */

type Shared = Pick<Config, 'dataDir' | 's3'>;

/** Where the first and the second process keep files. */
const PLACES: Record<string, () => Promise<{ configs: [Shared, Shared]; close(): Promise<void> }>> = {
  async 'a folder'() {
    const dataDir = await mkdtemp(join(tmpdir(), 'tributary-shared-'));
    const config = { dataDir, s3: undefined };
    return { configs: [config, config], close: () => rm(dataDir, { recursive: true, force: true }) };
  },
  async 'a bucket'() {
    const s3 = await startS3();
    const dirs = [
      await mkdtemp(join(tmpdir(), 'tributary-a-')),
      await mkdtemp(join(tmpdir(), 'tributary-b-')),
    ];
    const [a = '', b = ''] = dirs;
    return {
      configs: [
        { dataDir: a, s3: s3.config },
        { dataDir: b, s3: s3.config },
      ],
      async close() {
        await s3.stop();
        for (const dir of dirs) await rm(dir, { recursive: true, force: true });
      },
    };
  },
};

describe.each(Object.entries(PLACES))('two processes that share %s', (_name, share) => {
  let api: TestGateway;
  let worker: TestGateway;
  let files: FileServer;
  let program: CallbackProgram;
  let channelId: string;
  let place: Awaited<ReturnType<typeof share>>;

  beforeAll(async () => {
    place = await share();
    api = await startTestGateway({ role: 'api', ...place.configs[0] });
    worker = await startTestGateway({
      role: 'worker',
      publicUrl: api.url,
      database_: api.database,
      ...place.configs[1],
    });
    files = await startFileServer();
    program = await startCallback();
    const config = { callback_url: program.url, secret: program.secret };
    channelId = (await api.call<{ id: string }>('POST', '/api/v1/channels', { type: 'api', config })).body.id;
  }, 60_000);
  afterAll(async () => {
    await worker?.stop();
    await api?.stop();
    await files?.close();
    await program?.close();
    await place?.close();
  });

  interface Seen {
    messages: { attachments: { state: string; url: string; thumbnail_url: string }[] }[];
  }

  it('one serves what the other fetched, and sends what the other was given', async () => {
    const picture = await sharp({ create: { width: 700, height: 500, channels: 3, background: 'navy' } })
      .jpeg()
      .toBuffer();
    const taken = await api.call<{ data: { conversation_id: string }[] }>(
      'POST',
      `/webhooks/api/${channelId}`,
      {
        external_id: 'm-1',
        sender: { external_id: 'ada' },
        attachments: [{ url: files.at('/p.jpg', picture) }],
      },
      { key: null, headers: { authorization: `Bearer ${program.secret}` } },
    );
    const path = `/api/v1/conversations/${taken.body.data[0]?.conversation_id}`;
    const attachment = await eventually(async () => {
      const [found] = (await api.call<Seen>('GET', path)).body.messages[0]?.attachments ?? [];
      expect(found?.state).toBe('ready');
      return found as Seen['messages'][number]['attachments'][number];
    });
    await files.close();
    expect(Buffer.from(await (await fetch(attachment.url)).arrayBuffer()).equals(picture)).toBe(true);
    expect((await fetch(attachment.url, { headers: { range: 'bytes=0-9' } })).status).toBe(206);
    expect((await fetch(attachment.thumbnail_url)).headers.get('content-type')).toBe('image/webp');

    const form = new FormData();
    form.set('file', new File(['hello'], 'hello.txt', { type: 'text/plain' }));
    const { body: upload } = await api.call<{ id: string }>('POST', `${path}/upload`, form);
    await api.call('POST', `${path}/messages`, { content: 'See', attachments: [{ id: upload.id }] });
    await eventually(() => expect(program.taken).toHaveLength(1));
    const [sent] = program.taken[0]?.data.message.attachments ?? [];
    expect(await (await fetch(sent.url)).text()).toBe('hello');
  });
});
