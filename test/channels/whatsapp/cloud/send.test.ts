import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cloudWhatsAppAdapter } from '../../../../src/channels/whatsapp/cloud/adapter.ts';
import { cardText } from '../../../../src/core/cards.ts';
import { createEgress } from '../../../../src/core/egress.ts';
import {
  AppError,
  OutcomeUnknown,
  RateLimited,
  SendDeferred,
  SendRejected,
} from '../../../../src/core/errors.ts';
import { newId } from '../../../../src/core/id.ts';
import { fillTemplate } from '../../../../src/core/template.ts';
import { outbound, outboundFile } from '../../../support/outbound.ts';
import { CUSTOMER, startNumber, type TestNumber } from './number.ts';

let number: TestNumber;
beforeAll(async () => {
  number = await startNumber();
});
afterAll(() => number.close());

const last = () => number.meta.taken.at(-1);
const signal = () => new AbortController().signal;

async function failureOf(work: () => Promise<unknown>): Promise<unknown> {
  return work().then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  );
}

describe('texts', () => {
  it('go to the number, with what finds the message again', async () => {
    const id = newId();
    const [sent] = await number.send({ id, content: 'See https://example.com' });
    expect(last()).toMatchObject({
      id: sent?.externalId,
      body: {
        messaging_product: 'whatsapp',
        recipient_type: 'individual',
        to: CUSTOMER.slice(1),
        type: 'text',
        text: { body: 'See https://example.com', preview_url: true },
        biz_opaque_callback_data: `${id}:0`,
      },
    });
  });

  it('answer a message, the first part only', async () => {
    await number.send({ content: 'long '.repeat(1500), replyToExternalId: 'wamid.asked' });
    const [first, second] = number.meta.taken.slice(-2);
    expect(first?.body['context']).toEqual({ message_id: 'wamid.asked' });
    expect(second?.body).not.toHaveProperty('context');
    expect(second?.body['biz_opaque_callback_data']).toMatch(/:1$/);
  });

  it('go to whoever hides the number by their id, and to a group as one', async () => {
    number.meta.know('US.13491208655302741918', 'Y2FwaQ');
    await number.send({ threadKey: 'US.13491208655302741918' });
    expect(last()?.body).toMatchObject({
      recipient_type: 'individual',
      recipient: 'US.13491208655302741918',
    });
    await number.send({ threadKey: 'group:Y2FwaQ' });
    expect(last()?.body).toMatchObject({ recipient_type: 'group', to: 'Y2FwaQ' });
    await expect(number.send({ threadKey: 'someone@example.com' })).rejects.toBeInstanceOf(SendRejected);
  });

  it('move to the form of the number that WhatsApp knows', async () => {
    number.meta.knownAs('5511987654321', '551187654321');
    const [sent] = await number.send({ threadKey: '+5511987654321' });
    expect(sent?.newThreadKey).toBe('+551187654321');
    expect((await number.send({}))[0]).not.toHaveProperty('newThreadKey');
  });
});

describe('files', () => {
  it.each([
    ['image/jpeg', 'image'],
    ['image/png', 'image'],
    ['image/webp', 'sticker'],
    ['video/mp4', 'video'],
    ['audio/ogg; codecs=opus', 'audio'],
    ['audio/mpeg', 'audio'],
    ['application/pdf', 'document'],
  ])('of type %s are uploaded and sent as %s', async (contentType, kind) => {
    await number.send({ type: 'attachment', content: '', attachments: [outboundFile(contentType)] });
    expect(last()?.type).toBe(kind);
    expect(last()?.body[kind]).toMatchObject({ id: expect.stringMatching(/^\d+$/) });
  });

  it('of text go as plain text, and are told apart by their names', async () => {
    for (const [contentType, name] of [
      ['text/csv; charset=utf-8', 'orders.csv'],
      ['text/calendar', 'invite.ics'],
      ['application/json', 'data.json'],
    ] as const) {
      await number.send({
        type: 'attachment',
        content: '',
        attachments: [outboundFile(contentType, { name })],
      });
      expect(last()?.body['document']).toMatchObject({ id: expect.stringMatching(/^\d+$/), filename: name });
    }
  });

  it.each(['application/zip', 'image/gif', 'image/heic', 'audio/wav', 'video/quicktime'])(
    'of type %s, of which Meta takes no uploads, are fetched by Meta or refused in words',
    async (contentType) => {
      const file = outboundFile(contentType);
      await number.send({ type: 'attachment', content: '', attachments: [file] });
      expect(last()?.body['document']).toEqual({ link: file.url, filename: file.name });
      const local = outboundFile(contentType, { url: 'http://127.0.0.1:3000/files/1' });
      const before = number.meta.calls.length;
      const error = await failureOf(() => number.send({ type: 'attachment', attachments: [local] }));
      expect(error).toMatchObject({
        constructor: SendRejected,
        message: expect.stringContaining(contentType),
      });
      expect(number.meta.calls).toHaveLength(before);
    },
  );

  it('too large for their kind go as documents', async () => {
    const big = outboundFile('image/jpeg', { sizeBytes: 6 * 1024 * 1024, name: 'poster.jpg' });
    await number.send({ type: 'attachment', content: '', attachments: [big] });
    expect(last()?.body['document']).toMatchObject({ filename: 'poster.jpg' });
    const huge = outboundFile('application/zip', { sizeBytes: 101 * 1024 * 1024 });
    await expect(number.send({ type: 'attachment', attachments: [huge] })).rejects.toBeInstanceOf(
      SendRejected,
    );
  });

  it('carry the text where they can, and leave it to a message of its own where not', async () => {
    const before = number.meta.taken.length;
    const files = [outboundFile('audio/mpeg'), outboundFile('image/png'), outboundFile('application/pdf')];
    await number.send({ type: 'attachment', content: 'Have a look', attachments: files });
    expect(number.meta.taken.slice(before).map(({ type, text }) => [type, text])).toEqual([
      ['audio', ''],
      ['image', 'Have a look'],
      ['document', ''],
    ]);
    await number.send({ type: 'attachment', content: 'Listen', attachments: [outboundFile('audio/mpeg')] });
    expect(number.meta.taken.slice(-2).map(({ type, text }) => [type, text])).toEqual([
      ['audio', ''],
      ['text', 'Listen'],
    ]);
  });

  it('are fetched by Meta from our address where the channel says so', async () => {
    const linking = { ...number.channel, settings: { ...number.channel.settings, media: 'link' as const } };
    const file = outboundFile('image/png');
    const [part] = number.adapter.split(
      { ...outbound({ threadKey: CUSTOMER, content: '', attachments: [file] }) },
      linking,
    );
    if (part) await number.adapter.send?.(part, linking, signal());
    expect(last()?.body['image']).toEqual({ link: file.url });
  });

  it('that could not be uploaded leave the message unsent, never unknown', async () => {
    const before = number.meta.taken.length;
    number.meta.fail(/media$/, 'drop');
    const error = await failureOf(() =>
      number.send({ type: 'attachment', attachments: [outboundFile('image/png')] }),
    );
    expect(error).toBeInstanceOf(SendDeferred);
    expect(number.meta.taken).toHaveLength(before);
  });
});

describe('cards', () => {
  const actions = (count: number) => Array.from({ length: count }, (_, n) => ({ label: `Choice ${n + 1}` }));

  it('with up to three choices have buttons, with more a list', async () => {
    const id = newId();
    await number.send({
      id,
      type: 'card',
      content: '',
      card: { title: 'Pick', description: 'One of', actions: actions(3) },
    });
    expect(last()?.body['interactive']).toMatchObject({
      type: 'button',
      body: { text: '*Pick*\n\nOne of' },
      action: {
        buttons: [1, 2, 3].map((n) => ({
          type: 'reply',
          reply: { id: `choice:${id}:${n}`, title: `Choice ${n}` },
        })),
      },
    });
    await number.send({
      id,
      type: 'card',
      content: '',
      card: { title: 'Pick', actions: actions(4), list_label: 'Look at all of them' },
    });
    expect(last()?.body['interactive']).toMatchObject({
      type: 'list',
      action: {
        button: 'Look at all of them',
        sections: [{ rows: [{ id: `choice:${id}:1`, title: 'Choice 1' }, {}, {}, {}] }],
      },
    });
  });

  it('with one address have a button that opens it', async () => {
    const card = { title: 'Invoice', actions: [{ label: 'Pay', url: 'https://pay.example/1' }] };
    await number.send({ type: 'card', content: '', card });
    expect(last()?.body['interactive']).toMatchObject({
      type: 'cta_url',
      action: { name: 'cta_url', parameters: { display_text: 'Pay', url: 'https://pay.example/1' } },
    });
  });

  it('with what WhatsApp cannot show go as numbered text', async () => {
    const card = { title: 'Pick', actions: actions(11) };
    await number.send({ type: 'card', content: cardText(card), card });
    expect(last()).toMatchObject({ type: 'text' });
    expect(last()?.text).toContain('11. Choice 11');
    const wordy = { title: 'Pick', description: 'x'.repeat(1100), actions: actions(2) };
    await number.send({ type: 'card', content: 'Pick…\n\n1. Choice 1\n2. Choice 2', card: wordy });
    expect(last()).toMatchObject({ type: 'text', text: 'Pick…\n\n1. Choice 1\n2. Choice 2' });
  });
});

describe('templates', () => {
  const meta = () => number.meta.templates;
  const define = (name: string, components: Record<string, unknown>[], fields = {}) =>
    meta().push({
      id: name,
      name,
      language: 'en_US',
      status: 'APPROVED',
      category: 'UTILITY',
      parameter_format: 'POSITIONAL',
      components,
      ...fields,
    });
  const known = async (name: string) => {
    const listed = await number.adapter.templates?.(number.channel);
    const found = listed?.find((one) => one.name === name);
    if (found === undefined) throw new Error(`${name} was not listed`);
    return found;
  };

  it('are listed over all pages, with what they need', async () => {
    for (const n of [1, 2, 3]) define(`page_${n}`, [{ type: 'BODY', text: `Body ${n}` }]);
    define('rich', [
      { type: 'HEADER', format: 'TEXT', text: 'Order {{1}}' },
      { type: 'BODY', text: 'Hi {{1}}, it comes {{2}}.' },
      { type: 'FOOTER', text: 'Not now? Say stop.' },
      {
        type: 'BUTTONS',
        buttons: [
          { type: 'URL', text: 'Track', url: 'https://track.example/{{1}}' },
          { type: 'QUICK_REPLY', text: 'Thanks' },
        ],
      },
    ]);
    expect(await known('page_3')).toMatchObject({ status: 'approved', category: 'utility' });
    expect(await known('rich')).toMatchObject({
      header: { type: 'text', parameters: ['1'] },
      body: { parameters: ['1', '2'] },
      footer: 'Not now? Say stop.',
      buttons: [
        { type: 'url', label: 'Track', parameters: ['1'] },
        { type: 'quick_reply', label: 'Thanks', parameters: [] },
      ],
    });
  });

  it('are sent with header, body and button parameters', async () => {
    const input = {
      name: 'rich',
      header: '#42',
      body: ['Ann', 'today'],
      buttons: { 0: 'abc', 1: 'thanked' },
    };
    const { filled, text } = fillTemplate(await known('rich'), { input, files: 0 });
    expect(text).toBe('Order #42\n\nHi Ann, it comes today.\n\nNot now? Say stop.');
    await number.send({ type: 'template', content: text, template: filled });
    expect(last()?.body['template']).toEqual({
      name: 'rich',
      language: { code: 'en_US' },
      components: [
        { type: 'header', parameters: [{ type: 'text', text: '#42' }] },
        {
          type: 'body',
          parameters: [
            { type: 'text', text: 'Ann' },
            { type: 'text', text: 'today' },
          ],
        },
        { type: 'button', sub_type: 'url', index: '0', parameters: [{ type: 'text', text: 'abc' }] },
        {
          type: 'button',
          sub_type: 'quick_reply',
          index: '1',
          parameters: [{ type: 'payload', payload: 'thanked' }],
        },
      ],
    });
  });

  it('have named parameters, files and places in their headers, and codes on their buttons', async () => {
    define('named', [{ type: 'BODY', text: 'Hi {{first_name}}' }], { parameter_format: 'NAMED' });
    define('pictured', [
      { type: 'HEADER', format: 'IMAGE' },
      { type: 'BODY', text: 'Look' },
    ]);
    define('placed', [
      { type: 'HEADER', format: 'LOCATION' },
      { type: 'BODY', text: 'Here' },
    ]);
    define('coupon', [
      { type: 'BODY', text: 'Save' },
      { type: 'BUTTONS', buttons: [{ type: 'COPY_CODE', text: 'Copy', example: 'X' }] },
    ]);
    define('login', [
      { type: 'BODY', text: '{{1}} is your code' },
      {
        type: 'BUTTONS',
        buttons: [
          { type: 'URL', text: 'Copy code', url: 'https://www.whatsapp.com/otp/code/?code=otp{{1}}' },
        ],
      },
    ], { category: 'AUTHENTICATION' });
    const send = async (
      name: string,
      input: object,
      attachments = [] as ReturnType<typeof outboundFile>[],
    ) => {
      const { filled, text } = fillTemplate(await known(name), {
        input: { name, ...input },
        files: attachments.length,
      });
      await number.send({ type: 'template', content: text, template: filled, attachments });
      return ((last()?.body['template'] ?? {}) as { components?: unknown[] }).components;
    };
    expect(await send('named', { body: { first_name: 'Ann' } })).toEqual([
      { type: 'body', parameters: [{ type: 'text', parameter_name: 'first_name', text: 'Ann' }] },
    ]);
    expect(await send('pictured', {}, [outboundFile('image/png')])).toMatchObject([
      { type: 'header', parameters: [{ type: 'image', image: { id: expect.any(String) } }] },
    ]);
    expect(await send('placed', { header: { latitude: 1, longitude: 2, name: 'Shop' } })).toEqual([
      {
        type: 'header',
        parameters: [{ type: 'location', location: { latitude: 1, longitude: 2, name: 'Shop' } }],
      },
    ]);
    expect(await send('coupon', { buttons: { 0: 'SAVE10' } })).toEqual([
      {
        type: 'button',
        sub_type: 'copy_code',
        index: '0',
        parameters: [{ type: 'coupon_code', coupon_code: 'SAVE10' }],
      },
    ]);
    expect(await send('login', { body: ['123456'] })).toMatchObject([
      { type: 'body' },
      { type: 'button', sub_type: 'url', index: '0', parameters: [{ type: 'text', text: '123456' }] },
    ]);
  });
});

describe('what else the customer sees', () => {
  it('is that we read, that we type, and what we think', async () => {
    const { adapter, channel, meta } = number;
    await adapter.markRead?.(CUSTOMER, 'wamid.in', channel);
    await adapter.typing?.(CUSTOMER, channel, { lastInboundId: 'wamid.in' });
    const before = meta.calls.length;
    await adapter.typing?.(CUSTOMER, channel, { lastInboundId: undefined });
    expect(meta.calls).toHaveLength(before);
    expect(meta.seen).toEqual([
      { messaging_product: 'whatsapp', status: 'read', message_id: 'wamid.in' },
      {
        messaging_product: 'whatsapp',
        status: 'read',
        message_id: 'wamid.in',
        typing_indicator: { type: 'text' },
      },
    ]);
    await adapter.react?.({ threadKey: CUSTOMER, externalId: 'wamid.in', emoji: '👍' }, channel);
    await adapter.react?.({ threadKey: CUSTOMER, externalId: 'wamid.in', emoji: undefined }, channel);
    expect(meta.reactions.map(({ message_id, emoji }) => [message_id, emoji])).toEqual([
      ['wamid.in', '👍'],
      ['wamid.in', ''],
    ]);
  });
});

describe('refusals', () => {
  it.each([
    [131056, 400, RateLimited],
    [130429, 400, RateLimited],
    [80007, 400, RateLimited],
    [4, 400, RateLimited],
    [131016, 500, SendDeferred],
    [131000, 500, SendDeferred],
    [2, 503, SendDeferred],
    [131057, 400, SendDeferred],
    [131026, 400, SendRejected],
    [131049, 400, SendRejected],
    [132001, 404, SendRejected],
    [139999, 400, SendRejected],
    [139999, 500, SendDeferred],
  ] as const)('with code %i are what the table says', async (code, status, type) => {
    number.meta.fail(/messages$/, { status, code });
    const error = await failureOf(() => number.send({ content: 'refused' }));
    expect(error).toBeInstanceOf(type);
    expect(error).toMatchObject({ providerCode: String(code) });
    if (error instanceof SendRejected) expect(error.channelBroken).toBe(false);
    if (error instanceof RateLimited) expect([error.retryAfterMs, error.growth]).toEqual([1_000, 4]);
  });

  it.each([0, 3, 10, 190, 200, 299, 368, 131031, 131042, 131045])(
    'with code %i break the channel',
    async (code) => {
      number.meta.fail(/messages$/, { status: 400, code });
      expect(await failureOf(() => number.send({}))).toMatchObject({ channelBroken: true, retryable: true });
    },
  );

  it.each([
    [RateLimited, undefined, [4, 80007, 130429, 131056]],
    [SendDeferred, undefined, [1, 2, 131000, 131016, 131057]],
    // Somebody may try these again by hand, after hours.
    [SendRejected, true, [131048, 131049, 131064, 132069, 133016]],
    [SendRejected, true, [0, 3, 10, 33, 190, 200, 250, 299, 368, 131005, 131031, 131037, 131042, 131045]],
    [SendRejected, false, [100, 130472, 130497, 131008, 131009, 131021, 131026, 131030, 131047, 131050]],
    [SendRejected, false, [131051, 131052, 131053, 131062, 131063, 132000, 132001, 132005, 132007]],
    [SendRejected, false, [132008, 132012, 132015, 132016, 132068, 137000]],
  ] as const)(
    'of type %o (again by hand: %s) have the codes %o, told in words',
    async (type, retryable, codes) => {
      for (const code of codes) {
        number.meta.fail(/messages$/, { status: 400, code, details: 'in the words of Meta' });
        const error = await failureOf(() => number.send({}));
        expect(error, String(code)).toBeInstanceOf(type);
        expect((error as Error).message, String(code)).toMatch(/^[A-Z].+[.] \(in the words of Meta\)$/);
        if (error instanceof SendRejected) expect(error.retryable, String(code)).toBe(retryable);
      }
    },
  );

  it('of the window are told in our own word', async () => {
    number.meta.fail(/messages$/, { status: 400, code: 131047 });
    expect(await failureOf(() => number.send({}))).toMatchObject({ code: 'window_closed', retryable: false });
  });

  it('with a code that nobody knows pass where Meta says so', async () => {
    number.meta.fail(/messages$/, { status: 400, code: 139_998, isTransient: true });
    expect(await failureOf(() => number.send({}))).toBeInstanceOf(SendDeferred);
  });

  it('of something before Meta leave the outcome open where the request may have passed', async () => {
    for (const [status, type] of [
      [502, OutcomeUnknown],
      [504, OutcomeUnknown],
      [503, SendDeferred],
      [429, RateLimited],
    ] as const) {
      number.meta.fail(/messages$/, { html: status });
      expect(await failureOf(() => number.send({})), String(status)).toBeInstanceOf(type);
    }
  });

  it('that never come leave the outcome open, for the message may have been taken', async () => {
    number.meta.fail(/messages$/, 'hang');
    const [part] = number.adapter.split(
      outbound({ threadKey: CUSTOMER, content: 'hanging' }),
      number.channel,
    );
    const error = await failureOf(
      async () => part && number.adapter.send?.(part, number.channel, AbortSignal.timeout(300)),
    );
    expect(error).toBeInstanceOf(OutcomeUnknown);
    expect(number.meta.taken.filter(({ text }) => text === 'hanging')).toHaveLength(1);
  });

  it('of our own guard are final', async () => {
    const guarded = cloudWhatsAppAdapter({ egress: createEgress({ allow: [] }) });
    const [part] = number.adapter.split(outbound({ threadKey: CUSTOMER }), number.channel);
    const error = await failureOf(async () => part && guarded.send?.(part, number.channel, signal()));
    expect(error).toBeInstanceOf(SendRejected);
  });
});

describe('files of customers', () => {
  const fetchOf = async (ref: Record<string, unknown>) => {
    const download = await number.adapter.fetchAttachment?.({ ref }, number.channel, signal());
    const chunks: Uint8Array[] = [];
    for await (const chunk of download?.body ?? []) chunks.push(chunk);
    return { ...download, bytes: Buffer.concat(chunks) };
  };

  it('come with their type, size and the bytes that were sent', async () => {
    const id = number.meta.addFile(Buffer.from('a voice'), 'audio/ogg');
    const { bytes, contentType, sizeBytes } = await fetchOf({ media_id: id });
    expect([bytes.toString(), contentType, sizeBytes]).toEqual(['a voice', 'audio/ogg', 7]);
  });

  it('that Meta has no more are gone for good, others may come later', async () => {
    const gone = await failureOf(() => fetchOf({ media_id: '404' }));
    expect(gone).toBeInstanceOf(AppError);
    expect(gone).toMatchObject({ code: 'not_found' });
    const id = number.meta.addFile(Buffer.from('x'), 'image/png');
    number.meta.fail(/^lookaside/, { html: 500 });
    expect(await failureOf(() => fetchOf({ media_id: id }))).not.toBeInstanceOf(AppError);
  });

  it('get our token only from Meta and whoever stands in for it', async () => {
    const { createServer } = await import('node:http');
    const seen: (string | undefined)[] = [];
    const thief = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end('x');
    });
    await new Promise<void>((resolve) => thief.listen(0, '127.0.0.1', resolve));
    const { port } = thief.address() as { port: number };
    const id = number.meta.addFile(Buffer.from('x'), 'image/png');
    number.meta.locateAt(`http://127.0.0.1:${port}/x`);
    await failureOf(() => fetchOf({ media_id: id }));
    number.meta.locateAt(undefined);
    await new Promise((resolve) => thief.close(resolve));
    expect(seen).toEqual([undefined]);
  });
});
