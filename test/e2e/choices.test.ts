import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closeAll, connect, type TestSocket } from '../realtime/sockets.ts';
import { type Door, openDoor, PUBLIC_URL } from '../support/door.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { fakeMessage, fakeUser, privateChat, update } from '../support/telegram/updates.ts';

interface Message {
  id: string;
  content: string;
  direction: string;
  reply_to_id: string | null;
  metadata: Record<string, unknown>;
  choice: { message_id: string | null; number: number | null; label: string; action: string } | null;
}

interface Button {
  text: string;
  callback_data?: string;
}

const CARD = {
  title: 'Which size?',
  actions: [
    { label: 'Help', url: 'https://example.com/sizes' },
    { label: 'Small', action: 'size:s' },
    { label: 'Large', action: 'size:l' },
  ],
};

let gateway: TestGateway;
let door: Door;
let agents: TestSocket;

beforeAll(async () => {
  gateway = await startTestGateway({ publicUrl: PUBLIC_URL });
  door = await openDoor(gateway);
  agents = await connect(gateway.url, { business_id: gateway.businessId, token: gateway.apiKey });
}, 60_000);
afterAll(async () => {
  closeAll();
  await door.close();
  await gateway.stop();
});

async function messagesOf(conversationId: string): Promise<Message[]> {
  const path = `/api/v1/conversations/${conversationId}`;
  return (await gateway.call<{ messages: Message[] }>('GET', path)).body.messages;
}

async function write(conversationId: string, body: unknown): Promise<Message> {
  const path = `/api/v1/conversations/${conversationId}/messages`;
  const answer = await gateway.call<Message>('POST', path, body);
  expect(answer.status).toBe(202);
  return answer.body;
}

describe('on a channel with buttons', () => {
  const from = fakeUser({ first_name: 'Ada' });
  const chat = privateChat(from);
  let conversationId: string;

  const say = (text: string) => door.post(update.text({ from, chat, text }));
  const last = async () => (await messagesOf(conversationId)).at(-1) as Message;

  beforeAll(async () => {
    await say('Hi');
    const { body } = await gateway.call<{ data: { id: string }[] }>(
      'GET',
      '/api/v1/conversations/?channel_type=telegram',
    );
    conversationId = body.data[0]?.id ?? '';
  });

  async function ask(): Promise<{ card: Message; keyboard: Button[] }> {
    const cards = () =>
      door.telegram.calls.filter(
        ({ method, params }) => method === 'sendMessage' && params['reply_markup'] !== undefined,
      );
    const before = cards().length;
    const card = await write(conversationId, { type: 'card', card: CARD });
    // Other messages may still be on their way before it.
    const call = await eventually(() => {
      expect(cards()).toHaveLength(before + 1);
      return cards().at(-1);
    });
    const markup = call?.params['reply_markup'] as { inline_keyboard: Button[][] };
    return { card, keyboard: markup.inline_keyboard.flat() };
  }

  async function press(data: string): Promise<void> {
    const message = fakeMessage({ from: door.telegram.bot, chat });
    expect(await door.post(update.callback({ from, message, data }))).toBe(200);
  }

  it('takes the pressed button for the choice, also of a card that is no longer the newest', async () => {
    const { card, keyboard } = await ask();
    await write(conversationId, { content: 'Take your time.' });
    await press(keyboard.find(({ text }) => text === 'Large')?.callback_data ?? '');
    expect(await last()).toMatchObject({
      content: 'Large',
      direction: 'inbound',
      reply_to_id: card.id,
      choice: { message_id: card.id, number: 2, label: 'Large', action: 'size:l' },
    });
    expect((await last()).metadata).not.toHaveProperty('choice');
  });

  it.each([
    ['1', 'size:s'],
    ['large', 'size:l'],
    ['2. Large', 'size:l'],
  ])('takes %j for a choice', async (text, action) => {
    const { card } = await ask();
    await say(text);
    expect(await last()).toMatchObject({ content: text, choice: { message_id: card.id, action } });
  });

  it('takes an answer for a choice once, and only while the card is our newest word', async () => {
    await ask();
    await say('2');
    await say('2');
    expect((await messagesOf(conversationId)).slice(-2).map(({ choice }) => choice?.number)).toEqual([
      2,
      undefined,
    ]);
    await ask();
    await write(conversationId, { content: 'How many of them?' });
    await say('2');
    expect(await last()).toMatchObject({ content: '2', choice: null });
    await ask();
    await say('What is the difference?');
    await say('1');
    expect(await last()).toMatchObject({ choice: { number: 1 } });
  });

  it('leaves it a plain message when the button is none of theirs', async () => {
    const { card } = await ask();
    await press(`choice:${card.id}:9`);
    expect(await last()).toMatchObject({ choice: null });
    const stranger = fakeUser({ first_name: 'Mallory' });
    const message = fakeMessage({ from: door.telegram.bot, chat: privateChat(stranger) });
    await door.post(update.callback({ from: stranger, message, data: `choice:${card.id}:1` }));
    const [newest] = (
      await gateway.call<{ data: { id: string }[] }>('GET', '/api/v1/conversations/?channel_type=telegram')
    ).body.data;
    expect(await messagesOf(newest?.id ?? '')).toMatchObject([{ direction: 'inbound', choice: null }]);
  });

  it('takes a button of another program for what it carries', async () => {
    const keyboard = { inline_keyboard: [[{ text: 'Yes please', callback_data: 'yes' }]] };
    const message = fakeMessage({ from: door.telegram.bot, chat, reply_markup: keyboard });
    await door.post(update.callback({ from, message, data: 'yes' }));
    expect(await last()).toMatchObject({
      content: 'Yes please',
      choice: { message_id: null, number: null, label: 'Yes please', action: 'yes' },
    });
  });
});

describe('in web chat', () => {
  it('shows the visitor the card and takes the pressed button, or its number, for the choice', async () => {
    const visitor = await connect(gateway.url, { business_id: gateway.businessId });
    const first = await visitor.ask('client_message', { content: 'Hello' });
    const conversationId = String(first['conversation_id']);
    const card = await write(conversationId, { type: 'card', card: { ...CARD, layout: 'quick_replies' } });
    const shown = await visitor.next('new_message', ({ id }) => id === card.id);
    expect(shown).toMatchObject({
      content: 'Which size?\n\nHelp: https://example.com/sizes\n1. Small\n2. Large',
      card: { layout: 'quick_replies', actions: CARD.actions },
    });
    await visitor.ask('client_message', { choice: { message_id: card.id, number: 1 } });
    const heard = await agents.next('new_message', ({ content }) => content === 'Small');
    expect(heard).toMatchObject({ choice: { message_id: card.id, action: 'size:s' } });

    const stranger = await connect(gateway.url, { business_id: gateway.businessId });
    await stranger.ask('client_message', { content: '?', choice: { message_id: card.id, number: 1 } });
    const theirs = await agents.next('new_message', ({ content }) => content === '?');
    expect(theirs).toMatchObject({ choice: null });
  });

  it('refuses a pressed button that the visitor was never shown, where nothing else was said', async () => {
    const [visitor, stranger] = await Promise.all(
      [0, 1].map(() => connect(gateway.url, { business_id: gateway.businessId })),
    );
    const first = await visitor?.ask('client_message', { content: 'Hello' });
    const card = await write(String(first?.['conversation_id']), { type: 'card', card: CARD });
    for (const [who, message_id, number] of [
      [visitor, card.id, 3],
      [visitor, first?.['message_id'], 1],
      [visitor, 'nothing', 1],
      [stranger, card.id, 1],
    ] as const) {
      const answer = await who?.ask('client_message', { content: ' ', choice: { message_id, number } });
      expect(answer).toMatchObject({ error: { code: 'validation_error', details: [{ field: 'choice' }] } });
    }
    expect(await messagesOf(String(first?.['conversation_id']))).toHaveLength(2);
  });

  it('refuses a card whose labels mean two things', async () => {
    const conversation = await gateway.call<{ id: string }>('POST', '/api/v1/conversations/', {
      business_id: gateway.businessId,
    });
    const actions = [{ label: 'Yes' }, { label: 'yes ' }];
    const path = `/api/v1/conversations/${conversation.body.id}/messages`;
    const answer = await gateway.call('POST', path, { type: 'card', card: { title: 'Sure?', actions } });
    expect(answer).toMatchObject({
      status: 422,
      body: { error: { details: [{ field: 'card.actions.1.label' }] } },
    });
  });
});
