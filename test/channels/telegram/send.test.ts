import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { telegramAdapter } from '../../../src/channels/telegram/adapter.ts';
import { createEgress } from '../../../src/core/egress.ts';
import { OutcomeUnknown, RateLimited, SendDeferred, SendRejected } from '../../../src/core/errors.ts';
import { newId } from '../../../src/core/id.ts';
import { outbound, outboundFile } from '../../support/outbound.ts';
import { update } from '../../support/telegram.ts';
import { type Bot, startBot } from './bot.ts';

const CHAT = 5001;
let bot: Bot;

beforeAll(async () => {
  bot = await startBot();
});
afterAll(() => bot.close());
beforeEach(() => {
  bot.telegram.know(CHAT, -4001);
  bot.telegram.knowTopic(-4001, 44);
  bot.telegram.knowAccount('bcA1');
  bot.telegram.knowMessage(-4001, 7);
  bot.telegram.accepted.length = 0;
  bot.telegram.calls.length = 0;
});

const shown = () => bot.telegram.accepted;
const onlyParams = () => shown()[0]?.params ?? {};

describe('sending text to Telegram', () => {
  it('names the message by its chat and number, since Telegram counts per chat', async () => {
    const [sent] = await bot.send({ content: 'Hello' });
    expect(sent?.externalId).toBe(`${CHAT}:${shown()[0]?.messageId}`);
    expect(onlyParams()).toEqual({ chat_id: CHAT, text: 'Hello' });
  });

  it('sends 10,000 characters as three messages in order', async () => {
    const content = Array.from({ length: 1429 }, (_, n) => `w${String(n).padStart(5, '0')}`).join(' ');
    const sent = await bot.send({ content });
    expect(sent).toHaveLength(3);
    expect(
      shown()
        .map(({ text }) => text.trim())
        .join(' '),
    ).toBe(content);
  });

  it('answers in the topic, through the business account and to the message that was asked', async () => {
    await bot.send({ threadKey: '-4001:44', replyToExternalId: '-4001:17' });
    expect(onlyParams()).toMatchObject({
      chat_id: -4001,
      message_thread_id: 44,
      reply_parameters: { message_id: 17, allow_sending_without_reply: true },
    });
    await bot.send({ threadKey: `${CHAT}@bcA1`, replyToExternalId: `${CHAT}@bcA1:9` });
    expect(shown()[1]?.params).toMatchObject({
      business_connection_id: 'bcA1',
      reply_parameters: { message_id: 9 },
    });
  });

  it('replies to nothing where the id belongs to another chat', async () => {
    await bot.send({ replyToExternalId: '7777:17' });
    expect(onlyParams()).not.toHaveProperty('reply_parameters');
  });

  it('keeps formatting that Telegram knows and falls back to plain text for the rest', async () => {
    await bot.send({
      content: 'bold & link',
      html: '<p><b>bold</b> &amp; <a href="https://example.com">link</a></p>',
    });
    await bot.send({ content: 'a table', html: '<table><tr><td>a table</td></tr></table>' });
    expect(shown().map(({ params }) => [params['text'], params['parse_mode']])).toEqual([
      ['<b>bold</b> &amp; <a href="https://example.com">link</a>', 'HTML'],
      ['a table', undefined],
    ]);
  });

  it('sends plain text once when Telegram cannot parse the formatting', async () => {
    bot.telegram.fail('sendMessage', {
      code: 400,
      description: "Bad Request: can't parse entities: Unexpected end tag",
    });
    await bot.send({ content: 'bold', html: '<b>bold</b>' });
    expect(shown().map(({ params }) => [params['text'], params['parse_mode']])).toEqual([
      ['bold', undefined],
    ]);
  });

  it('sends a card as text with buttons for links and actions', async () => {
    const actions = [
      { label: 'Open', url: 'https://example.com/o/77' },
      { label: 'Refund', action: 'refund:77' },
      { label: 'Long', action: 'ä'.repeat(40) },
    ];
    const id = newId();
    await bot.send({
      id,
      type: 'card',
      content: 'Order <77>',
      card: { title: 'Order <77>', description: 'On its way', actions },
    });
    expect(onlyParams()).toMatchObject({
      text: '<b>Order &lt;77&gt;</b>\n\nOn its way',
      parse_mode: 'HTML',
      reply_markup: {
        inline_keyboard: [
          [{ text: 'Open', url: 'https://example.com/o/77' }],
          [{ text: 'Refund', callback_data: `choice:${id}:1` }],
          [{ text: 'Long', callback_data: `choice:${id}:2` }],
        ],
      },
    });
  });
});

describe('sending files to Telegram', () => {
  it('uploads the bytes, with the text as caption', async () => {
    const file = outboundFile('application/pdf', { name: 'Rechnung; "März".pdf' });
    await bot.send({ content: 'Your invoice', attachments: [file] });
    expect(shown()[0]).toMatchObject({ method: 'sendDocument', text: 'Your invoice' });
    expect(shown()[0]?.files[0]?.bytes.toString()).toBe('bytes of a application/pdf');
    expect(shown()[0]?.files[0]?.name).toBe('Rechnung_ _März_.pdf');
  });

  it.each([
    ['image/jpeg', 'sendPhoto'],
    ['image/gif', 'sendAnimation'],
    ['video/mp4', 'sendVideo'],
    ['audio/mpeg', 'sendAudio'],
    ['audio/ogg; codecs=opus', 'sendVoice'],
    ['image/svg+xml', 'sendDocument'],
  ])('sends %s by %s', async (type, method) => {
    await bot.send({ content: '', attachments: [outboundFile(type)] });
    expect(shown().map((one) => one.method)).toEqual([method]);
  });

  it('puts neighbours that go together into albums of two to ten and knows all their ids', async () => {
    const photos = Array.from({ length: 11 }, () => outboundFile('image/png'));
    const sent = await bot.send({
      content: 'Look',
      attachments: [...photos, outboundFile('application/pdf')],
    });
    expect(bot.telegram.calls.map(({ method }) => method)).toEqual([
      'sendMediaGroup',
      'sendPhoto',
      'sendDocument',
    ]);
    expect(sent[0]?.alsoKnownAs).toHaveLength(9);
    expect(shown().map(({ text }) => text)).toEqual(['Look', ...Array(11).fill('')]);
  });

  it('continues a caption that is too long below the file', async () => {
    const content = 'word '.repeat(600).trim();
    await bot.send({ content, attachments: [outboundFile('image/png')] });
    expect(shown().map((one) => one.method)).toEqual(['sendPhoto', 'sendMessage']);
    expect(
      shown()
        .map(({ text }) => text.trim())
        .join(' '),
    ).toBe(content);
  });

  it('sends as a document what Telegram does not take for a photo', async () => {
    bot.telegram.fail('sendPhoto', { code: 400, description: 'Bad Request: PHOTO_INVALID_DIMENSIONS' });
    await bot.send({ content: '', attachments: [outboundFile('image/png')] });
    expect(shown().map((one) => one.method)).toEqual(['sendDocument']);
  });

  it('sends an album as documents when one of it is no photo to Telegram', async () => {
    const broken = outboundFile('image/png', { open: async () => Buffer.from('no picture') });
    const attachments = [outboundFile('image/jpeg'), broken, outboundFile('video/mp4')];
    const [sent, ...others] = await bot.send({ content: 'Look', attachments });
    expect(others).toEqual([]);
    expect(sent?.alsoKnownAs).toHaveLength(2);
    expect(shown().map(({ text, files }) => [text, files.length])).toEqual([
      ['Look', 1],
      ['', 1],
      ['', 1],
    ]);
    const media = shown()[0]?.params['media'] as { type: string }[];
    expect(media.map(({ type }) => type)).toEqual(['document', 'document', 'document']);
  });

  it('refuses a file over 50 MB before it sends a byte', async () => {
    const film = outboundFile('video/mp4', { sizeBytes: 50_000_001 });
    await expect(bot.send({ content: '', attachments: [film] })).rejects.toThrow(SendRejected);
    expect(bot.telegram.calls).toEqual([]);
  });
});

describe('what Telegram answers', () => {
  it('follows a group that became a supergroup and tells its new thread', async () => {
    bot.telegram.know(-4002);
    bot.telegram.migrate(-4002, -1004002);
    const [sent] = await bot.send({ threadKey: '-4002', content: 'still here' });
    expect(sent).toMatchObject({ newThreadKey: '-1004002', externalId: expect.stringMatching(/^-1004002:/) });
    expect(bot.telegram.shown(-1004002).map(({ text }) => text)).toEqual(['still here']);
  });

  it('says in Telegram’s words that a topic or account is gone, or that somebody blocked the bot', async () => {
    await expect(bot.send({ threadKey: '-4001:45' })).rejects.toThrow('message thread not found');
    await expect(bot.send({ threadKey: `${CHAT}@gone` })).rejects.toThrow('business connection not found');
    const chat = { id: 5009, type: 'private' as const };
    bot.telegram.push(update.membership({ chat, status: 'kicked' }));
    await expect(bot.send({ threadKey: '5009' })).rejects.toThrow('bot was blocked by the user');
    bot.telegram.push(update.membership({ chat, status: 'member' }));
    await expect(bot.send({ threadKey: '5009' })).resolves.toHaveLength(1);
  });

  it('waits as long as a 429 says', async () => {
    bot.telegram.fail('sendMessage', {
      code: 429,
      description: 'Too Many Requests: retry after 35',
      parameters: { retry_after: 35 },
    });
    await expect(bot.send({})).rejects.toMatchObject({ constructor: RateLimited, retryAfterMs: 35_000 });
  });

  it.each([
    [403, 'Forbidden: bot was blocked by the user', 'The customer has blocked the bot.'],
    [403, 'Forbidden: user is deactivated', 'The customer’s account was deleted.'],
    [
      403,
      "Forbidden: bot can't initiate conversation with a user",
      'The customer has to write to the bot first.',
    ],
    [403, 'Forbidden: bot was kicked from the supergroup chat', 'The bot was removed from the group.'],
    [403, 'Forbidden: bot is not a member of the channel chat', 'The bot was removed from the group.'],
    [400, 'Bad Request: not enough rights to send text messages to the chat', 'The bot may not write there.'],
    [400, 'Bad Request: chat not found', 'Telegram knows no such chat'],
    [400, 'Bad Request: message thread not found', 'The topic was deleted.'],
    [400, 'Bad Request: TOPIC_CLOSED', 'The topic is closed.'],
    [
      400,
      'Bad Request: BUSINESS_CONNECTION_INVALID',
      'The bot may no longer write for this business account.',
    ],
    [400, 'Bad Request: something new', 'Telegram refused sendMessage: 400'],
    [404, 'Not Found: method not found', 'Telegram refused sendMessage: 404'],
    [401, 'Unauthorized', 'Telegram does not accept the bot token.'],
    [404, 'Not Found', 'Telegram does not accept the bot token.'],
  ])('takes %i "%s" as final, and says: %s', async (code, description, meaning) => {
    bot.telegram.fail('sendMessage', { code, description });
    const error = await bot.send({}).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      constructor: SendRejected,
      channelBroken: meaning.endsWith('bot token.'),
      providerCode: String(code),
      message: expect.stringContaining(meaning),
    });
    expect((error as Error).message).toContain(description);
  });

  it('tries again later when Telegram or a proxy before it is down', async () => {
    bot.telegram.fail('sendMessage', { html: 502 });
    await expect(bot.send({})).rejects.toThrow(SendDeferred);
    bot.telegram.fail('sendMessage', { code: 503, description: 'Service Unavailable' });
    await expect(bot.send({})).rejects.toThrow(SendDeferred);
    bot.telegram.fail('sendMessage', { json: 502 });
    await expect(bot.send({})).rejects.toThrow(SendDeferred);
  });

  it('does not resend by itself what a gateway gave up waiting for', async () => {
    bot.telegram.fail('sendMessage', { html: 504 });
    await expect(bot.send({})).rejects.toThrow(OutcomeUnknown);
  });

  it('cannot know the outcome once it stops waiting for an answer', async () => {
    bot.telegram.fail('sendMessage', 'hang');
    const [part] = bot.adapter.split(outbound({ content: 'no answer' }), bot.channel);
    const impatient = AbortSignal.timeout(200);
    const sending = part && bot.adapter.send?.(part, bot.channel, impatient);
    await expect(sending).rejects.toThrow(OutcomeUnknown);
    expect(shown().map(({ text }) => text)).toEqual(['no answer']);
  });

  it('sends nothing after it was told to stop', async () => {
    const [part] = bot.adapter.split(outbound(), bot.channel);
    await expect(part && bot.adapter.send?.(part, bot.channel, AbortSignal.abort())).rejects.toThrow(
      SendDeferred,
    );
    expect(bot.telegram.calls).toEqual([]);
  });

  it('does not leave for a private address that nobody allowed', async () => {
    const egress = createEgress({ allow: [] });
    const guarded = telegramAdapter({ egress });
    const [part] = guarded.split(outbound(), bot.channel);
    await expect(part && guarded.send?.(part, bot.channel, new AbortController().signal)).rejects.toThrow(
      SendRejected,
    );
    expect(bot.telegram.calls).toEqual([]);
    await egress.close();
  });
});

describe('what was sent to Telegram', () => {
  const signal = () => new AbortController().signal;

  it('is changed and taken back in a business account, in its name only', async () => {
    const [sent] = await bot.send({ threadKey: `${CHAT}@bcA1`, content: 'Helo' });
    const externalId = sent?.externalId ?? '';
    const [part] = bot.adapter.split(outbound({ threadKey: `${CHAT}@bcA1`, content: 'Hello' }), bot.channel);
    if (part) await bot.adapter.edit?.({ part, externalId }, bot.channel, signal());
    expect(shown().map(({ text, account }) => [text, account])).toEqual([['Hello', 'bcA1']]);
    await bot.adapter.remove?.(
      { threadKey: `${CHAT}@bcA1`, externalIds: [externalId] },
      bot.channel,
      signal(),
    );
    expect(shown()).toEqual([]);
    expect(bot.telegram.calls.at(-1)?.method).toBe('deleteBusinessMessages');
  });
});

describe('a file of a customer', () => {
  it('is asked for again when Telegram says so', async () => {
    bot.telegram.fail('getFile', {
      code: 429,
      description: 'Too Many Requests',
      parameters: { retry_after: 7 },
    });
    const ref = { ref: { file_id: bot.telegram.addFile(Buffer.from('x')) } };
    const fetching = bot.adapter.fetchAttachment?.(ref, bot.channel, new AbortController().signal);
    await expect(fetching).rejects.toMatchObject({ name: 'RateLimited', retryAfterMs: 7_000 });
  });
});

describe('small courtesies', () => {
  it('answers a pressed button', async () => {
    const pressed = {
      id: 'cb-77',
      from: { id: CHAT },
      chat_instance: '1',
      message: { chat: { id: CHAT, type: 'private' as const } },
    };
    bot.telegram.push({ update_id: 1, callback_query: pressed });
    const base = {
      externalEventId: 'update:1',
      threadKey: '5001',
      sender: { address: '5001', kind: 'user' },
    };
    await bot.adapter.acknowledge?.(
      { ...base, kind: 'message', type: 'text', content: 'Yes', metadata: { callback_query_id: 'cb-77' } },
      bot.channel,
    );
    expect(bot.telegram.calls.at(-1)).toMatchObject({
      method: 'answerCallbackQuery',
      params: { callback_query_id: 'cb-77' },
    });
  });

  it('reacts to a message with what Telegram knows, and takes it back', async () => {
    const react = (emoji: string | undefined) =>
      bot.adapter.react?.({ threadKey: '-4001:44', externalId: '-4001:7', emoji }, bot.channel);
    await react('🎉');
    expect(bot.telegram.calls.at(-1)).toMatchObject({
      method: 'setMessageReaction',
      params: { chat_id: -4001, message_id: 7, reaction: [{ type: 'emoji', emoji: '🎉' }] },
    });
    await react(undefined);
    expect(bot.telegram.calls.at(-1)).toMatchObject({ params: { reaction: [] } });
    await expect(react('🥨')).rejects.toBeInstanceOf(SendRejected);
  });

  it('marks as read what a customer wrote to a business account', async () => {
    bot.telegram.knowMessage(CHAT, 9);
    await bot.adapter.markRead?.(`${CHAT}@bcA1`, `${CHAT}@bcA1:9`, bot.channel);
    expect(bot.telegram.calls.at(-1)).toMatchObject({
      method: 'readBusinessMessage',
      params: { business_connection_id: 'bcA1', chat_id: CHAT, message_id: 9 },
    });
    const before = bot.telegram.calls.length;
    await bot.adapter.markRead?.(String(CHAT), `${CHAT}:9`, bot.channel);
    expect(bot.telegram.calls).toHaveLength(before);
  });

  it('shows typing in the topic where the customer waits', async () => {
    await bot.adapter.typing?.('-4001:44', bot.channel, { lastInboundId: undefined });
    expect(bot.telegram.calls.at(-1)).toMatchObject({
      method: 'sendChatAction',
      params: { chat_id: -4001, message_thread_id: 44, action: 'typing' },
    });
  });
});
