import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { signForm } from '../../support/twilio/sign.ts';
import { conversationWith, messageOnce, OURS, type Phone, reply, startPhone } from './phone.ts';

let phone: Phone;
beforeAll(async () => {
  phone = await startPhone();
});
afterAll(() => phone.stop());

const FORM = 'application/x-www-form-urlencoded';

async function post(body: string | Uint8Array, headers: Record<string, string>): Promise<Response> {
  // A connection that was idle may be closed just as it is used again.
  return tryPost(body, headers).catch(() => tryPost(body, headers));
}

function tryPost(body: string | Uint8Array, headers: Record<string, string>): Promise<Response> {
  const { gateway, channelId } = phone;
  return fetch(`${gateway.url}/webhooks/sms/${channelId}`, {
    method: 'POST',
    headers: { 'content-type': FORM, ...headers },
    body: Buffer.from(body),
  });
}

function signed(body: Uint8Array | string): Record<string, string> {
  const token = phone.twilio.account.tokens[0] ?? '';
  return {
    'x-twilio-signature': signForm(token, phone.doorUrl, new URLSearchParams(Buffer.from(body).toString())),
  };
}

it('answers with TwiML that says nothing, since all else would be sent to the customer', async () => {
  const body = 'MessageSid=SM00000000000000000000000000000001&From=%2B15550300001&To=%2B15550001111&Body=Hi';
  const answer = await post(body, signed(body));
  expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
    200,
    'text/xml',
    '<Response/>',
  ]);
});

it('opens to nobody who has not signed the public address', async () => {
  const body = 'MessageSid=SM00000000000000000000000000000002&From=%2B15550300002&To=%2B15550001111&Body=Hi';
  const local = signForm(
    phone.twilio.account.tokens[0] ?? '',
    `${phone.gateway.url}/webhooks/sms/${phone.channelId}`,
    new URLSearchParams(body),
  );
  for (const headers of [{}, { 'x-twilio-signature': 'guessed' }, { 'x-twilio-signature': local }])
    expect((await post(body, headers as Record<string, string>)).status).toBe(401);
  const { body: found } = await phone.gateway.call<{ data: unknown[] }>(
    'GET',
    '/api/v1/customers?phone=%2B15550300002',
  );
  expect(found.data).toEqual([]);
});

it('answers nothing that is signed with a failure of its own', async () => {
  const statuses = new Set<number>();
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc
          .array(
            fc.tuple(
              fc.constantFrom(
                'MessageSid',
                'From',
                'Body',
                'NumMedia',
                'MediaUrl0',
                'MessageStatus',
                'ErrorCode',
                'To',
              ),
              fc.string({ unit: 'binary' }),
            ),
            { maxLength: 9 },
          )
          .map((fields) => {
            const form = new URLSearchParams({
              MessageSid: 'SM0000000000000000000000000000abcd',
              From: '+15550300003',
            });
            for (const [name, value] of fields) form.set(name, value.toWellFormed());
            return Buffer.from(String(form));
          }),
      ),
      async (body) => {
        const answer = await post(body, signed(body));
        await answer.arrayBuffer();
        statuses.add(answer.status);
        expect(answer.status).toBe(200);
      },
    ),
    { numRuns: 60 },
  );
  expect([...statuses]).toEqual([200]);
});

it('takes both tokens while they are exchanged, and the new one alone afterwards', async () => {
  const { gateway, twilio, channelId } = phone;
  const [old = ''] = twilio.account.tokens;
  const change = (config: object) =>
    gateway.call<{ config: object }>('PATCH', `/api/v1/channels/${channelId}`, { config });
  const both = await change({ secondary_auth_token: 'the-next-token-of-the-account' });
  expect(both.status).toBe(200);
  expect(JSON.stringify(both.body)).not.toContain('the-next-token');
  expect((await twilio.receive({ from: '+15550300004', to: OURS, body: 'By the old one' })).status).toBe(200);
  twilio.account.tokens = ['the-next-token-of-the-account'];
  expect((await twilio.receive({ from: '+15550300004', to: OURS, body: 'By the new one' })).status).toBe(200);
  const { id } = await conversationWith(phone, '+15550300004');
  const answer = await reply(phone, id, { content: 'Sent with the new one' });
  await messageOnce(phone, answer.id, (it) => expect(it.status).toBe('sent'));
  expect(
    (await change({ auth_token: 'the-next-token-of-the-account', secondary_auth_token: null })).status,
  ).toBe(200);
  expect((await twilio.receive({ from: '+15550300004', to: OURS, body: 'Still' })).status).toBe(200);
  twilio.account.tokens = [old];
  expect((await twilio.receive({ from: '+15550300004', to: OURS, body: 'Too late' })).status).toBe(401);
  twilio.account.tokens = ['the-next-token-of-the-account'];
});

it('is tried from outside with a request that it signs itself', async () => {
  const { body } = await phone.gateway.call<{
    ok: boolean;
    steps: { name: string; ok: boolean; detail: string }[];
  }>('POST', `/api/v1/channels/${phone.channelId}/test`);
  expect(body.steps.map(({ name, ok }) => [name, ok])).toEqual([
    ['settings', true],
    ['active', true],
    ['provider', true],
    // Nobody serves chat.example: that the step is there is what this is about.
    ['door', false],
  ]);
});
