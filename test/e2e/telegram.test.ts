import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import {
  type FakeTelegram,
  fakeGroup,
  fakeMessage,
  fakeUser,
  privateChat,
  startTelegram,
  update,
} from '../support/telegram.ts';

interface Message {
  seq: number;
  type: string;
  direction: string;
  content: string;
  status: string | null;
  sender: { name: string | null };
  reply_to_id: string | null;
  reactions: { emoji: string }[];
  attachments: { name: string; state: string }[];
  metadata: Record<string, unknown>;
}

interface Conversation {
  id: string;
  customer: { name: string | null };
  messages: Message[];
}

const PUBLIC_URL = 'https://chat.example';

// The same story, however the updates come.
describe.each([['long polling'], ['webhook']])('a Telegram bot by %s', (mode) => {
  let gateway: TestGateway;
  let telegram: FakeTelegram;
  let channelId: string;

  beforeAll(async () => {
    telegram = await startTelegram({ route: (url) => url.replace(PUBLIC_URL, gateway.url) });
    gateway = await startTestGateway(mode === 'webhook' ? { publicUrl: PUBLIC_URL } : {});
    const created = await gateway.call<{ id: string }>('POST', '/api/v1/channels', {
      type: 'telegram',
      config: telegram.config,
    });
    expect(created.status).toBe(201);
    channelId = created.body.id;
  });
  afterAll(async () => {
    await gateway.stop();
    await telegram.close();
  });

  async function conversationOf(name: string): Promise<Conversation> {
    const list = await gateway.call<{ data: Conversation[] }>(
      'GET',
      `/api/v1/conversations/?channel_id=${channelId}`,
    );
    const [id, ...others] = list.body.data
      .filter(({ customer }) => customer.name === name)
      .map((one) => one.id);
    expect([id === undefined, others], `conversations of ${name}`).toEqual([false, []]);
    return (await gateway.call<Conversation>('GET', `/api/v1/conversations/${id}`)).body;
  }

  async function reply(name: string, content: string): Promise<void> {
    const { id } = await conversationOf(name);
    const answer = await gateway.call('POST', `/api/v1/conversations/${id}/messages`, { content });
    expect(answer.status).toBe(202);
    await eventually(async () => {
      const sent = (await conversationOf(name)).messages.find((message) => message.content === content);
      expect(sent?.status).toBe('sent');
    });
  }

  it('carries a conversation both ways', async () => {
    const from = fakeUser({ first_name: 'Ada' });
    telegram.push(update.text({ from, text: 'Where is my order?' }));
    telegram.push(update.text({ from, text: 'Hello?' }));
    await telegram.inbox.drained();
    await reply('Ada', 'On its way.');
    expect(telegram.shown(from.id).map(({ text }) => text)).toEqual(['On its way.']);
    const { messageId = 0 } = telegram.shown(from.id)[0] ?? {};
    telegram.push(update.text({ from, text: 'Thanks!', reply_to_message: { message_id: messageId } }));
    telegram.push(update.reaction({ user: from, message_id: messageId, emojis: ['❤'] }));
    await telegram.inbox.drained();
    const { messages } = await conversationOf('Ada');
    expect(messages.map(({ seq, content }) => [seq, content])).toEqual([
      [1, 'Where is my order?'],
      [2, 'Hello?'],
      [3, 'On its way.'],
      [4, 'Thanks!'],
    ]);
    expect(messages[3]?.reply_to_id).not.toBeNull();
    await eventually(async () => {
      const [, , answered] = (await conversationOf('Ada')).messages;
      expect(answered?.reactions.map(({ emoji }) => emoji)).toEqual(['❤']);
    });
  });

  it('makes one message of an album and brings its files home, but for the one that is too large', async () => {
    const from = fakeUser({ first_name: 'Grace' });
    const photo = () => ({
      file_id: telegram.addFile(Buffer.from('a photo')),
      width: 10,
      height: 10,
      file_size: 7,
    });
    telegram.push(update.photo({ from, media_group_id: 'album', caption: 'Look', photo: [photo()] }));
    telegram.push(update.photo({ from, media_group_id: 'album', photo: [photo()] }));
    const film = telegram.addFile(Buffer.from('x'), { size: 21 * 1024 * 1024 });
    telegram.push(update.document({ from, document: { file_id: film, file_name: 'film.mkv' } }));
    await telegram.inbox.drained();
    await eventually(async () => {
      const { messages } = await conversationOf('Grace');
      expect(
        messages.map(({ content, attachments }) => [content, attachments.map(({ state }) => state)]),
      ).toEqual([
        ['Look', ['ready', 'ready']],
        ['', ['too_large']],
      ]);
    });
  });

  it('takes a pressed button for what the customer says and answers it', async () => {
    const from = fakeUser({ first_name: 'Linus' });
    const keyboard = { inline_keyboard: [[{ text: 'Yes please', callback_data: 'yes' }]] };
    const message = fakeMessage({ from: telegram.bot, chat: privateChat(from), reply_markup: keyboard });
    const pressed = telegram.push(update.callback({ from, message, data: 'yes' }));
    await telegram.inbox.drained();
    const { messages } = await conversationOf('Linus');
    expect(messages).toMatchObject([
      { content: 'Yes please', direction: 'inbound', choice: { message_id: null, action: 'yes' } },
    ]);
    await eventually(() => {
      const answered = telegram.calls.filter(({ method }) => method === 'answerCallbackQuery');
      const { id } = pressed['callback_query'] as { id: string };
      expect(answered.map(({ params }) => params['callback_query_id'])).toContain(id);
    });
  });

  it('keeps a group one conversation, each sender named, also after it became a supergroup', async () => {
    const chat = fakeGroup({ title: `Team by ${mode}` });
    const [ada, bob] = [fakeUser({ first_name: 'Ada L' }), fakeUser({ first_name: 'Bob' })];
    telegram.push(update.text({ from: ada, chat, text: 'Hi' }));
    telegram.push(update.text({ from: bob, chat, text: 'Hi too' }));
    await telegram.inbox.drained();
    const moved = { ...chat, id: chat.id - 1_000_000_000_000, type: 'supergroup' as const };
    telegram.migrate(chat.id, moved.id);
    await reply(`Team by ${mode}`, 'Hello team');
    telegram.push(update.text({ from: bob, chat: moved, text: 'Still here' }));
    await telegram.inbox.drained();
    const { messages } = await conversationOf(`Team by ${mode}`);
    expect(
      messages
        .filter(({ direction }) => direction === 'inbound')
        .map(({ sender, content }) => [sender.name, content]),
    ).toEqual([
      ['Ada L', 'Hi'],
      ['Bob', 'Hi too'],
      ['Bob', 'Still here'],
    ]);
    expect(telegram.shown(moved).map(({ text }) => text)).toEqual(['Hello team']);
  });

  it('stores a burst of one new customer as one conversation, in order and once', async () => {
    const from = fakeUser({ first_name: 'Burst' });
    const texts = Array.from({ length: 50 }, (_, n) => `message ${n}`);
    for (const text of texts) telegram.push(update.text({ from, text }));
    await telegram.inbox.drained();
    const { messages } = await conversationOf('Burst');
    expect(messages.map(({ content }) => content)).toEqual(texts);
    expect(messages.map(({ seq }) => seq)).toEqual(texts.map((_, n) => n + 1));
  });

  it('fails a message to a customer who blocked the bot, and says why', async () => {
    const from = fakeUser({ first_name: 'Gone' });
    telegram.push(update.text({ from, text: 'bye' }));
    telegram.push(update.membership({ user: from, status: 'kicked' }));
    await telegram.inbox.drained();
    telegram.fail('sendMessage', { code: 403, description: 'Forbidden: bot was blocked by the user' });
    const { id } = await conversationOf('Gone');
    await gateway.call('POST', `/api/v1/conversations/${id}/messages`, { content: 'wait' });
    await eventually(async () => {
      const [, failed] = (await conversationOf('Gone')).messages;
      expect(failed).toMatchObject({
        status: 'failed',
        error: { provider_code: '403', message: expect.stringContaining('blocked by the user') },
      });
    });
  });

  it('answers nothing that Telegram would execute, and took no message twice', () => {
    expect(telegram.inbox.answers.filter(({ body }) => body !== '')).toEqual([]);
    expect(telegram.inbox.answers.length > 0).toBe(mode === 'webhook');
    expect(telegram.doubled()).toEqual([]);
  });
});
