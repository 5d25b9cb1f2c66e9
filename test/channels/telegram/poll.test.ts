import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ListenContext } from '../../../src/core/adapter.ts';
import type { Inbound } from '../../../src/core/envelope.ts';
import { fakeUser, privateChat, startTelegram, update } from '../../support/telegram.ts';
import { until } from '../../support/until.ts';
import { type Bot, startBot } from './bot.ts';

let bot: Bot;
const stops: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  bot = await startBot();
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await bot.close();
});

/** Listens until stopped, remembering what it received and the states it saved. */
function listen(overrides: Partial<ListenContext> = {}) {
  const stopping = new AbortController();
  const received: Inbound[] = [];
  const states: Record<string, unknown>[] = [];
  const context: ListenContext = {
    signal: stopping.signal,
    state: {},
    receive: async (_raw, inbound) => void received.push(...inbound),
    saveState: async (state) => void states.push(state),
    keepSecret: async () => {},
    log: () => {},
    ...overrides,
  };
  const done = bot.adapter.listen?.(bot.channel, context) ?? Promise.resolve();
  const stop = async () => {
    stopping.abort();
    await done;
  };
  stops.push(() => stop().catch(() => {}));
  return { received, states, done, stop };
}

const texts = (received: Inbound[]) =>
  received.map((one) => (one.kind === 'message' ? one.content : one.kind));

async function bytesOf(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

describe('reading a bot by long polling', () => {
  it('is needed only without a public https address', () => {
    expect(bot.adapter.shouldListen?.(bot.channel, undefined)).toBe(true);
    expect(bot.adapter.shouldListen?.(bot.channel, 'https://chat.example/webhooks/telegram/1')).toBe(false);
  });

  it('receives updates in order and asks for the next ones only after the commit', async () => {
    const from = fakeUser();
    for (const text of ['one', 'two', 'three']) bot.telegram.push(update.text({ from, text }));
    const { received, states } = listen();
    await until(() => states.length > 0);
    expect(texts(received)).toEqual(['one', 'two', 'three']);
    bot.telegram.push(update.text({ from, text: 'four' }));
    await bot.telegram.inbox.drained();
    expect(texts(received)).toEqual(['one', 'two', 'three', 'four']);
    const offsets = bot.telegram.calls
      .filter(({ method }) => method === 'getUpdates')
      .map(({ params }) => params['offset']);
    expect(offsets[0]).toBeUndefined();
    expect(offsets[1]).toBe(states[0]?.['offset']);
  });

  it('gets an update again that was not committed', async () => {
    const first = bot.telegram.push(update.text({ text: 'kept' }));
    const failing = listen({ receive: () => Promise.reject(new Error('the database is away')) });
    await expect(failing.done).rejects.toThrow('the database is away');
    expect(failing.states).toEqual([]);
    const { received, states } = listen();
    await until(() => states.length > 0);
    expect(texts(received)).toEqual(['kept']);
    expect(states).toEqual([{ bot_id: '123456', offset: first.update_id + 1 }]);
  });

  it('goes on where it left off, unless the token is another bot’s by now', async () => {
    const old = bot.telegram.push(update.text({ text: 'old' }));
    bot.telegram.push(update.text({ text: 'new' }));
    const resumed = listen({ state: { bot_id: '123456', offset: old.update_id + 1 } });
    await until(() => resumed.states.length > 0);
    expect(texts(resumed.received)).toEqual(['new']);
    await resumed.stop();
    const fresh = bot.telegram.push(update.text({ text: 'another' }));
    const other = listen({ state: { bot_id: '999', offset: fresh.update_id + 100 } });
    await until(() => other.states.length > 0);
    expect(texts(other.received)).toContain('another');
  });

  it('asks for reactions by name', async () => {
    const user = fakeUser();
    const { received } = listen();
    await until(() => bot.telegram.calls.some(({ method }) => method === 'getUpdates'));
    bot.telegram.push(update.reaction({ user, message_id: 7 }));
    await until(() => received.length > 0);
    expect(texts(received)).toEqual(['reaction']);
  });

  it('passes an update by that it cannot read, and keeps it raw', async () => {
    const raw: string[] = [];
    const { states } = listen({ receive: async ({ body }) => void raw.push(Buffer.from(body).toString()) });
    bot.telegram.push({ update_id: 5, message: { odd: true } });
    await until(() => states.length > 0);
    expect(raw).toEqual(['{"update_id":5,"message":{"odd":true}}']);
  });

  it('does not let one chat wait for another', async () => {
    const slow = fakeUser();
    const order: string[] = [];
    const held = Promise.withResolvers<void>();
    bot.telegram.push(update.text({ from: slow, text: 'slow' }));
    bot.telegram.push(update.text({ from: slow, text: 'after slow' }));
    bot.telegram.push(update.text({ text: 'quick' }));
    const { states } = listen({
      async receive(_raw, inbound) {
        if (texts(inbound)[0] === 'slow') await held.promise;
        order.push(...texts(inbound));
      },
    });
    await until(() => order.includes('quick'));
    expect(order).toEqual(['quick']);
    held.resolve();
    await until(() => states.length > 0);
    expect(order).toEqual(['quick', 'slow', 'after slow']);
  });

  it('removes a webhook before it polls, and never when there is none', async () => {
    bot.telegram.inbox.setWebhook({ url: 'https://elsewhere.example/hook' });
    const { received } = listen();
    bot.telegram.push(update.text({ text: 'now by polling' }));
    await until(() => received.length > 0);
    expect(bot.telegram.calls.filter(({ method }) => method === 'deleteWebhook')).toHaveLength(1);
    const another = listen();
    await until(() => bot.telegram.calls.filter(({ method }) => method === 'getWebhookInfo').length === 2);
    await another.stop();
    expect(bot.telegram.calls.filter(({ method }) => method === 'deleteWebhook')).toHaveLength(1);
  });

  it('waits while another program reads the bot, and its health says so', async () => {
    const conflict = { code: 409, description: 'Conflict: terminated by other getUpdates request' };
    bot.telegram.fail('getUpdates', conflict, 1000);
    const { received } = listen();
    await until(async () => (await bot.adapter.health?.(bot.channel))?.ok === false);
    expect((await bot.adapter.health?.(bot.channel))?.detail).toMatch(
      /Another program reads this bot's updates/,
    );
    expect(received).toEqual([]);
  });

  it('does not fight for a bot that somebody gives a webhook', async () => {
    listen();
    await until(() => bot.telegram.calls.some(({ method }) => method === 'getUpdates'));
    bot.telegram.inbox.setWebhook({ url: 'https://elsewhere.example/hook' });
    await until(() => bot.telegram.calls.filter(({ method }) => method === 'getUpdates').length > 3);
    expect(bot.telegram.calls.some(({ method }) => method === 'deleteWebhook')).toBe(false);
    expect(bot.telegram.inbox.webhook.url).toBe('https://elsewhere.example/hook');
  });

  it('stops after the commit in flight, not in the middle of it', async () => {
    const held = Promise.withResolvers<void>();
    const committed: string[] = [];
    const listening = listen({
      async receive(_raw, inbound) {
        await held.promise;
        committed.push(...texts(inbound));
      },
    });
    bot.telegram.push(update.text({ text: 'in flight' }));
    await until(() => bot.telegram.calls.some(({ method }) => method === 'getUpdates'));
    await until(() => bot.telegram.inbox.pending.length === 1);
    const stopped = new Promise((resolve) => setTimeout(resolve, 50)).then(() => listening.stop());
    setTimeout(() => held.resolve(), 150);
    await stopped;
    expect(committed).toEqual(['in flight']);
    expect(listening.states).toHaveLength(1);
  });

  it('ends with a clear error when the token is refused', async () => {
    bot.telegram.fail('getWebhookInfo', { code: 401, description: 'Unauthorized' });
    await expect(listen().done).rejects.toMatchObject({ name: 'SendRejected', channelBroken: true });
  });
});

describe('connecting a bot', () => {
  const door = 'https://chat.example/webhooks/telegram/channel';

  it('registers the door with its secret and everything that we read', async () => {
    bot.telegram.inbox.push(update.text({ from: fakeUser() }));
    const setup = await bot.adapter.connect?.(bot.channel, door);
    expect(bot.telegram.inbox.webhook).toMatchObject({
      url: door,
      secret: bot.channel.settings.secret_token,
    });
    expect(bot.telegram.inbox.webhook.allowed).toEqual(
      expect.arrayContaining(['message', 'message_reaction', 'callback_query', 'my_chat_member']),
    );
    expect(bot.telegram.inbox.pending).toHaveLength(1);
    expect(setup?.done.join(' ')).toContain('@test_bot');
    expect(setup?.todo.join(' ')).toContain('privacy mode');
  });

  it('refuses a token that Telegram refuses', async () => {
    const wrong = { ...bot.channel, settings: { ...bot.channel.settings, bot_token: '1:wrong' } };
    await expect(bot.adapter.connect?.(wrong, door)).rejects.toMatchObject({
      name: 'SendRejected',
      channelBroken: true,
    });
  });

  it('leaves Telegram alone without a public address', async () => {
    await bot.adapter.connect?.(bot.channel, undefined);
    expect(bot.telegram.calls.map(({ method }) => method)).toEqual(['getMe']);
  });

  it('is healthy only while Telegram calls our door', async () => {
    await bot.adapter.connect?.(bot.channel, door);
    const detailFor = async (url: string | undefined) =>
      (await bot.adapter.health?.(bot.channel, url)) ?? { ok: true, detail: '' };
    expect(await detailFor(door)).toMatchObject({
      ok: true,
      facts: { bot_username: 'test_bot', pending_updates: 0 },
    });
    expect(await detailFor('https://moved.example/hook')).toMatchObject({
      ok: false,
      detail: expect.stringContaining('chat.example'),
    });
    expect(await detailFor(undefined)).toMatchObject({ ok: false });
    bot.telegram.inbox.setWebhook({ url: '' });
    expect(await detailFor(door)).toMatchObject({ ok: false, detail: expect.stringContaining('No webhook') });
  });

  it('says so in words when the token is wrong or Telegram is away', async () => {
    const wrong = { ...bot.channel, settings: { ...bot.channel.settings, bot_token: '1:wrong' } };
    expect(await bot.adapter.health?.(wrong, door)).toEqual({
      ok: false,
      detail: 'Telegram does not accept the bot token.',
    });
    const away = { ...bot.channel, settings: { ...bot.channel.settings, api_root: 'http://127.0.0.1:2' } };
    const health = await bot.adapter.health?.(away, door);
    expect(health).toMatchObject({ ok: false, detail: expect.stringContaining('did not answer') });
    expect(JSON.stringify(health)).not.toContain(bot.telegram.token);
  });
});

describe('fetching a customer’s file', () => {
  const fetchFile = (fileId: string, channel = bot.channel) =>
    bot.adapter.fetchAttachment?.(
      { name: 'a.txt', contentType: 'text/plain', ref: { file_id: fileId } },
      channel,
      new AbortController().signal,
    );

  it('streams its bytes', async () => {
    const fileId = bot.telegram.addFile(Buffer.from('hello file'), { path: 'docs/with space.txt' });
    const download = await fetchFile(fileId);
    expect(download).toMatchObject({ name: 'a.txt', contentType: 'text/plain', sizeBytes: 10 });
    expect(await bytesOf(download?.body ?? [])).toEqual(Buffer.from('hello file'));
  });

  it('tells a file that is too big from one that is gone and from a Telegram that is away', async () => {
    const big = bot.telegram.addFile(Buffer.from('x'), { size: 21 * 1024 * 1024 });
    await expect(fetchFile(big)).rejects.toMatchObject({ code: 'payload_too_large' });
    await expect(fetchFile('nonsense')).rejects.toMatchObject({ code: 'not_found' });
    bot.telegram.fail('getFile', { code: 500, description: 'Internal Server Error' });
    await expect(fetchFile(big)).rejects.not.toHaveProperty('code', 'not_found');
  });

  it('never shows the token when it fails', async () => {
    const away = await startTelegram();
    const fileId = away.addFile(Buffer.from('x'));
    const channel = { ...bot.channel, settings: { ...bot.channel.settings, api_root: away.url } };
    await away.close();
    const error = await fetchFile(fileId, channel)?.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect(String((error as Error).stack)).not.toContain('TEST-token_abc');
  });
});

describe('the stand-in itself', () => {
  it('pushes to a webhook in order per chat until each is accepted', async () => {
    const from = fakeUser();
    const bodies: string[] = [];
    let refusals = 2;
    const server = createServer(async (request, response) => {
      const body = await bytesOf(request);
      if (refusals-- > 0) return void response.writeHead(503).end();
      bodies.push(
        `${request.headers['x-telegram-bot-api-secret-token']} ${JSON.parse(body.toString()).message.text}`,
      );
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    bot.telegram.inbox.setWebhook({ url: `http://127.0.0.1:${port}/`, secret_token: 's' });
    for (const text of ['one', 'two'])
      bot.telegram.push(update.text({ from, chat: privateChat(from), text }));
    await bot.telegram.inbox.drained();
    expect(bodies).toEqual(['s one', 's two']);
    server.closeAllConnections();
    server.close();
  });
});
