import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { eventually, otherBusiness } from '../support/inbox.ts';

interface Attachment {
  id: string;
  name: string;
  type: string;
  size: number | null;
  url: string | null;
  state: string;
}
interface Message {
  id: string;
  status: string;
  attachments: Attachment[];
}

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

let gateway: TestGateway;
let server: Server;
let origin: string;
const answers = new Map<string, (response: ServerResponse) => void>();

beforeAll(async () => {
  gateway = await startTestGateway();
  server = createServer((request, response) => {
    const answer = answers.get(request.url ?? '');
    if (answer === undefined) response.writeHead(404).end();
    else answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await gateway.stop();
  server.closeAllConnections();
  server.close();
});

async function conversation(): Promise<string> {
  const body = { business_id: gateway.businessId };
  return (await gateway.call<{ id: string }>('POST', '/api/v1/conversations', body)).body.id;
}

async function upload(id: string, name: string, bytes: Buffer, type = 'application/octet-stream') {
  const form = new FormData();
  form.set('file', new File([new Uint8Array(bytes)], name, { type }));
  return gateway.call<Attachment>('POST', `/api/v1/conversations/${id}/upload`, form);
}

const write = (id: string, attachments: unknown[]) =>
  gateway.call<Message>('POST', `/api/v1/conversations/${id}/messages`, {
    content: 'see attached',
    attachments,
  });
const read = async (id: string) => (await gateway.call<Message>('GET', `/api/v1/messages/${id}`)).body;

/** Writes a message with what the server answers at this path, and waits for the state of its attachment. */
async function fetched(
  path: string,
  answer: (response: ServerResponse) => void,
  state: string,
  withinMs = 15_000,
) {
  answers.set(path, answer);
  const { body, status } = await write(await conversation(), [`${origin}${path}`]);
  expect(status).toBe(202);
  await eventually(async () => (await read(body.id)).attachments[0]?.state === state, withinMs);
  return read(body.id);
}

/** The next failure is the last: the schedule is too long for a test. */
async function lastTry(messageId: string): Promise<void> {
  await gateway.pool`update attachments set tries = 6, next_attempt_at = now() where message_id = ${messageId}`;
  await gateway.pool`update lanes set due_at = now() where key in (select 'fetch:' || id from attachments where message_id = ${messageId})`;
}

describe('uploads', () => {
  it('are put into one message and read back by a signed address', async () => {
    const id = await conversation();
    const { status, body } = await upload(id, 'pixel.png', PNG, 'image/png');
    expect([status, body.name, body.type, body.size]).toEqual([201, 'pixel.png', 'image/png', PNG.length]);
    const message = await write(id, [{ url: body.url, name: body.name, type: body.type, size: body.size }]);
    expect(message.body.attachments).toMatchObject([{ id: body.id, state: 'ready', type: 'image/png' }]);
    await eventually(async () => (await read(message.body.id)).status === 'sent');

    const [attachment] = (await read(message.body.id)).attachments;
    const response = await fetch(attachment?.url ?? '');
    expect(Buffer.from(await response.arrayBuffer()).equals(PNG)).toBe(true);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-length': String(PNG.length),
      'content-disposition': 'attachment; filename=pixel.png',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "sandbox; default-src 'none'",
    });
    const etag = response.headers.get('etag') ?? '';
    expect((await fetch(attachment?.url ?? '', { headers: { 'if-none-match': etag } })).status).toBe(304);
    const part = await fetch(attachment?.url ?? '', { headers: { range: 'bytes=1-3' } });
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([
      206,
      `bytes 1-3/${PNG.length}`,
      'PNG',
    ]);
    expect((await fetch(attachment?.url ?? '', { headers: { range: 'bytes=999-' } })).status).toBe(416);
    const last = await fetch(attachment?.url ?? '', { headers: { range: 'bytes=-999' } });
    expect([last.status, (await last.arrayBuffer()).byteLength]).toEqual([200, PNG.byteLength]);
    expect((await fetch(`${attachment?.url}x`)).status).toBe(404);
  });

  it('serve once by id, and their address again makes a copy', async () => {
    const id = await conversation();
    const { body } = await upload(id, 'a.txt', Buffer.from('hello'), 'text/plain');
    expect((await write(id, [{ id: body.id }])).status).toBe(202);
    expect((await write(id, [{ id: body.id }])).status).toBe(422);
    const second = await write(id, [body.url]);
    await eventually(async () => (await read(second.body.id)).attachments[0]?.state === 'ready');
    const [copy] = (await read(second.body.id)).attachments;
    expect(copy?.id).not.toBe(body.id);
    expect(copy).toMatchObject({ name: 'a.txt', type: 'text/plain', size: 5 });
    expect(await (await fetch(copy?.url ?? '')).text()).toBe('hello');
  });

  it('of another business cannot be taken or seen', async () => {
    const { body } = await upload(await conversation(), 'a.txt', Buffer.from('secret'), 'text/plain');
    const key = await otherBusiness(gateway);
    expect((await gateway.call('GET', `/api/v1/attachments/${body.id}`, undefined, { key })).status).toBe(
      404,
    );
    const mine = await gateway.call<Attachment>('GET', `/api/v1/attachments/${body.id}`);
    expect(await (await fetch(mine.body.url ?? '')).text()).toBe('secret');
    expect((await write(await conversation(), [{ id: body.id }])).status).toBe(422);
  });

  it('have a name and a type that can do no harm, and a limit', async () => {
    const id = await conversation();
    const named = await upload(
      id,
      '../../etc/pass\u202ewd\n.png',
      Buffer.from('<script>alert(1)</script>'),
      'image/png',
    );
    expect(named.body).toMatchObject({ type: 'application/octet-stream' });
    expect(named.body.name).not.toMatch(/[/\\\n\u202e]/);
    expect((await upload(id, 'big.bin', Buffer.alloc(26 * 1024 * 1024))).status).toBe(413);
    expect((await gateway.call('POST', `/api/v1/conversations/${id}/upload`, new FormData())).status).toBe(
      422,
    );
  });
});

describe('attachments by address', () => {
  it('are fetched, sniffed and sent', async () => {
    const message = await fetched(
      '/pixel.png',
      (response) => response.writeHead(200, { 'content-type': 'text/plain' }).end(PNG),
      'ready',
    );
    const [attachment] = message.attachments;
    expect(attachment).toMatchObject({ name: 'pixel.png', type: 'image/png', size: PNG.length });
    expect(Buffer.from(await (await fetch(attachment?.url ?? '')).arrayBuffer()).equals(PNG)).toBe(true);
    await eventually(async () => (await read(message.id)).status === 'sent');
  });

  it('are tried again while the provider does not have them yet', async () => {
    let asked = 0;
    const { attachments } = await fetched(
      '/propagating',
      (response) => {
        asked += 1;
        if (asked === 1) response.writeHead(404).end();
        else response.writeHead(200).end('here now');
      },
      'ready',
    );
    expect([asked, attachments[0]?.size]).toEqual([2, 8]);
  });

  it('are too large when the answer never ends or says so itself', async () => {
    const says = await fetched(
      '/says',
      (response) => response.writeHead(200, { 'content-length': '99999999999' }).write('x'),
      'too_large',
    );
    await eventually(async () => (await read(says.id)).status === 'failed');
    const chunk = Buffer.alloc(1024 * 1024);
    await fetched(
      '/endless',
      (response) => {
        response.on('error', () => {});
        const more = () => {
          while (!response.destroyed && response.write(chunk));
          if (!response.destroyed) response.once('drain', more);
        };
        response.writeHead(200);
        more();
      },
      'too_large',
      30_000,
    );
  });

  it('fail when less comes than was promised, and the message with them', async () => {
    answers.set('/short', (response) => {
      response.writeHead(200, { 'content-length': '100' }).write('only this');
      setTimeout(() => response.destroy(), 50);
    });
    const { body } = await write(await conversation(), [`${origin}/short`]);
    await eventually(async () => {
      const [row] = await gateway.pool`select tries from attachments where message_id = ${body.id}`;
      return row?.['tries'] === 1;
    });
    await lastTry(body.id);
    await eventually(async () => (await read(body.id)).attachments[0]?.state === 'failed');
    await eventually(async () => (await read(body.id)).status === 'failed');
    answers.set('/short', (response) => response.writeHead(200).end('whole'));
    await gateway.call('POST', `/api/v1/messages/${body.id}/retry`);
    await eventually(async () => (await read(body.id)).status === 'sent');
  });

  it('are not believed about their type', async () => {
    const { attachments } = await fetched(
      '/lie.jpg',
      (response) =>
        response.writeHead(200, { 'content-type': 'image/jpeg' }).end('<html>not a picture</html>'),
      'ready',
    );
    expect(attachments[0]?.type).toBe('application/octet-stream');
  });
});
