import { afterAll, beforeAll, expect, it } from 'vitest';
import { conversationWith, messageOnce, OURS, type Phone, reply, startPhone, THEIRS } from './phone.ts';

let phone: Phone;
beforeAll(async () => {
  phone = await startPhone();
});
afterAll(() => phone.stop());

it('tells Twilio its door when it is connected', async () => {
  const { gateway, twilio, channelId, doorUrl } = phone;
  expect(twilio.account.senders[0]?.url).toBe(`${doorUrl}#rc=5&rp=5xx,ct,rt`);
  const { body } = await gateway.call<{ setup: { done: string[]; todo: string[] } }>(
    'GET',
    `/api/v1/channels/${channelId}`,
  );
  expect(body.setup).toEqual({
    done: [
      'The Twilio account is "Test account".',
      `Twilio sends what customers write to ${OURS} to this channel.`,
    ],
    todo: [],
  });
  expect(twilio.violations).toEqual([]);
});

it('makes a conversation of a text, and sends the answer back', async () => {
  const { twilio } = phone;
  const { status } = await twilio.receive(
    { from: THEIRS, to: OURS, body: 'Hello  there ' },
    { FromCity: 'DENVER' },
  );
  expect(status).toBe(200);
  const conversation = await conversationWith(phone, THEIRS);
  expect(conversation.messages).toMatchObject([
    { type: 'text', content: 'Hello  there ', direction: 'inbound' },
  ]);
  const answer = await reply(phone, conversation.id, { content: 'How can we help?' });
  const sent = await messageOnce(phone, answer.id, (it) => expect(it.status).toBe('sent'));
  expect(twilio.sent()).toMatchObject([
    { sid: sent.external_id, to: THEIRS, from: OURS, body: 'How can we help?' },
  ]);
  expect(twilio.violations).toEqual([]);
});

it('follows the statuses, out of order and repeated', async () => {
  const { twilio } = phone;
  const { id } = await conversationWith(phone, THEIRS);
  const { id: messageId } = await reply(phone, id, { content: 'Did it arrive?' });
  const sent = await messageOnce(phone, messageId, (it) => expect(it.status).toBe('sent'));
  const sid = sent.external_id ?? '';
  expect(await twilio.tell(sid, 'delivered', { RawDlrDoneDate: '2611210700' })).toBe(200);
  expect(await twilio.tell(sid, 'sent')).toBe(200);
  expect(await twilio.tell(sid, 'delivered')).toBe(200);
  const delivered = await messageOnce(phone, messageId, (it) => expect(it.status).toBe('delivered'));
  expect(delivered.error).toBeNull();
});
