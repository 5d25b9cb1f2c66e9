import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startTestGateway, type TestGateway } from '../../support/gateway.ts';
import type { FakeSender } from '../../support/twilio/account.ts';
import { type FakeTwilio, startTwilio } from '../../support/twilio.ts';
import { conversationWith, messageOnce, type Phone, reply } from '../sms/phone.ts';

const PUBLIC_URL = 'https://chat.example';
const OURS = 'whatsapp:+15550001111';

let gateway: TestGateway;
let twilio: FakeTwilio;
let sender: FakeSender;
let phone: Phone;
beforeAll(async () => {
  gateway = await startTestGateway({ publicUrl: PUBLIC_URL });
  twilio = await startTwilio({ route: (url) => url.replace(PUBLIC_URL, gateway.url) });
  sender = twilio.own('whatsapp', OURS);
  const created = await gateway.call<{ id: string; webhook_url: string }>('POST', '/api/v1/channels', {
    type: 'whatsapp',
    config: { provider: 'twilio', ...twilio.config('+1 555 000 1111') },
  });
  if (created.status !== 201) throw new Error(JSON.stringify(created.body));
  const { id, webhook_url: doorUrl } = created.body;
  phone = { gateway, twilio, channelId: id, doorUrl, stop: () => gateway.stop() };
});
afterAll(async () => {
  expect(twilio.violations).toEqual([]);
  await gateway.stop();
  await twilio.close();
});

const says = (from: string, body: string, extra: Record<string, string> = {}) =>
  twilio.receive(
    { from: `whatsapp:${from}`, to: OURS, body },
    { MessageType: 'text', ProfileName: 'Ada Lovelace', WaId: from.slice(1), ...extra },
  );

interface WithChoice {
  content: string;
  choice: { number: number; label: string; action: string } | null;
}

it('tells Twilio its door, and is healthy while that is called', async () => {
  expect(sender.url).toBe(`${phone.doorUrl}#rc=5&rp=5xx,ct,rt`);
  const health = () =>
    gateway.call<{ ok: boolean; detail: string }>('GET', `/api/v1/channels/${phone.channelId}/health`);
  expect((await health()).body).toMatchObject({
    ok: true,
    detail: 'The Twilio account is "Test account". +15550001111 works.',
  });
});

it('answers a customer, and hears that they read it', async () => {
  const THEM = '+15550500001';
  expect((await says(THEM, 'Hello')).status).toBe(200);
  const { id, customer } = await conversationWith(phone, THEM);
  expect(customer).toMatchObject({ name: 'Ada Lovelace', phone: THEM });
  const answer = await reply(phone, id, { content: 'Hello Ada' });
  const sent = await messageOnce(phone, answer.id, (it) => expect(it.status).toBe('sent'));
  expect(twilio.sent().at(-1)).toMatchObject({ to: `whatsapp:${THEM}`, from: OURS, body: 'Hello Ada' });
  await twilio.tell(sent.external_id ?? '', 'read', { ChannelPrefix: 'whatsapp', EventType: 'READ' });
  await twilio.tell(sent.external_id ?? '', 'delivered', {
    ChannelPrefix: 'whatsapp',
    EventType: 'DELIVERED',
  });
  await messageOnce(phone, answer.id, (it) => expect(it.status).toBe('read'));
});

it('asks with buttons or a list, and takes the answer as the choice', async () => {
  const THEM = '+15550500002';
  await says(THEM, 'I want a bike');
  const { id } = await conversationWith(phone, THEM);
  const colours = {
    title: 'Which colour?',
    actions: [
      { label: 'Red', action: 'red' },
      { label: 'Blue', action: 'blue' },
    ],
  };
  const asked = await reply(phone, id, { type: 'card', card: colours });
  await messageOnce(phone, asked.id, (it) => expect(it.status).toBe('sent'));
  const pressed = JSON.parse(twilio.sent().at(-1)?.contentVariables ?? '')['2'];
  await says(THEM, 'Blue', { MessageType: 'interactive', ButtonText: 'Blue', ButtonPayload: pressed });
  const places = {
    title: 'Where?',
    actions: Array.from({ length: 4 }, (_, n) => ({ label: `Shop ${n + 1}` })),
  };
  const listed = await reply(phone, id, { type: 'card', card: places });
  await messageOnce(phone, listed.id, (it) => expect(it.status).toBe('sent'));
  const row = JSON.parse(twilio.sent().at(-1)?.contentVariables ?? '')['3'];
  await says(THEM, 'Shop 3', { MessageType: 'interactive', ListId: row, ListTitle: 'Shop 3' });
  const { messages } = await conversationWith(phone, THEM, (it) =>
    expect(it.messages.length).toBeGreaterThanOrEqual(5),
  );
  const choices = (messages as unknown as WithChoice[]).flatMap(({ choice }) => (choice ? [choice] : []));
  expect(choices).toMatchObject([
    { number: 2, label: 'Blue', action: 'blue' },
    { number: 3, label: 'Shop 3' },
  ]);
});

describe('a template', () => {
  const TEMPLATE = {
    sid: `HX${'1'.repeat(32)}`,
    friendly_name: 'order_update',
    language: 'en',
    variables: { 1: 'Ada', 2: '42' },
    types: { 'twilio/text': { body: 'Hi {{1}}, order {{2}} is on its way.' } },
    approval: 'approved',
  };

  it('is listed, checked and sent by its ContentSid, to somebody who never wrote', async () => {
    twilio.account.contents.push(TEMPLATE);
    const listed = await gateway.call<{ data: { name: string; status: string }[] }>(
      'GET',
      `/api/v1/channels/${phone.channelId}/templates`,
    );
    expect(listed.body.data).toMatchObject([{ name: 'order_update', status: 'approved' }]);
    const write = (template: object) =>
      gateway.call<{ id: string }>('POST', '/api/v1/messages', {
        channel_id: phone.channelId,
        to: '+15550500003',
        template,
      });
    expect((await write({ name: 'order_update', language: 'en', body: ['Ada'] })).status).toBe(422);
    const queued = await write({ name: 'order_update', language: 'en', body: ['Ada', '4711'] });
    expect(queued.status).toBe(202);
    const sent = await messageOnce(phone, queued.body.id, (it) => expect(it.status).toBe('sent'));
    expect(sent).toMatchObject({ type: 'template', content: 'Hi Ada, order 4711 is on its way.' });
    expect(twilio.sent().at(-1)).toMatchObject({ to: 'whatsapp:+15550500003', contentSid: TEMPLATE.sid });
    expect(JSON.parse(twilio.sent().at(-1)?.contentVariables ?? '')).toEqual({ 1: 'Ada', 2: '4711' });
  });

  it('is all that goes out a day after the customer wrote', async () => {
    const THEM = '+15550500004';
    await says(THEM, 'Hello');
    const { id } = await conversationWith(phone, THEM);
    await gateway.pool`
      update conversations set reply_window_expires_at = now() - interval '1 minute' where id = ${id}`;
    const late = await gateway.call<{ error: { code: string } }>(
      'POST',
      `/api/v1/conversations/${id}/messages`,
      { content: 'Late' },
    );
    expect([late.status, late.body.error.code]).toEqual([422, 'window_closed']);
    const template = { name: 'order_update', language: 'en', body: ['Ada', '4711'] };
    const queued = await reply(phone, id, { template });
    await messageOnce(phone, queued.id, (it) => expect(it.status).toBe('sent'));
  });
});

it('knows one customer by their number and by the id that hides it', async () => {
  const THEM = '+15550500005';
  const ID = 'US.13491208655302741918';
  await says(THEM, 'With my number', { ExternalUserId: `whatsapp:${ID}` });
  const { id } = await conversationWith(phone, THEM);
  await twilio.receive(
    { from: `whatsapp:${ID}`, to: OURS, body: 'Now without' },
    { MessageType: 'text', ProfileName: 'Ada', ExternalUserId: `whatsapp:${ID}` },
  );
  const { messages } = await conversationWith(phone, THEM, (it) => expect(it.messages).toHaveLength(2));
  expect(messages.map(({ conversation_id }) => conversation_id)).toEqual([id, id]);
});

it('knows one customer by both ways to write a Brazilian mobile, and answers the one that wrote', async () => {
  await says('+551187654321', 'Oi');
  const { id, customer } = await conversationWith(phone, '+551187654321');
  await says('+5511987654321', 'Sou eu');
  const { messages } = await conversationWith(phone, '+551187654321', (it) =>
    expect(it.messages).toHaveLength(2),
  );
  expect(messages.map(({ conversation_id }) => conversation_id)).toEqual([id, id]);
  const found = await gateway.call<{ data: { id: string }[] }>(
    'GET',
    `/api/v1/customers?phone=${encodeURIComponent('+5511987654321')}`,
  );
  expect(found.body.data.map((one) => one.id)).toEqual([customer.id]);
});

it('stores one message of a callback that comes many times at once', async () => {
  const THEM = '+15550500011';
  const { message } = await says(THEM, 'Once');
  const extra = { MessageType: 'text', ProfileName: 'Ada Lovelace' };
  const again = await Promise.all(Array.from({ length: 8 }, () => twilio.again(message, extra)));
  expect(new Set(again)).toEqual(new Set([200]));
  expect((await conversationWith(phone, THEM)).messages).toHaveLength(1);
});

it('honours a STOP at the number that was said with the number hidden', async () => {
  const THEM = '+15550500010';
  const ID = 'US.77771208655302741918';
  await says(THEM, 'With my number', { ExternalUserId: `whatsapp:${ID}` });
  const { id } = await conversationWith(phone, THEM);
  await twilio.receive(
    { from: `whatsapp:${ID}`, to: OURS, body: 'STOP' },
    { MessageType: 'text', ExternalUserId: `whatsapp:${ID}` },
  );
  const refused = await gateway.call<{ error: { code: string } }>(
    'POST',
    `/api/v1/conversations/${id}/messages`,
    { content: 'One more thing' },
  );
  expect([refused.status, refused.body.error.code]).toEqual([422, 'opted_out']);
});

it('writes to a customer of whom only the id is known', async () => {
  const ID = 'US.99991208655302741918';
  await twilio.receive(
    { from: `whatsapp:${ID}`, to: OURS, body: 'Who am I?' },
    { MessageType: 'text', ProfileName: 'Nobody', ExternalUserId: `whatsapp:${ID}` },
  );
  const found = await eventually(async () => {
    const { body } = await gateway.call<{ data: { id: string; customer: { name: string } | null }[] }>(
      'GET',
      '/api/v1/conversations?limit=100',
    );
    const one = body.data.find(({ customer }) => customer?.name === 'Nobody');
    if (one === undefined) throw new Error('not there yet');
    return one;
  });
  const answer = await reply(phone, found.id, { content: 'Hello' });
  await messageOnce(phone, answer.id, (it) => expect(it.status).toBe('sent'));
  expect(twilio.sent().at(-1)).toMatchObject({ to: `whatsapp:${ID}` });
});

it('shows reactions at their message, and takes them back', async () => {
  const THEM = '+15550500006';
  await says(THEM, 'Hello');
  const { id } = await conversationWith(phone, THEM);
  const answer = await reply(phone, id, { content: 'Hello you' });
  const sent = await messageOnce(phone, answer.id, (it) => expect(it.status).toBe('sent'));
  const react = (emoji: string) =>
    says(THEM, emoji, { MessageType: 'reaction', OriginalRepliedMessageSid: sent.external_id ?? '' });
  const reactionsOnce = (expected: string[]) =>
    messageOnce(phone, answer.id, (it) =>
      expect(
        (it as unknown as { reactions: { emoji: string }[] }).reactions.map(({ emoji }) => emoji),
      ).toEqual(expected),
    );
  await react('👍');
  await reactionsOnce(['👍']);
  await react('');
  await reactionsOnce([]);
});

it('shows the customer that an agent types', async () => {
  const THEM = '+15550500007';
  const { message } = await says(THEM, 'Anybody there?');
  const { id } = await conversationWith(phone, THEM);
  await gateway.call('POST', `/api/v1/conversations/${id}/typing`, { is_typing: true });
  await eventually(() => expect(twilio.typing).toContain(message.sid));
});

it('says why WhatsApp did not deliver, as its own word for a closed window', async () => {
  const THEM = '+15550500008';
  await says(THEM, 'Hello');
  const { id } = await conversationWith(phone, THEM);
  const answer = await reply(phone, id, { content: 'Hello you' });
  const sent = await messageOnce(phone, answer.id, (it) => expect(it.status).toBe('sent'));
  await twilio.tell(sent.external_id ?? '', 'undelivered', { ErrorCode: '63016', ErrorMessage: '' });
  const failed = await messageOnce(phone, answer.id, (it) => expect(it.status).toBe('failed'));
  expect(failed.error).toMatchObject({ code: 'window_closed', provider_code: '63016' });
});

it('says how to connect the sandbox, which no program may', async () => {
  const sandbox = { provider: 'twilio', ...twilio.config('whatsapp:+14155238886') };
  const { body } = await gateway.call<{ webhook_url: string; setup: { todo: string[] } }>(
    'POST',
    '/api/v1/channels',
    { type: 'whatsapp', config: sandbox },
  );
  expect(body.setup.todo[0]).toContain('Sandbox settings');
  expect(body.setup.todo[0]).toContain(body.webhook_url);
});

it('receives from the list what no callback has told', async () => {
  const THEM = '+15550500009';
  const at = new Date(Date.now() - 120_000);
  await twilio.receive({ from: `whatsapp:${THEM}`, to: OURS, body: 'Lost', at }, {}, { called: false });
  await gateway.pool`update channels set catch_up_at = now(), caught_up_at = null where id = ${phone.channelId}`;
  const { messages } = await conversationWith(phone, THEM);
  expect(messages).toMatchObject([{ content: 'Lost' }]);
});
