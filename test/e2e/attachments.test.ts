import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expireAttachments } from '../../src/core/attachments/expire-attachments.ts';
import { createTransact } from '../../src/core/database/transact.ts';
import { createLog } from '../../src/core/log.ts';
import { createWake } from '../../src/core/wake.ts';
import { type CallbackProgram, startCallback } from '../support/callback.ts';
import { type FileServer, startFileServer } from '../support/file-server.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { startTelegram, update } from '../support/telegram.ts';
import { startTwilio } from '../support/twilio.ts';

interface Attachment {
  id: string;
  name: string;
  type: string;
  size: number;
  state: string;
  error: string | null;
  url: string | null;
  thumbnail_url: string | null;
  width: number | null;
}

interface Message {
  id: string;
  content: string;
  status: string | null;
  error: { code: string } | null;
  attachments: Attachment[];
}

let gateway: TestGateway;
let files: FileServer;
let program: CallbackProgram;
let channelId: string;
let dataDir: string;
let n = 0;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tributary-attachments-'));
  gateway = await startTestGateway({ dataDir });
  files = await startFileServer();
  program = await startCallback();
  const config = { callback_url: program.url, secret: program.secret };
  channelId = (await gateway.call<{ id: string }>('POST', '/api/v1/channels', { type: 'api', config })).body
    .id;
}, 60_000);
afterAll(async () => {
  await gateway.stop();
  await program.close();
  await files.close();
  await rm(dataDir, { recursive: true, force: true });
});

async function tell(item: Record<string, unknown>): Promise<{ message_id: string; conversation_id: string }> {
  const headers = { authorization: `Bearer ${program.secret}` };
  const { status, body } = await gateway.call<{ data: { message_id: string; conversation_id: string }[] }>(
    'POST',
    `/webhooks/api/${channelId}`,
    item,
    { key: null, headers },
  );
  expect(status).toBe(200);
  return body.data[0] as { message_id: string; conversation_id: string };
}

/** A message of a customer with the file at this address. */
async function brings(url: string, fields: Record<string, unknown> = {}) {
  n += 1;
  return tell({
    external_id: `m-${n}`,
    sender: { external_id: `person-${n}` },
    content: 'See',
    attachments: [{ url, ...fields }],
  });
}

const read = async (id: string) => (await gateway.call<Message>('GET', `/api/v1/messages/${id}`)).body;

/** The one attachment of the message, once it is in this state. */
async function inState(messageId: string, state: string): Promise<Attachment> {
  return eventually(async () => {
    const [attachment] = (await read(messageId)).attachments;
    expect(attachment?.state, attachment?.error ?? '').toBe(state);
    return attachment as Attachment;
  });
}

/** The next failure is the last: the schedule is too long for a test. */
async function lastTry(messageId: string): Promise<void> {
  await gateway.pool`update attachments set tries = 6, next_attempt_at = now() where message_id = ${messageId}`;
  await gateway.pool`
    update lanes set due_at = now(), woken_at = null
    where key in (select 'fetch:' || id from attachments where message_id = ${messageId})`;
}

async function failed(url: string): Promise<{ messageId: string; attachment: Attachment }> {
  const { message_id } = await brings(url);
  await eventually(async () => {
    const [row] = await gateway.pool`select tries from attachments where message_id = ${message_id}`;
    expect(row?.['tries']).toBeGreaterThan(0);
  });
  await lastTry(message_id);
  return { messageId: message_id, attachment: await inState(message_id, 'failed') };
}

/** What lies in the storage, as somebody sees it who looks for himself. */
async function stored(): Promise<string[]> {
  const entries = await readdir(join(dataDir, 'files'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

const bytesOf = async (url: string | null) => Buffer.from(await (await fetch(url ?? '')).arrayBuffer());
const photo = (width = 800, height = 600) =>
  sharp({ create: { width, height, channels: 3, background: 'teal' } });

describe('a file of a customer', () => {
  it('comes after its message, and an event tells when it is there', async () => {
    let release = () => {};
    const url = files.at('/slow.txt', (response) => {
      release = () => void response.end('at last');
    });
    const { message_id } = await brings(url, { name: 'slow.txt', type: 'text/plain' });
    expect((await read(message_id)).attachments).toMatchObject([
      { state: 'pending', url: null, error: null },
    ]);
    await eventually(() => expect(files.asked).toContain('/slow.txt'));
    release();
    const attachment = await inState(message_id, 'ready');
    expect((await bytesOf(attachment.url)).toString()).toBe('at last');
    await eventually(async () => {
      const { body } = await gateway.call<{ data: { type: string; data: { message?: Message } }[] }>(
        'GET',
        '/api/v1/events?types=message.received,message.updated&limit=100',
      );
      const own = body.data.filter(({ data }) => data.message?.id === message_id);
      expect(own.map(({ type, data }) => [type, data.message?.attachments[0]?.state])).toEqual([
        ['message.received', 'pending'],
        ['message.updated', 'ready'],
      ]);
    });
  });

  it('has a thumbnail and a size when it is a picture, served as safely as itself', async () => {
    const jpeg = await photo().jpeg().toBuffer();
    const attachment = await inState((await brings(files.at('/p.jpg', jpeg))).message_id, 'ready');
    expect(attachment).toMatchObject({ type: 'image/jpeg', width: 800, height: 600 });
    const response = await fetch(attachment.thumbnail_url ?? '');
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'image/webp',
      'content-disposition': expect.stringMatching(/^attachment;/),
      'x-content-type-options': 'nosniff',
      'content-security-policy': "sandbox; default-src 'none'",
    });
    const etag = response.headers.get('etag') ?? '';
    const again = await fetch(attachment.thumbnail_url ?? '', { headers: { 'if-none-match': etag } });
    expect(again.status).toBe(304);
    expect(await sharp(Buffer.from(await response.arrayBuffer())).metadata()).toMatchObject({
      width: 320,
      height: 240,
    });
    const whole = await fetch(attachment.url ?? '', { method: 'HEAD' });
    expect([whole.status, whole.headers.get('content-length')]).toEqual([200, String(jpeg.length)]);
  });

  it('is asked for again when it could not be had, and then once only', async () => {
    const { messageId, attachment } = await failed(`${files.origin}/later`);
    expect(attachment.error).toContain('404');
    files.at('/later', 'here now');
    const path = `/api/v1/attachments/${attachment.id}/fetch`;
    expect(await gateway.call('POST', path)).toMatchObject({
      status: 200,
      body: { state: 'pending', error: null },
    });
    const ready = await inState(messageId, 'ready');
    expect((await bytesOf(ready.url)).toString()).toBe('here now');
    const asked = files.asked.length;
    expect(await gateway.call('POST', path)).toMatchObject({ status: 200, body: { state: 'ready' } });
    expect(files.asked.length).toBe(asked);
  });

  it('waits as long as its server asks for, which costs it no try', async () => {
    let asked = 0;
    const url = files.at('/busy', (response) => {
      asked += 1;
      if (asked <= 2) response.writeHead(429, { 'retry-after': '1' }).end();
      else response.end('thank you for waiting');
    });
    const { message_id } = await brings(url);
    await inState(message_id, 'ready');
    const [row] = await gateway.pool`select tries from attachments where message_id = ${message_id}`;
    expect([asked, row?.['tries']]).toEqual([3, 1]);
  });

  it('is followed to where it was moved, but to no private address', async () => {
    files.at('/moved-to', 'moved');
    const moved = files.at('/moved', (response) => response.writeHead(302, { location: '/moved-to' }).end());
    const attachment = await inState((await brings(moved)).message_id, 'ready');
    expect((await bytesOf(attachment.url)).toString()).toBe('moved');
    const inward = files.at('/inward', (response) =>
      response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' }).end(),
    );
    expect((await failed(inward)).attachment.error).toContain('not a public address');
    const circle = files.at('/circle', (response) => response.writeHead(302, { location: '/circle' }).end());
    expect((await failed(circle)).attachment.error).toContain('redirects');
  });

  it('that unpacks to more than the limit is too large, and a packed one stays packed', async () => {
    // 101 MB of nothing in about 100 kB.
    const bomb = gzipSync(Buffer.alloc(101 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(200_000);
    const url = files.at('/bomb', (response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
    );
    await inState((await brings(url)).message_id, 'too_large');
    const packed = files.at('/bomb.gz', bomb);
    const kept = await inState((await brings(packed, { name: 'bomb.gz' })).message_id, 'ready');
    expect(kept).toMatchObject({ type: 'application/gzip', size: bomb.length, width: null });
    const compressed = files.at('/page', (response) =>
      response
        .writeHead(200, {
          'content-encoding': 'gzip',
          'content-disposition': "attachment; filename*=UTF-8''Se%C3%B1or.txt",
        })
        .end(gzipSync('plain after all')),
    );
    const plain = await inState((await brings(compressed)).message_id, 'ready');
    expect(plain.name).toBe('Señor.txt');
    expect((await bytesOf(plain.url)).toString()).toBe('plain after all');
  });

  it('leaves no byte behind when the customer takes the message back', async () => {
    const jpeg = await photo().jpeg().toBuffer();
    const { message_id } = await brings(files.at('/private.jpg', jpeg));
    const { id, url } = await inState(message_id, 'ready');
    expect((await stored()).filter((name) => name.startsWith(id))).toHaveLength(2);
    await tell({ type: 'delete', external_id: `m-${n}` });
    await eventually(async () => expect((await stored()).filter((name) => name.startsWith(id))).toEqual([]));
    expect((await fetch(url ?? '')).status).toBe(404);
    expect((await read(message_id)).attachments).toEqual([]);
  });

  it('leaves no byte behind when the customer is erased, also one that was just on its way', async () => {
    const jpeg = await photo().jpeg().toBuffer();
    let release = () => {};
    files.at('/on-its-way', (response) => {
      release = () => void response.end(jpeg);
    });
    const sender = { external_id: 'to-be-erased' };
    const attachments = [{ url: files.at('/erased.jpg', jpeg) }];
    const first = await tell({ external_id: 'erase-1', sender, content: '', attachments });
    const { id } = await inState(first.message_id, 'ready');
    const late = [{ url: `${files.origin}/on-its-way` }];
    const second = await tell({ external_id: 'erase-2', sender, content: '', attachments: late });
    await eventually(() => expect(files.asked).toContain('/on-its-way'));
    const lateId = (await read(second.message_id)).attachments[0]?.id ?? '';
    const [row] =
      await gateway.pool`select customer_id from conversations where id = ${first.conversation_id}`;
    expect((await gateway.call('DELETE', `/api/v1/customers/${row?.['customer_id']}`)).status).toBe(204);
    release();
    await eventually(
      async () =>
        expect((await stored()).filter((name) => name.startsWith(id) || name.startsWith(lateId))).toEqual([]),
      30_000,
    );
  });

  it('is let go of after its time, and says so', async () => {
    const { message_id } = await brings(files.at('/old.txt', 'old'));
    const { id, url } = await inState(message_id, 'ready');
    const young = await inState((await brings(files.at('/young.txt', 'young'))).message_id, 'ready');
    await gateway.pool`update attachments set created_at = now() - interval '3 days' where id = ${id}`;
    const wake = await createWake(undefined, createLog('silent'));
    const transact = createTransact(gateway.pool, wake);
    while (await expireAttachments(transact, 2));
    await wake.close();
    expect(await inState(message_id, 'expired')).toMatchObject({ url: null, name: 'old.txt' });
    await eventually(async () => expect((await stored()).some((name) => name.startsWith(id))).toBe(false));
    expect((await stored()).some((name) => name.startsWith(young.id))).toBe(true);
    expect((await fetch(url ?? '')).status).toBe(404);
    // The provider may still have it.
    await gateway.call('POST', `/api/v1/attachments/${id}/fetch`);
    expect((await bytesOf((await inState(message_id, 'ready')).url)).toString()).toBe('old');
  });
});

describe('a file for a customer', () => {
  async function upload(
    conversationId: string,
    bytes: Buffer,
    { name = 'f', type = 'application/pdf' } = {},
  ) {
    const form = new FormData();
    form.set('file', new File([new Uint8Array(bytes)], name, { type }));
    const path = `/api/v1/conversations/${conversationId}/upload`;
    const { status, body } = await gateway.call<{ id: string }>('POST', path, form);
    expect(status).toBe(201);
    return body.id;
  }

  it('cannot be fetched anew when it was uploaded, and is there already', async () => {
    const { conversation_id } = await brings(files.at('/x', 'x'));
    const id = await upload(conversation_id, Buffer.from('mine'));
    expect(await gateway.call('POST', `/api/v1/attachments/${id}/fetch`)).toMatchObject({
      body: { state: 'ready' },
    });
    await gateway.pool`update attachments set state = 'failed' where id = ${id}`;
    expect((await gateway.call('POST', `/api/v1/attachments/${id}/fetch`)).status).toBe(409);
  });

  it('that the channel would never take is refused before anything is sent', async () => {
    const twilio = await startTwilio();
    const from = '+15550001111';
    twilio.own('number', from);
    const channel = await gateway.call<{ id: string }>('POST', '/api/v1/channels', {
      type: 'sms',
      config: twilio.config(from),
    });
    expect(channel.status, JSON.stringify(channel.body)).toBe(201);
    const started = await gateway.call<{ conversation_id: string }>('POST', '/api/v1/messages', {
      channel_id: channel.body.id,
      to: '+15557654321',
      content: 'Hello',
    });
    const path = `/api/v1/conversations/${started.body.conversation_id}/messages`;
    const id = await upload(started.body.conversation_id, Buffer.alloc(6_000_000, 'x'));
    const refused = await gateway.call('POST', path, { content: 'See', attachments: [{ id }] });
    expect(refused).toMatchObject({
      status: 422,
      body: { error: { details: [{ field: 'attachments.0', message: expect.stringContaining('5 MB') }] } },
    });
    // At an address nobody knows how large it is; the message says so afterwards.
    const large = files.at('/large', Buffer.alloc(6_000_000, 'x'));
    const late = await gateway.call<Message>('POST', path, { content: 'See', attachments: [large] });
    await eventually(async () =>
      expect(await read(late.body.id)).toMatchObject({
        status: 'failed',
        error: { code: 'attachment_too_large' },
      }),
    );
    // A note is seen by nobody but the team.
    const note = await gateway.call('POST', path, {
      type: 'note',
      content: 'Our copy',
      attachments: [{ id }],
    });
    expect(note.status).toBe(202);
    await twilio.close();
  });

  it('is converted when it is a picture that the channel does not show', async () => {
    const telegram = await startTelegram();
    const created = await gateway.call<{ id: string }>('POST', '/api/v1/channels', {
      type: 'telegram',
      config: telegram.config,
    });
    telegram.push(update.text({ text: 'A photo, please' }));
    await telegram.inbox.drained();
    const conversationId = await eventually(async () => {
      const path = `/api/v1/conversations/?channel_id=${created.body.id}`;
      const { body } = await gateway.call<{ data: { id: string }[] }>('GET', path);
      expect(body.data).toHaveLength(1);
      return body.data[0]?.id ?? '';
    });
    const path = `/api/v1/conversations/${conversationId}/messages`;
    const tiff = await photo(640, 480).tiff().toBuffer();
    const id = await upload(conversationId, tiff, { name: 'scan.tiff', type: 'image/tiff' });
    const gif = await upload(conversationId, await photo(9, 9).gif().toBuffer(), {
      name: 'a.gif',
      type: 'image/gif',
    });
    const sent = await gateway.call<Message>('POST', path, { attachments: [{ id }, { id: gif }] });
    await eventually(async () => expect(await read(sent.body.id)).toMatchObject({ status: 'sent' }));
    const [scan, animation] = (await read(sent.body.id)).attachments;
    expect(scan).toMatchObject({ id, name: 'scan.jpg', type: 'image/jpeg', width: 640, height: 480 });
    expect(animation).toMatchObject({ name: 'a.gif', type: 'image/gif' });
    expect(telegram.accepted.map(({ method }) => method)).toEqual(['sendPhoto', 'sendAnimation']);
    expect((await sharp(telegram.accepted[0]?.files[0]?.bytes).metadata()).format).toBe('jpeg');
    // The original went.
    await eventually(async () => {
      const names = (await stored()).filter((name) => name.startsWith(id));
      expect(names.toSorted()).toEqual([`${id}-1`, `${id}-1.thumbnail`]);
    });
    const byAddress = await gateway.call<Message>('POST', path, {
      attachments: [files.at('/scan.tiff', tiff)],
    });
    await eventually(async () =>
      expect(await read(byAddress.body.id)).toMatchObject({
        status: 'sent',
        attachments: [{ name: 'scan.jpg' }],
      }),
    );
    await gateway.call('DELETE', `/api/v1/channels/${created.body.id}`);
    await telegram.close();
  });

  it('is gone, bytes and all, once the message is deleted', async () => {
    const { conversation_id } = await brings(files.at('/x', 'x'));
    const id = await upload(conversation_id, Buffer.from('a secret'));
    const path = `/api/v1/conversations/${conversation_id}/messages`;
    const { body } = await gateway.call<Message>('POST', path, { content: 'Oops', attachments: [{ id }] });
    await eventually(async () => expect(await read(body.id)).toMatchObject({ status: 'sent' }));
    expect((await gateway.call('DELETE', `/api/v1/messages/${body.id}`)).status).toBe(200);
    await eventually(async () => expect((await stored()).some((name) => name.startsWith(id))).toBe(false));
  });
});
