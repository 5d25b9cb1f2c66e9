import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, startTestGateway, type TestGateway } from '../../support/gateway.ts';
import { type FakeTwilio, startTwilio } from '../../support/twilio.ts';
import { conversationWith, OURS, THEIRS } from './phone.ts';

let gateway: TestGateway;
let twilio: FakeTwilio;
beforeAll(async () => {
  gateway = await startTestGateway();
  twilio = await startTwilio();
  twilio.own('number', OURS);
});
afterAll(async () => {
  await gateway.stop();
  await twilio.close();
});

it('reads Twilio’s list where Twilio cannot call us', async () => {
  const created = await gateway.call<{ id: string; setup: { done: string[] } }>('POST', '/api/v1/channels', {
    type: 'sms',
    config: twilio.config(OURS),
  });
  expect(created.status).toBe(201);
  expect(created.body.setup.done[1]).toMatch(/no public https address/);
  expect(twilio.account.senders[0]?.url).toBeNull();
  const { status } = await twilio.receive({ from: THEIRS, to: OURS, body: 'Hello laptop' });
  expect(status).toBe(0);
  // Again and again: a comparison that is under way says at its end when the next one is.
  const compareSoon = async () => {
    await gateway.pool`update channels set catch_up_at = now() where id = ${created.body.id}`;
    await sleep(200);
  };
  await eventually(async () => {
    await compareSoon();
    expect(await gateway.pool`select 1 from messages`).toHaveLength(1);
  });
  const { id, messages } = await conversationWith({ gateway }, THEIRS);
  expect(messages).toMatchObject([{ content: 'Hello laptop' }]);
  const answer = await gateway.call<{ id: string }>('POST', `/api/v1/conversations/${id}/messages`, {
    content: 'Hi',
  });
  const sent = await eventually(() => {
    const [first] = twilio.sent();
    if (first === undefined) throw new Error('nothing was sent yet');
    return first;
  });
  expect(sent.statusCallback).toBeNull();
  sent.status = 'delivered';
  await eventually(async () => {
    await compareSoon();
    const { body } = await gateway.call<{ status: string }>('GET', `/api/v1/messages/${answer.body.id}`);
    expect(body.status).toBe('delivered');
  });
  expect(twilio.violations).toEqual([]);
});
