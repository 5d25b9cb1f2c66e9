import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { smsSettings } from '../../../src/channels/sms/settings.ts';
import { startTestGateway, type TestGateway } from '../../support/gateway.ts';
import { type FakeTwilio, startTwilio } from '../../support/twilio.ts';
import { conversationWith, messageOnce } from '../sms/phone.ts';

const README = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
const PUBLIC_URL = 'https://chat.example';
const THEIRS = '+15557654321';

let gateway: TestGateway;
let twilio: FakeTwilio;
beforeAll(async () => {
  gateway = await startTestGateway({ publicUrl: PUBLIC_URL });
  twilio = await startTwilio({ route: (url) => url.replace(PUBLIC_URL, gateway.url) });
  twilio.own('number', '+15551234567');
  twilio.own('whatsapp', 'whatsapp:+15551234567');
});
afterAll(async () => {
  expect(twilio.violations).toEqual([]);
  await gateway.stop();
  await twilio.close();
});

/** The body of the first command below a heading that has this in it. */
function bodyIn(heading: string, word: string): Record<string, unknown> {
  const section = README.split(`### ${heading}\n`)[1]?.split('\n### ')[0] ?? '';
  const json = [...section.matchAll(/-d '(\{.*\})'/g)]
    .map(([, found = '']) => found)
    .find((it) => it.includes(word));
  return JSON.parse(json ?? 'null');
}

/** As the README says it, with the account of the stand-in where the reader's own belongs. */
async function connect(heading: string): Promise<{ id: string; setup: { todo: string[] } }> {
  const { config, ...channel } = bodyIn(heading, '"type"');
  const { account_sid, auth_token, api_root } = twilio.config('');
  const filled = { ...(config as object), account_sid, auth_token, api_root };
  const { status, body } = await gateway.call<{ id: string; setup: { todo: string[] } }>(
    'POST',
    '/api/v1/channels',
    {
      ...channel,
      config: filled,
    },
  );
  expect([status, body.setup.todo]).toEqual([201, []]);
  return body;
}

it('connects SMS step by step as the README says', async () => {
  const { id } = await connect('Connecting SMS');
  await twilio.receive({ from: THEIRS, to: '+15551234567', body: 'Hello' });
  const conversation = await conversationWith({ gateway }, THEIRS);
  const answer = await gateway.call<{ id: string }>(
    'POST',
    `/api/v1/conversations/${conversation.id}/messages`,
    { content: 'Hi' },
  );
  const sent = await messageOnce({ gateway }, answer.body.id, (it) => expect(it.status).toBe('sent'));
  await twilio.tell(sent.external_id ?? '', 'delivered');
  await messageOnce({ gateway }, answer.body.id, (it) => expect(it.status).toBe('delivered'));
  expect((await gateway.call<{ ok: boolean }>('GET', `/api/v1/channels/${id}/health`)).body.ok).toBe(true);
  expect((await gateway.call('POST', `/api/v1/channels/${id}/test`)).status).toBe(200);
});

it('connects WhatsApp by Twilio step by step as the README says', async () => {
  const { id } = await connect('Connecting WhatsApp by Twilio');
  twilio.account.contents.push({
    sid: `HX${'3'.repeat(32)}`,
    friendly_name: 'order_update',
    language: 'en',
    variables: { 1: 'Ada', 2: '42' },
    types: { 'twilio/text': { body: 'Hi {{1}}, order {{2}} is on its way.' } },
    approval: 'approved',
  });
  const listed = await gateway.call<{ data: { name: string }[] }>('GET', `/api/v1/channels/${id}/templates`);
  expect(listed.body.data.map(({ name }) => name)).toEqual(['order_update']);
  const template = bodyIn('Connecting WhatsApp by Twilio', '"template"');
  const queued = await gateway.call<{ id: string }>('POST', '/api/v1/messages', {
    ...template,
    channel_id: id,
  });
  expect(queued.status).toBe(202);
  await messageOnce({ gateway }, queued.body.id, (it) => expect(it.status).toBe('sent'));
});

it('lists every setting', () => {
  const section = README.split('### Connecting SMS\n')[1]?.split('\n### ')[0] ?? '';
  const { shape } = smsSettings;
  for (const setting of Object.keys(shape)) expect(section, setting).toContain(setting);
});
