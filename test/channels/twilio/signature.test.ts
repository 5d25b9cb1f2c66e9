import fc from 'fast-check';
import twilio from 'twilio';
import { expect, it } from 'vitest';
import { readEvents } from '../../../src/channels/shared/twilio/body.ts';
import { twilioDoor } from '../../../src/channels/shared/twilio/door.ts';
import { isSigned, signature } from '../../../src/channels/shared/twilio/signature.ts';
import { readMessage as readText } from '../../../src/channels/sms/parse.ts';
import { readMessage as readWhatsApp } from '../../../src/channels/whatsapp/twilio/parse.ts';
import { threadKeyIn } from '../../../src/channels/whatsapp/twilio/people.ts';
import { AppError } from '../../../src/core/errors.ts';
import { FORM, signedRequest } from '../../support/twilio/contract.ts';

const TOKEN = '12345';

// The example of Twilio's documentation, with the signature that it prints.
const DOCUMENTED = {
  url: 'https://mycompany.com/myapp.php?foo=1&bar=2',
  params: {
    CallSid: 'CA1234567890ABCDE',
    Caller: '+14158675310',
    Digits: '1234',
    From: '+14158675310',
    To: '+18005551212',
  },
  signature: 'GvWf1cFY/Q7PnoempGyD5oXAezc=',
};

function request(url: string, body: string | Uint8Array, headers: Record<string, string> = {}) {
  return { method: 'POST', url, headers: { 'content-type': FORM, ...headers }, body: Buffer.from(body) };
}

it('signs the documented request as Twilio does', () => {
  const form = String(new URLSearchParams(DOCUMENTED.params));
  expect(signature(TOKEN, DOCUMENTED.url, form)).toBe(DOCUMENTED.signature);
  const signed = { 'x-twilio-signature': DOCUMENTED.signature };
  expect(isSigned(request(DOCUMENTED.url, form, signed), [TOKEN])).toBe(true);
});

it('lets JSON in by the documented hash of its body', () => {
  const body = '{"property": "value", "boolean": true}';
  const hash = '0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620';
  const url = `https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256=${hash}`;
  const headers = { 'content-type': 'application/json', 'x-twilio-signature': signature(TOKEN, url, '') };
  expect(isSigned(request(url, body, headers), [TOKEN])).toBe(true);
  expect(isSigned(request(url, `${body} `, headers), [TOKEN])).toBe(false);
  expect(isSigned(request(url.replace(hash, ''), body, headers), [TOKEN])).toBe(false);
  const unhashed = 'https://mycompany.com/myapp.php';
  const bare = { ...headers, 'x-twilio-signature': signature(TOKEN, unhashed, '') };
  expect(isSigned(request(unhashed, body, bare), [TOKEN])).toBe(false);
});

it('takes the old and the new token while they are exchanged, and no other', () => {
  const body = Buffer.from('Body=Hi&From=%2B15557654321');
  expect(isSigned(signedRequest(body, 'the new one'), ['the old one', 'the new one'])).toBe(true);
  expect(isSigned(signedRequest(body, 'the old one'), ['the old one', 'the new one'])).toBe(true);
  expect(isSigned(signedRequest(body, 'the old one'), ['the new one'])).toBe(false);
});

it('refuses what was changed on the way, and what is not signed', () => {
  const signed = signedRequest(Buffer.from('Body=Hi+&From=%2B15557654321'), TOKEN);
  expect(isSigned(signed, [TOKEN])).toBe(true);
  expect(isSigned({ ...signed, body: Buffer.from('Body=Hi&From=%2B15557654321') }, [TOKEN])).toBe(false);
  expect(isSigned({ ...signed, body: Buffer.from('Body=Hi+&From=%2B15557654321&New=1') }, [TOKEN])).toBe(
    false,
  );
  expect(isSigned({ ...signed, url: 'https://elsewhere.example/' }, [TOKEN])).toBe(false);
  expect(isSigned({ ...signed, headers: { 'content-type': FORM } }, [TOKEN])).toBe(false);
  expect(isSigned({ ...signed, headers: { ...signed.headers, 'x-twilio-signature': '' } }, [TOKEN])).toBe(
    false,
  );
});

it('minds neither the port that goes without saying nor another one that does not', () => {
  const form = 'Body=Hi';
  const with443 = { 'x-twilio-signature': signature(TOKEN, 'https://chat.example:443/door', form) };
  expect(isSigned(request('https://chat.example/door', form, with443), [TOKEN])).toBe(true);
  const without = { 'x-twilio-signature': signature(TOKEN, 'https://chat.example/door', form) };
  expect(isSigned(request('https://chat.example:443/door', form, without), [TOKEN])).toBe(true);
  const own = { 'x-twilio-signature': signature(TOKEN, 'https://chat.example:8443/door', form) };
  expect(isSigned(request('https://chat.example:8443/door', form, own), [TOKEN])).toBe(true);
  expect(isSigned(request('https://chat.example/door', form, own), [TOKEN])).toBe(false);
});

function formOf(fields: [string, string][]): URLSearchParams {
  const form = new URLSearchParams();
  for (const [name, value] of fields) form.append(name.toWellFormed(), value.toWellFormed());
  return form;
}

const pairs = fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })), {
  maxLength: 12,
});

it('signs any form as Twilio’s own library does, repeated and empty parameters included', () => {
  fc.assert(
    fc.property(pairs, (fields) => {
      const form = formOf(fields);
      const params = Object.fromEntries([...new Set(form.keys())].map((name) => [name, form.getAll(name)]));
      if ('__proto__' in Object.fromEntries(form)) return;
      const url = 'https://chat.example/webhooks/sms/1';
      const ours = signature(TOKEN, url, String(form));
      expect(twilio.validateRequest(TOKEN, ours, url, params)).toBe(true);
    }),
  );
});

const doors = {
  sms: twilioDoor({ threadKeyIn: (address) => address, readMessage: readText, isTextMessage: true }),
  whatsapp: twilioDoor({ threadKeyIn, readMessage: readWhatsApp, isTextMessage: false }),
};
const channel = { id: '1', businessId: '1', settings: { account_sid: '', auth_token: TOKEN, api_root: '' } };

const NAMES = [
  'MessageSid',
  'SmsSid',
  'From',
  'To',
  'Body',
  'NumMedia',
  'MediaUrl0',
  'MediaContentType0',
  'MessageStatus',
  'SmsStatus',
  'ErrorCode',
  'ErrorMessage',
  'OptOutType',
  'WaId',
  'ProfileName',
  'MessageType',
  'ButtonPayload',
  'ListId',
  'Latitude',
  'Longitude',
  'ChannelMetadata',
  'ReferralBody',
  'ExternalUserId',
  'OriginalRepliedMessageSid',
];
const VALUES = [
  'SM0123456789abcdef0123456789abcdef',
  'whatsapp:+15557654321',
  '+15557654321',
  'whatsapp:US.123',
  'received',
  'failed',
  'read',
  'reaction',
  '21610',
  'STOP',
  '{"a":[',
  '99999999999999999999',
  '-1',
  'NaN',
  'constructor',
];
const named = fc.array(
  fc.tuple(
    fc.oneof(fc.constantFrom(...NAMES), fc.string()),
    fc.oneof(fc.constantFrom(...VALUES), fc.string({ unit: 'binary' })),
  ),
  { maxLength: 16 },
);

it('reads whatever is signed without breaking: events, nothing, or a body that is malformed', () => {
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    named.map((fields) => Buffer.from(String(formOf(fields)))),
  );
  fc.assert(
    fc.property(bodies, (body) => {
      for (const door of Object.values(doors)) {
        const signed = signedRequest(body, TOKEN);
        expect(door.verify(signed, channel)).toBe(true);
        expectRead(() => door.parse(signed, channel));
      }
    }),
    { numRuns: 300 },
  );
});

it('reads whatever JSON is signed without breaking', () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), (body) => {
      const signed = {
        ...signedRequest(Buffer.from(body), TOKEN),
        headers: { 'content-type': 'application/json' },
      };
      for (const door of Object.values(doors)) expectRead(() => door.parse(signed, channel));
    }),
  );
});

function expectRead(read: () => unknown): void {
  try {
    expect(Array.isArray(read())).toBe(true);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
  }
}

it('takes an empty parameter for none', () => {
  const [params] = readEvents(request('https://chat.example', 'Body=&From=%2B1'));
  expect([params?.get('Body'), params?.get('From')]).toEqual([undefined, '+1']);
});
