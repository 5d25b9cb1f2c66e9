import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Card, Part } from '../../../src/core/envelope.ts';
import { outbound, outboundFile } from '../../support/outbound.ts';
import { type Line, startLine, THEIRS } from './line.ts';

let line: Line;
beforeEach(async () => {
  line = await startLine();
});
afterEach(async () => {
  expect(line.twilio.violations).toEqual([]);
  await line.close();
});

it('writes to a number and to a person who hides theirs', async () => {
  await line.sendWhatsApp({ content: 'Hi' });
  await line.sendWhatsApp({ content: 'Hi', threadKey: 'US.13491208655302741918' });
  expect(line.twilio.sent()).toMatchObject([
    { to: `whatsapp:${THEIRS}`, from: 'whatsapp:+15550001111', body: 'Hi' },
    { to: 'whatsapp:US.13491208655302741918', from: 'whatsapp:+15550001111' },
  ]);
});

it('sends each file by itself, the words with the first that takes some', async () => {
  const photo = outboundFile('image/jpeg');
  const sheet = outboundFile('application/pdf');
  await line.sendWhatsApp({ type: 'attachment', content: 'Here', attachments: [photo, sheet] });
  const voice = outboundFile('audio/ogg');
  await line.sendWhatsApp({ type: 'attachment', content: 'Listen', attachments: [voice] });
  expect(line.twilio.sent().map(({ body, mediaUrls }) => [body, mediaUrls])).toEqual([
    ['Here', [photo.url]],
    ['', [sheet.url]],
    ['', [voice.url]],
    ['Listen', []],
  ]);
});

const COLOURS: Card = {
  title: 'Which colour?',
  description: 'For the bike',
  actions: [{ label: 'Red' }, { label: 'Blue' }],
};
const ID = '01900000-0000-7000-8000-000000000001';

it('shows up to three choices as buttons, and makes their content once', async () => {
  await line.sendWhatsApp({ id: ID, type: 'card', card: COLOURS });
  await line.sendWhatsApp({ type: 'card', card: COLOURS });
  expect(line.twilio.account.contents).toMatchObject([
    {
      types: {
        'twilio/quick-reply': {
          body: '*Which colour?*\n\nFor the bike',
          actions: [
            { title: 'Red', id: '{{1}}' },
            { title: 'Blue', id: '{{2}}' },
          ],
        },
      },
    },
  ]);
  const [first, second] = line.twilio.sent();
  expect(first?.contentSid).toBe(line.twilio.account.contents[0]?.sid);
  expect(second?.contentSid).toBe(first?.contentSid);
  expect(JSON.parse(first?.contentVariables ?? '')).toEqual({ 1: `choice:${ID}:1`, 2: `choice:${ID}:2` });
});

it('finds the content that another process made', async () => {
  await line.sendWhatsApp({ type: 'card', card: COLOURS });
  const other = await startLine();
  other.twilio.account.contents.push(...line.twilio.account.contents);
  await other.sendWhatsApp({ type: 'card', card: COLOURS });
  expect(other.twilio.account.contents).toHaveLength(1);
  expect(other.twilio.sent()[0]?.contentSid).toBe(line.twilio.account.contents[0]?.sid);
  await other.close();
});

it('shows more choices as a list, links as buttons, and what fits in neither as numbered text', async () => {
  const many = { title: 'Where?', actions: Array.from({ length: 5 }, (_, n) => ({ label: `Place ${n}` })) };
  await line.sendWhatsApp({ type: 'card', card: many });
  await line.sendWhatsApp({
    type: 'card',
    card: { title: 'Shop', actions: [{ label: 'Open', url: 'https://shop.example/a' }] },
  });
  await line.sendWhatsApp({ type: 'card', card: { ...COLOURS, title: 'Dear {{1}}' } });
  const kinds = line.twilio.account.contents.map(({ types }) => Object.keys(types)[0]);
  expect(kinds).toEqual(['twilio/list-picker', 'twilio/call-to-action']);
  expect(line.twilio.sent().at(-1)).toMatchObject({
    contentSid: null,
    body: expect.stringContaining('1. Red\n2. Blue'),
  });
});

it('does not call a message unknown whose content only could not be made', async () => {
  line.twilio.fail(/^POST \/v1\/Content/, 'drop');
  await expect(line.sendWhatsApp({ type: 'card', card: COLOURS })).rejects.toMatchObject({
    name: 'SendDeferred',
  });
  await line.sendWhatsApp({ type: 'card', card: COLOURS });
  expect(line.twilio.account.contents).toHaveLength(1);
  expect(line.twilio.sent()).toHaveLength(1);
});

it('goes on making a content when one of the sends that wait for it ends', async () => {
  const { whatsapp } = line.channels;
  const [part] = line.whatsapp.split(outbound({ threadKey: THEIRS, type: 'card', card: COLOURS }), whatsapp);
  const ended = new AbortController();
  const first = line.whatsapp.send?.(part as Part, whatsapp, ended.signal);
  const second = line.sendWhatsApp({ type: 'card', card: COLOURS });
  ended.abort();
  await expect(first).rejects.toMatchObject({ name: 'SendDeferred' });
  await second;
  expect(line.twilio.sent()).toHaveLength(1);
});

const TEMPLATE = {
  sid: `HX${'1'.repeat(32)}`,
  friendly_name: 'order_update',
  language: 'en',
  variables: { 1: 'Ada', 2: '42' },
  types: {
    'twilio/quick-reply': {
      body: 'Hi {{1}}, order {{2}} is on its way.',
      actions: [{ title: 'Track', id: 'track' }],
    },
  },
  approval: 'approved',
};

it('lists the templates of the account with what they need', async () => {
  const pending = { ...TEMPLATE, sid: `HX${'2'.repeat(32)}`, friendly_name: 'later', approval: 'pending' };
  line.twilio.account.contents.push(TEMPLATE, pending);
  await line.sendWhatsApp({ type: 'card', card: COLOURS });
  expect(await line.whatsapp.templates?.(line.channels.whatsapp)).toMatchObject([
    {
      id: TEMPLATE.sid,
      name: 'order_update',
      language: 'en',
      status: 'approved',
      category: 'utility',
      named: false,
      body: { text: 'Hi {{1}}, order {{2}} is on its way.', parameters: ['1', '2'] },
      buttons: [{ type: 'quick_reply', label: 'Track', parameters: [] }],
    },
    { name: 'later', status: 'pending' },
  ]);
});

it('sends a template by its ContentSid, filled by ContentVariables', async () => {
  line.twilio.account.contents.push(TEMPLATE);
  const filled = {
    id: TEMPLATE.sid,
    name: 'order_update',
    language: 'en',
    named: false,
    body: [
      { name: '1', text: "People's" },
      { name: '2', text: '4711' },
    ],
    buttons: [],
  };
  await line.sendWhatsApp({ type: 'template', content: 'Hi', template: filled });
  await line.sendSms({ type: 'template', content: 'Hi', template: filled });
  const variables = JSON.stringify({ 1: "People's", 2: '4711' });
  expect(line.twilio.sent()).toMatchObject([
    { contentSid: TEMPLATE.sid, contentVariables: variables, body: '', to: `whatsapp:${THEIRS}` },
    { contentSid: TEMPLATE.sid, contentVariables: variables, body: '', to: THEIRS },
  ]);
});

it('shows that somebody types as the answer to the newest message', async () => {
  const { message } = await line.twilio.receive({
    from: `whatsapp:${THEIRS}`,
    to: 'whatsapp:+15550001111',
    body: 'Hi',
  });
  await line.whatsapp.typing?.(THEIRS, line.channels.whatsapp, { lastInboundId: message.sid });
  await line.whatsapp.typing?.(THEIRS, line.channels.whatsapp, { lastInboundId: undefined });
  expect(line.twilio.typing).toEqual([message.sid]);
});
