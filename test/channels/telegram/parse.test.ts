import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, parseUpdate } from '../../../src/channels/telegram/parse.ts';
import { telegramSettings } from '../../../src/channels/telegram/settings.ts';
import { verify } from '../../../src/channels/telegram/verify.ts';
import type { InboundMessage } from '../../../src/core/envelope.ts';
import { AppError } from '../../../src/core/errors.ts';
import { fakeGroup, fakeUser, update } from '../../support/telegram.ts';

const settings = telegramSettings.parse({ bot_token: '123456:abc' });
const channel = { id: 'channel', businessId: 'business', settings };
const request = (body: string | Uint8Array) => ({
  method: 'POST',
  url: 'https://chat.example/webhooks/telegram/channel',
  headers: { 'x-telegram-bot-api-secret-token': settings.secret_token },
  body: typeof body === 'string' ? Buffer.from(body) : body,
});
const parsed = (value: unknown) => parseUpdate(value, settings);

function malformedOrParsed(body: string | Uint8Array): void {
  try {
    JSON.stringify(parse(request(body), channel));
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).code).toBe('invalid_request');
  }
}

const members = fc.constantFrom(
  ...[
    'update_id',
    'message',
    'edited_message',
    'callback_query',
    'message_reaction',
    'my_chat_member',
    'chat',
    'from',
  ],
  ...[
    'message_id',
    'date',
    'text',
    'caption',
    'entities',
    'photo',
    'document',
    'contact',
    'location',
    'poll',
    'id',
    'type',
  ],
  ...[
    'rich_message',
    'blocks',
    'reply_to_message',
    'new_reaction',
    'sticker',
    'file_id',
    'offset',
    'length',
    'user',
    'sender_chat',
  ],
);
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<unknown>(null, true, 0, -1, 1, 1.5, 1e300, 'private', '', 'x\u0000\ud800', 44),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(members, tie('value'), { maxKeys: 8 }),
  ),
})).value;
const chat = { id: 5001, type: 'private', first_name: 'Ada' };
const envelope = { message_id: 1, date: 1_760_000_000, chat, from: { id: 5001, first_name: 'Ada' } };

describe('reading updates of Telegram', () => {
  it('ends in envelopes or a malformed body, whatever bytes come', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), malformedOrParsed));
    fc.assert(fc.property(fc.json(), malformedOrParsed));
  });

  it('ends in envelopes or a malformed body, whatever shapes Telegram’s members take', () => {
    fc.assert(
      fc.property(values, (value) => malformedOrParsed(JSON.stringify({ update_id: 1, message: value }))),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.dictionary(members, values), (value) =>
        malformedOrParsed(JSON.stringify({ update_id: 1, ...value })),
      ),
    );
  });

  it('makes a message of every message that has an envelope, whatever its content', () => {
    const kinds = fc.constantFrom(
      'text',
      'photo',
      'document',
      'contact',
      'venue',
      'rich_message',
      'hologram',
      'entities',
      'dice',
    );
    fc.assert(
      fc.property(kinds, values, (kind, value) => {
        const body = JSON.stringify({ update_id: 1, message: { ...envelope, [kind]: value } });
        const [inbound] = parse(request(body), channel) as InboundMessage[];
        expect(inbound?.kind).toBe('message');
        expect(inbound?.content).toBeTypeOf('string');
      }),
      { numRuns: 500 },
    );
  });

  it('names what it cannot show by what it is, and keeps its words', () => {
    const said = (content: object) => parsed({ update_id: 1, message: { ...envelope, ...content } });
    const story = { reply_to_story: { id: 1 }, story: { id: 2 }, is_paid_post: true };
    expect(said(story)).toMatchObject([{ type: 'unsupported', content: '[story]' }]);
    const paid = { caption: 'Our new film', caption_entities: [], paid_media: { star_count: 5 } };
    expect(said(paid)).toMatchObject([
      { content: '[paid media] Our new film', metadata: { raw: { paid_media: { star_count: 5 } } } },
    ]);
  });

  it('keeps what a reply to another chat was about', () => {
    const external_reply = { origin: { type: 'user', date: 1 }, message_id: 7, photo: [{ file_id: 'x' }] };
    const text = { text: 'This one?', external_reply, quote: { text: 'Look', position: 0 } };
    const [found] = parsed({ update_id: 1, message: { ...envelope, ...text } });
    expect(found).toMatchObject({ metadata: { external_reply, quote: 'Look' } });
    expect(found).not.toHaveProperty('replyToExternalId');
  });

  it('refuses a body that nests deeper than any update', () => {
    const deep = `{"update_id":1,"message":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`;
    expect(() => parse(request(deep), channel)).toThrow(/nests too deep/);
    expect(parse(request(JSON.stringify(update.text({ text: '[{"'.repeat(1000) }))), channel)).toHaveLength(
      1,
    );
  });

  it('marks files over 20 MB as too large, and over 2 GB on a server of one’s own', () => {
    const selfHosted = telegramSettings.parse({ bot_token: '1:a', api_root: 'https://bots.example/' });
    const film = update.document({ document: { file_id: 'f', file_size: 21 * 1024 * 1024 } });
    const small = update.document({ document: { file_id: 'f', file_size: 20 * 1024 * 1024 } });
    const tooLarge = (value: unknown, bot = settings) =>
      (parseUpdate(value, bot)[0] as InboundMessage).attachments?.[0]?.tooLarge;
    expect([tooLarge(film), tooLarge(small), tooLarge(film, selfHosted)]).toEqual([
      true,
      undefined,
      undefined,
    ]);
  });

  it('names each sender of a group and makes the group the customer', () => {
    const chat = fakeGroup({ title: 'Team' });
    const [ada, bob] = [fakeUser({ first_name: 'Ada' }), fakeUser({ first_name: 'Bob' })];
    const messages = [ada, bob].map((from) => parsed(update.text({ from, chat }))[0] as InboundMessage);
    expect(messages.map(({ sender }) => sender.name)).toEqual(['Ada', 'Bob']);
    expect(new Set(messages.map(({ threadKey }) => threadKey))).toEqual(new Set([String(chat.id)]));
    expect(messages.map(({ group }) => group?.name)).toEqual(['Team', 'Team']);
  });

  it('never takes the bot’s own message for a customer’s', () => {
    expect(parsed(update.text({ from: fakeUser({ id: 123456, is_bot: true }) }))).toEqual([]);
  });

  it('makes formatting safe: a crossing entity loses its look, a script its link', () => {
    const [inbound] = parsed(
      update.text({
        text: 'ab <x> cd',
        entities: [
          { type: 'bold', offset: 0, length: 4 },
          { type: 'italic', offset: 3, length: 5 },
          { type: 'text_link', offset: 7, length: 2, url: 'javascript:alert(1)' },
        ],
      }),
    ) as InboundMessage[];
    expect(inbound?.html).toBe('<b>ab &lt;</b>x&gt; cd');
  });
});

describe('the door of Telegram', () => {
  const withSecret = (secret: string | undefined) => ({
    ...request('{}'),
    headers: secret === undefined ? {} : { 'x-telegram-bot-api-secret-token': secret },
  });

  it('opens for the secret that setWebhook was given and for nothing else', () => {
    expect(verify(withSecret(settings.secret_token), channel)).toBe(true);
    for (const wrong of [undefined, '', 'x', settings.secret_token.slice(1), `${settings.secret_token}x`]) {
      expect(verify(withSecret(wrong as string | undefined), channel)).toBe(false);
    }
  });

  it('stays shut for a channel without a secret', () => {
    const open = { ...channel, settings: { ...settings, secret_token: '' } };
    for (const header of [undefined, '', 'x']) expect(verify(withSecret(header), open)).toBe(false);
  });
});

describe('the settings of a bot', () => {
  it('get a secret of their own when none is given', () => {
    const secrets = [1, 2].map(() => telegramSettings.parse({ bot_token: '1:a' }).secret_token);
    expect(secrets[0]).toMatch(/^[A-Za-z0-9_-]{40,}$/);
    expect(secrets[0]).not.toBe(secrets[1]);
  });

  it.each([
    [{}],
    [{ bot_token: 'hello' }],
    [{ bot_token: '1:a', secret_token: 'with space' }],
    [{ bot_token: '1:a', api_root: 'ftp://x' }],
    [{ bot_token: '1:a', token: 'x' }],
  ])('refuse %j', (config) => expect(telegramSettings.safeParse(config).success).toBe(false));
});
