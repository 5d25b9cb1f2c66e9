import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  comparisonIsFar,
  conversationWith,
  messageOnce,
  OURS,
  type Phone,
  reply,
  startPhone,
} from './phone.ts';

let phone: Phone;
beforeAll(async () => {
  phone = await startPhone();
});
afterAll(() => phone.stop());

const aWhileAgo = () => new Date(Date.now() - 120_000);

/** Lets a comparison come now instead of in five minutes; resolves once it has been made. */
async function compare(caughtUpAt: Date | null = null): Promise<void> {
  const { pool } = phone.gateway;
  // One that is under way, like that of a new channel, would end as if it had been this one.
  await comparisonIsFar(phone);
  await pool`update channels set catch_up_at = now(), caught_up_at = ${caughtUpAt} where id = ${phone.channelId}`;
  await comparisonIsFar(phone);
}

it('receives what no callback has told, once, with its files and its STOP', async () => {
  const { twilio } = phone;
  const THEM = '+15550200001';
  const media = [{ contentType: 'image/png', bytes: Buffer.from('a picture') }];
  await twilio.receive(
    { from: THEM, to: OURS, body: 'Did you get this?', media, at: aWhileAgo() },
    {},
    { called: false },
  );
  await twilio.receive({ from: THEM, to: OURS, body: 'STOP', at: aWhileAgo() }, {}, { called: false });
  await compare();
  const { id, messages } = await conversationWith(phone, THEM);
  expect(messages.map(({ content, type }) => [content, type])).toEqual([
    ['Did you get this?', 'attachment'],
    ['STOP', 'text'],
  ]);
  await conversationWith(phone, THEM, (it) =>
    expect(it.messages[0]?.attachments).toMatchObject([{ state: 'ready' }]),
  );
  const refused = await phone.gateway.call<{ error: { code: string } }>(
    'POST',
    `/api/v1/conversations/${id}/messages`,
    {
      content: 'Sorry',
    },
  );
  expect(refused.body.error.code).toBe('opted_out');
  await compare();
  expect((await conversationWith(phone, THEM)).messages).toHaveLength(2);
  expect(twilio.violations).toEqual([]);
});

it('reads what a long outage missed hour by hour, in its order', async () => {
  const { twilio } = phone;
  const THEM = '+15550200009';
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000);
  for (const hours of [5.5, 3.5, 1.5])
    await twilio.receive(
      { from: THEM, to: OURS, body: `${hours}`, at: hoursAgo(hours) },
      {},
      { called: false },
    );
  const before = twilio.calls.length;
  await compare(hoursAgo(6));
  const { messages } = await conversationWith(phone, THEM);
  expect(messages.map(({ content }) => content)).toEqual(['5.5', '3.5', '1.5']);
  const windows = twilio.calls.slice(before).map(({ query }) => query.get('DateSent<'));
  expect(new Set(windows.filter((it) => it !== null)).size).toBeGreaterThanOrEqual(4);
  expect(twilio.violations).toEqual([]);
});

it('stores nothing twice when the callback comes after all', async () => {
  const { twilio, gateway } = phone;
  const THEM = '+15550200002';
  const { message } = await twilio.receive(
    { from: THEM, to: OURS, body: 'Once', at: aWhileAgo() },
    {},
    { called: false },
  );
  await compare();
  await conversationWith(phone, THEM);
  expect(await twilio.again(message)).toBe(200);
  expect((await conversationWith(phone, THEM)).messages).toHaveLength(1);
  const { body } = await gateway.call<{ data: { status: string }[] }>(
    'GET',
    '/api/v1/inbound-events?status=ignored',
  );
  expect(body.data.length).toBeGreaterThan(0);
});

it('leaves to the callback what is only seconds old', async () => {
  const THEM = '+15550200003';
  await phone.twilio.receive({ from: THEM, to: OURS, body: 'Just now' }, {}, { called: false });
  await compare();
  const { body } = await phone.gateway.call<{ data: unknown[] }>(
    'GET',
    `/api/v1/customers?phone=${encodeURIComponent(THEM)}`,
  );
  expect(body.data).toEqual([]);
});

it('learns the statuses that no callback has told, of our messages only', async () => {
  const { twilio, gateway } = phone;
  const THEM = '+15550200004';
  await twilio.receive({ from: THEM, to: OURS, body: 'Hello' });
  const { id } = await conversationWith(phone, THEM);
  const answer = await reply(phone, id, { content: 'Hello you' });
  const sent = await messageOnce(phone, answer.id, (it) => expect(it.status).toBe('sent'));
  const atTwilio = twilio.messages.find(({ sid }) => sid === sent.external_id);
  if (atTwilio === undefined) throw new Error('it was not sent');
  Object.assign(atTwilio, { status: 'undelivered', errorCode: 30005, sentAt: aWhileAgo() });
  // Another program sends from the same number.
  twilio.messages.push({ ...atTwilio, sid: `SM${'f'.repeat(32)}`, status: 'delivered', errorCode: null });
  await compare();
  const failed = await messageOnce(phone, answer.id, (it) => expect(it.status).toBe('failed'));
  expect(failed.error).toMatchObject({
    provider_code: '30005',
    message: 'The number does not exist or is not in use any more.',
  });
  const [row] = await gateway.pool<[{ foreign: number }]>`
    select count(*)::int as foreign from provider_ids where external_id = ${`SM${'f'.repeat(32)}`}`;
  expect(row.foreign).toBe(0);
});

it('reads a list of many pages to its end', async () => {
  const { twilio } = phone;
  const THEM = '+15550200005';
  for (let n = 0; n < 530; n++)
    await twilio.receive(
      { from: THEM, to: OURS, body: `Message ${n}`, at: aWhileAgo() },
      {},
      { called: false },
    );
  await compare();
  const { id } = await conversationWith(phone, THEM);
  const [row] = await phone.gateway.pool<[{ count: number; first: string }]>`
    select count(*)::int, min(content) filter (where seq = 1) as first from messages where conversation_id = ${id}`;
  expect(row).toEqual({ count: 530, first: 'Message 0' });
});
