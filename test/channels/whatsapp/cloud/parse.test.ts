import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from '../../../../src/channels/whatsapp/cloud/parse.ts';
import { threadKeyFor } from '../../../../src/channels/whatsapp/cloud/people.ts';
import { cloudSettings } from '../../../../src/channels/whatsapp/cloud/settings.ts';
import { challenge, verify } from '../../../../src/channels/whatsapp/cloud/verify.ts';
import type { Inbound } from '../../../../src/core/envelope.ts';
import { AppError } from '../../../../src/core/errors.ts';
import { change, encode, signatureOf, textMessage, webhook } from '../../../support/meta.ts';

const NUMBER = '106540352242922';
const channel = {
  id: 'channel',
  businessId: 'business',
  settings: cloudSettings.parse({
    phone_number_id: NUMBER,
    access_token: 'EAA-token',
    app_secret: 'app-secret',
    verify_token: 'the-verify-token',
  }),
};

const request = (body: Uint8Array, signature = signatureOf(body, 'app-secret')) => ({
  method: 'POST',
  url: 'https://chat.example/webhooks/whatsapp/channel',
  headers: { 'x-hub-signature-256': signature },
  body,
});

const read = (body: unknown): Inbound[] => parse(request(Buffer.from(JSON.stringify(body))), channel);

describe('the door of the Cloud API', () => {
  it('knows a signature over the raw bytes, whose escapes no parser keeps', () => {
    const body = encode(webhook(change(NUMBER, { messages: [textMessage({ waId: '1' }, 'Grüße 👋')] })));
    expect(body.toString()).toContain('\\u00fc');
    expect(verify(request(body), channel)).toBe(true);
    const rewritten = Buffer.from(JSON.stringify(JSON.parse(body.toString())));
    expect(verify(request(rewritten, signatureOf(body, 'app-secret')), channel)).toBe(false);
  });

  // RFC 4231, test case 2, is the vector that everybody's HMAC-SHA256 must give.
  it('computes the HMAC that the standard gives', () => {
    const body = Buffer.from('what do ya want for nothing?');
    const signature = 'sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843';
    const jefe = { ...channel, settings: { ...channel.settings, app_secret: 'Jefe' } };
    expect(verify(request(body, signature), jefe)).toBe(true);
    expect(verify(request(body, signature.toUpperCase()), jefe)).toBe(false);
  });

  it('answers the challenge to whoever knows the token', () => {
    const ask = (query: string) =>
      challenge(
        { ...request(Buffer.alloc(0)), method: 'GET', url: `https://chat.example/w?${query}` },
        channel,
      );
    expect(ask('hub.mode=subscribe&hub.verify_token=the-verify-token&hub.challenge=1158201444')).toEqual({
      status: 200,
      contentType: 'text/plain; charset=utf-8',
      body: '1158201444',
    });
    expect(ask('hub.mode=subscribe&hub.verify_token=guessed&hub.challenge=1')).toBeUndefined();
    expect(ask('hub.mode=unsubscribe&hub.verify_token=the-verify-token&hub.challenge=1')).toBeUndefined();
    expect(ask('')).toBeUndefined();
  });
});

describe('any signed body', () => {
  it('is read or refused as malformed, whatever its bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(verify(request(bytes), channel)).toBe(true);
        expectReadable(bytes);
      }),
      { numRuns: 300 },
    );
  });

  it('is read whatever JSON stands where Meta puts something else', () => {
    const anything = fc.jsonValue({ maxDepth: 3 });
    const body = fc.oneof(
      anything,
      anything.map((messages) => webhook(change(NUMBER, { messages }))),
      anything.map((message) =>
        webhook(change(NUMBER, { messages: [message], statuses: [message], contacts: [message] })),
      ),
      fc.tuple(fc.constantFrom(...TYPES), anything).map(([type, payload]) =>
        webhook(
          change(NUMBER, {
            messages: [{ from: '16505551234', id: 'wamid.x', timestamp: payload, type, [type]: payload }],
          }),
        ),
      ),
      anything.map((value) => ({
        object: 'whatsapp_business_account',
        entry: [{ changes: [{ field: 'messages', value }] }],
      })),
    );
    fc.assert(
      fc.property(body, (value) => {
        expectReadable(Buffer.from(JSON.stringify(value)));
      }),
      { numRuns: 1_000 },
    );
  });

  it('keeps a message of any type, known or not', () => {
    fc.assert(
      fc.property(fc.constantFrom(...TYPES), fc.jsonValue({ maxDepth: 2 }), (type, payload) => {
        fc.pre(!CHANGES.has(type));
        const [message, ...others] = read(
          webhook(
            change(NUMBER, {
              messages: [{ from: '16505551234', id: 'wamid.x', timestamp: '1', type, [type]: payload }],
            }),
          ),
        );
        expect(others).toEqual([]);
        expect(message).toMatchObject({ kind: 'message', externalId: 'wamid.x', threadKey: '+16505551234' });
      }),
      { numRuns: 500 },
    );
  });
});

const CHANGES = new Set(['reaction', 'edit', 'revoke', 'system']);
const TYPES = [
  ...[
    'text',
    'image',
    'video',
    'audio',
    'document',
    'sticker',
    'location',
    'contacts',
    'interactive',
    'button',
  ],
  ...['order', 'request_welcome', 'unsupported', 'unknown', 'hologram', ...CHANGES],
];

function expectReadable(bytes: Uint8Array): void {
  try {
    for (const item of parse(request(bytes), channel)) {
      expect(item.externalEventId).not.toBe('');
      expect(item.threadKey).not.toBe('');
      if (item.occurredAt) expect(Number.isNaN(item.occurredAt.getTime())).toBe(false);
    }
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
  }
}

describe('people', () => {
  it('are never given the name or number of somebody else in the batch', () => {
    const contacts = [
      { profile: { name: 'Ann' }, wa_id: '16505550001', user_id: 'US.1' },
      { profile: { name: 'Bob' }, wa_id: '16505550002', user_id: 'US.2' },
    ];
    const messages = [
      textMessage({ waId: '16505550002' }, 'from Bob'),
      textMessage({ userId: 'US.1' }, 'from Ann'),
      textMessage({ waId: '16505550003' }, 'from nobody there'),
    ];
    const senders = read(webhook(change(NUMBER, { contacts, messages }))).map((one) =>
      one.kind === 'message' ? [one.sender.name, one.sender.address] : [],
    );
    expect(senders).toEqual([
      ['Bob', '+16505550002'],
      ['Ann', '+16505550001'],
      [undefined, '+16505550003'],
    ]);
  });

  it('are not taken for the only contact when they cannot be it', () => {
    const contacts = [{ profile: { name: 'Ann' }, wa_id: '16505550001' }];
    const [message] = read(
      webhook(change(NUMBER, { contacts, messages: [textMessage({ waId: '16505550009' }, 'x')] })),
    );
    expect(message).toMatchObject({ sender: { address: '+16505550009' } });
    expect(message).not.toHaveProperty('sender.name');
  });

  it('are heard whatever form their number or id takes', () => {
    const addresses = ['+16505550001', 'US.ENT.11815799212886844830', 'lid-of-2028'].map((from) => {
      const message = { id: 'wamid.x', from, timestamp: '1760000000', type: 'text', text: { body: 'x' } };
      const [found] = read(webhook(change(NUMBER, { messages: [message] })));
      return found?.kind === 'message' ? [found.sender.address, found.sender.kind] : undefined;
    });
    expect(addresses).toEqual([
      ['+16505550001', 'phone'],
      ['US.ENT.11815799212886844830', 'user_id'],
      ['lid-of-2028', 'user_id'],
    ]);
  });

  it('are found at an address however somebody types it', () => {
    expect(threadKeyFor('+1 (650) 555-1234')).toBe('+16505551234');
    expect(threadKeyFor('0049 151 2345678')).toBe('+491512345678');
    expect(threadKeyFor('US.13491208655302741918')).toBe('US.13491208655302741918');
    expect(threadKeyFor('someone@example.com')).toBeUndefined();
    expect(threadKeyFor('5551234')).toBeUndefined();
  });
});
