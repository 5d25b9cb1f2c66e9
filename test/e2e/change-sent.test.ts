import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Door, openDoor, PUBLIC_URL } from '../support/door.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { fakeUser, update } from '../support/telegram.ts';

let gateway: TestGateway;
let door: Door;

beforeAll(async () => {
  gateway = await startTestGateway({ publicUrl: PUBLIC_URL });
  door = await openDoor(gateway);
});
afterAll(async () => {
  await gateway.stop();
  await door.close();
});

interface Message {
  id: string;
  content: string;
  html: string | null;
  status: string;
  edited_at: string | null;
  deleted_at: string | null;
  attachments: unknown[];
}

const call = <T = Message>(method: string, path: string, body?: unknown) =>
  gateway.call<T>(method, `/api/v1${path}`, body);
const detail = async (id: string) => (await call('GET', `/messages/${id}`)).body;
const edit = (id: string, body: object) => call('PATCH', `/messages/${id}`, body);
const remove = (id: string) => call('DELETE', `/messages/${id}`);

async function codeOf(answer: Promise<{ status: number; body: unknown }>) {
  const { status, body } = await answer;
  const { error } = body as { error?: { code: string; details: { field: string }[] } };
  return [status, error?.code, error?.details[0]?.field];
}

async function events(id: string): Promise<string[]> {
  await eventually(async () =>
    expect(await gateway.pool`select id from outbox where message_id = ${id}`).toHaveLength(0),
  );
  const rows = await gateway.pool<
    { type: string }[]
  >`select type from events where message_id = ${id} order by seq`;
  return rows.map(({ type }) => type);
}

describe('on Telegram', () => {
  /** A chat with somebody who wrote. */
  async function chat() {
    const from = fakeUser();
    await door.post(update.text({ from }));
    const [row] = await gateway.pool<{ id: string }[]>`
      select id from conversations where thread_key = ${String(from.id)}`;
    const shown = () => door.telegram.shown(from.id).map(({ text }) => text);
    return { id: row?.id ?? '', shown };
  }

  async function sent(conversation: string, body: object): Promise<string> {
    const { body: message } = await call('POST', `/conversations/${conversation}/messages`, body);
    await eventually(async () => expect((await detail(message.id)).status).toBe('sent'));
    return message.id;
  }

  it('a change that breaks off between two pieces says so, and goes on or back', async () => {
    const { id, shown } = await chat();
    const [old, words] = ['a', 'b'].map((one) => `${one.repeat(4_000)} ${one.repeat(4_000)}`) as [
      string,
      string,
    ];
    const message = await sent(id, { content: old });
    const breaksOff = async () => {
      door.telegram.fail('editMessageText', { code: 400, description: 'Bad Request' }, 1, { after: 1 });
      const answer = await edit(message, { content: words });
      expect([answer.status, JSON.stringify(answer.body)]).toEqual([
        409,
        expect.stringContaining('1 of its 2 pieces changed already'),
      ]);
      expect(shown().map((text) => text[0])).toEqual(['b', 'a']);
    };
    await breaksOff();
    expect((await edit(message, { content: old })).status).toBe(200);
    expect(shown().map((text) => text[0])).toEqual(['a', 'a']);
    await breaksOff();
    expect((await edit(message, { content: words })).body.content).toBe(words);
    expect(shown().map((text) => text[0])).toEqual(['b', 'b']);
  });

  it('a sent message is reworded where it stands, and the same words again change nothing', async () => {
    const { id, shown } = await chat();
    const message = await sent(id, { content: 'We open at 8.' });
    const { status, body } = await edit(message, { content: 'We open at 9.' });
    expect([status, body.content, body.status]).toEqual([200, 'We open at 9.', 'sent']);
    expect(body.edited_at).not.toBeNull();
    expect(shown()).toEqual(['We open at 9.']);
    const html = '<b>We open at 10.</b>';
    await edit(message, { content: 'We open at 10.', html });
    expect(shown()).toEqual([html]);
    const again = await edit(message, { content: 'We open at 10.', html });
    expect(again.body.edited_at).toBe((await detail(message)).edited_at);
    expect(await events(message)).toEqual([
      'message.created',
      'message.sent',
      'message.updated',
      'message.updated',
    ]);
  });

  it('the words below a file are reworded, and the file with them is taken back', async () => {
    const { id, shown } = await chat();
    const form = new FormData();
    form.set('file', new File(['a price list'], 'prices.txt', { type: 'text/plain' }));
    const { body: upload } = await call<{ url: string }>('POST', `/conversations/${id}/upload`, form);
    const message = await sent(id, { content: 'Prices of 2025', attachments: [{ url: upload.url }] });
    expect((await edit(message, { content: 'Prices of 2026' })).status).toBe(200);
    expect(shown()).toEqual(['Prices of 2026']);
    const { body } = await remove(message);
    expect([body.content, body.attachments]).toEqual(['', []]);
    expect(shown()).toEqual([]);
  });

  it('a long message keeps its number of pieces', async () => {
    const { id, shown } = await chat();
    const message = await sent(id, { content: `${'a'.repeat(4000)}\n\n${'b'.repeat(300)}` });
    expect(await codeOf(edit(message, { content: 'short' }))).toEqual([422, 'validation_error', 'content']);
    expect((await edit(message, { content: `${'a'.repeat(4000)}\n\n${'c'.repeat(300)}` })).status).toBe(200);
    expect(shown().join('')).toContain('c'.repeat(300));
    expect(shown().join('')).not.toContain('b');
    await remove(message);
    expect(shown()).toEqual([]);
  });

  it('what Telegram refuses changes nothing here either', async () => {
    const { id, shown } = await chat();
    const message = await sent(id, { content: 'Old' });
    door.telegram.fail('editMessageText', { code: 400, description: "Bad Request: message can't be edited" });
    const refused = await edit(message, { content: 'New' });
    expect(refused.status).toBe(409);
    expect(JSON.stringify(refused.body)).toContain("message can't be edited");
    door.telegram.fail('deleteMessages', {
      code: 429,
      description: 'Too Many Requests',
      parameters: { retry_after: 7 },
    });
    const limited = await remove(message);
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '7']);
    door.telegram.fail('deleteMessages', 'drop');
    expect((await remove(message)).status).toBe(503);
    expect(await detail(message)).toMatchObject({ content: 'Old', edited_at: null, deleted_at: null });
    door.telegram.heal();
    expect((await remove(message)).status).toBe(200);
    expect(shown()).toEqual([]);
    expect(await detail(message)).toMatchObject({ content: '', status: 'sent' });
    expect((await remove(message)).status).toBe(200);
    expect(await codeOf(edit(message, { content: 'Back' }))).toEqual([409, 'conflict', undefined]);
    expect((await events(message)).at(-1)).toBe('message.deleted');
  });
});

describe('in web chat', () => {
  it('the visitor sees the new words, and then nothing', async () => {
    const socket: Socket = io(gateway.url, {
      auth: { business_id: gateway.businessId, channel_id: gateway.channelId },
      forceNew: true,
    });
    const heard: [string, { id?: string; message_id?: string; content?: string }][] = [];
    socket.onAny((event, payload) => heard.push([event, payload]));
    await new Promise((resolve) => socket.once('session', resolve));
    const asked = await socket.emitWithAck('client_message', { content: 'Hello', customer_data: {} });
    const path = `/conversations/${asked.conversation_id}`;
    const { body } = await call('POST', `${path}/messages`, { content: 'My PIN is 1234' });
    await eventually(async () => expect(['sent', 'delivered']).toContain((await detail(body.id)).status));
    await edit(body.id, { content: 'My PIN is secret' });
    await eventually(() =>
      expect(heard.find(([event]) => event === 'message_updated')?.[1].content).toBe('My PIN is secret'),
    );
    await remove(body.id);
    await eventually(() =>
      expect(heard.find(([event]) => event === 'message_deleted')?.[1].message_id).toBe(body.id),
    );
    const { messages } = await socket.emitWithAck('sync', {
      conversation_id: asked.conversation_id,
      after_seq: 0,
    });
    expect(messages.map((one: Message) => one.content)).toEqual(['Hello']);
    socket.disconnect();
  });
});

describe('what no customer has', () => {
  it('a note is reworded and deleted by us alone; what happened and what customers wrote is not', async () => {
    const from = fakeUser();
    await door.post(update.text({ from, text: 'Theirs' }));
    const [row] = await gateway.pool<{ id: string; message: string }[]>`
      select c.id, m.id as message from conversations c join messages m on m.conversation_id = c.id
      where c.thread_key = ${String(from.id)}`;
    const path = `/conversations/${row?.id}`;
    const { body: note } = await call('POST', `${path}/messages`, { content: 'Note', type: 'note' });
    const before = door.telegram.calls.length;
    expect((await edit(note.id, { content: 'Better note' })).body.content).toBe('Better note');
    expect((await remove(note.id)).body).toMatchObject({ content: '', type: 'note' });
    expect(door.telegram.calls.length).toBe(before);
    await call('PUT', `${path}/resolve`);
    const [activity] = await gateway.pool<{ id: string }[]>`
      select id from messages where conversation_id = ${row?.id ?? ''} and type = 'activity'`;
    for (const id of [row?.message ?? '', activity?.id ?? '']) {
      expect((await edit(id, { content: 'Mine' })).status).toBe(409);
      expect((await remove(id)).status).toBe(409);
    }
  });
});
