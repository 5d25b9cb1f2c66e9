import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/gateway.ts';
import { conversationWith, messageOnce, OURS, type Phone, reply, startPhone } from './phone.ts';

let phone: Phone;
beforeAll(async () => {
  phone = await startPhone();
});
afterAll(() => phone.stop());

const says = (from: string, body: string, extra: Record<string, string> = {}) =>
  phone.twilio.receive({ from, to: OURS, body }, extra);

function write(conversationId: string, content: string) {
  return phone.gateway.call<{ error: { code: string; message: string } }>(
    'POST',
    `/api/v1/conversations/${conversationId}/messages`,
    { content },
  );
}

interface Consent {
  consent: string;
  source: string;
  keyword: string | null;
  agent_id: string | null;
}

async function consentsOf(customerId: string): Promise<Consent[]> {
  const { body } = await phone.gateway.call<{ data: Consent[] }>(
    'GET',
    `/api/v1/customers/${customerId}/consents`,
  );
  return body.data;
}

describe('a customer who writes STOP', () => {
  const THEM = '+15550100001';

  it('is written to no more, until they write START', async () => {
    await says(THEM, 'Hello');
    const { id, customer } = await conversationWith(phone, THEM);
    expect((await write(id, 'Hello you')).status).toBe(202);
    await says(THEM, ' Stop ');
    const refused = await write(id, 'One more thing');
    expect(refused.status).toBe(422);
    expect(refused.body.error).toMatchObject({
      code: 'opted_out',
      message: 'The customer has asked not to be written to on this channel.',
    });
    const note = await phone.gateway.call('POST', `/api/v1/conversations/${id}/reply`, {
      message: 'They want out',
      type: 'note',
    });
    expect(note.status).toBe(202);
    await says(THEM, 'HELP');
    expect((await write(id, 'Still not')).status).toBe(422);
    await says(THEM, 'start');
    expect((await write(id, 'Welcome back')).status).toBe(202);
    expect(
      (await consentsOf(customer.id)).map(({ consent, source, keyword }) => [consent, source, keyword]),
    ).toEqual([
      ['start', 'customer', 'start'],
      ['help', 'customer', 'HELP'],
      ['stop', 'customer', 'Stop'],
    ]);
    const { messages } = await conversationWith(phone, THEM);
    expect(messages.filter(({ direction }) => direction === 'inbound').map(({ content }) => content)).toEqual(
      ['Hello', ' Stop ', 'HELP', 'start'],
    );
  });

  it('is told of by an event each time that it changes something', async () => {
    interface Event {
      type: string;
      data: { changed?: string[]; consent?: { address: string; opted_out: boolean } };
    }
    const { body } = await phone.gateway.call<{ data: Event[] }>(
      'GET',
      '/api/v1/events?types=customer.updated&limit=100',
    );
    const changes = body.data.flatMap(({ data }) =>
      data.consent?.address === THEM ? [data.consent.opted_out] : [],
    );
    expect(changes).toEqual([true, false]);
  });
});

it('lets nothing out that was queued before the STOP', async () => {
  const THEM = '+15550100002';
  await says(THEM, 'Hello');
  const { id } = await conversationWith(phone, THEM);
  phone.twilio.fail(/^POST .*Messages\.json$/, { status: 429, code: 20429, headers: { 'retry-after': '2' } });
  const waiting = await reply(phone, id, { content: 'Waiting' });
  await messageOnce(phone, waiting.id, (it) =>
    expect(it.attempts).toMatchObject([{ outcome: 'rate_limited' }]),
  );
  await says(THEM, 'STOP');
  const failed = await messageOnce(phone, waiting.id, (it) => expect(it.status).toBe('failed'));
  expect(failed.error).toMatchObject({ code: 'opted_out' });
  expect(phone.twilio.sent().filter(({ to }) => to === THEM)).toEqual([]);
});

it('takes "yes" for consent only from somebody who had said stop', async () => {
  const THEM = '+15550100003';
  await says(THEM, 'yes');
  const { id, customer } = await conversationWith(phone, THEM);
  expect(await consentsOf(customer.id)).toEqual([]);
  await says(THEM, 'unsubscribe');
  expect((await write(id, 'No?')).status).toBe(422);
  await says(THEM, 'Yes');
  expect((await write(id, 'Yes!')).status).toBe(202);
});

it('believes a messaging service that minds its own words', async () => {
  const THEM = '+15550100004';
  await says(THEM, 'arrêt', { OptOutType: 'STOP' });
  const { id } = await conversationWith(phone, THEM);
  expect((await write(id, 'Bonjour')).status).toBe(422);
});

it('learns from Twilio’s refusal that somebody said STOP there, and tries once', async () => {
  const THEM = '+15550100005';
  await says(THEM, 'Hello');
  const { id, customer } = await conversationWith(phone, THEM);
  phone.twilio.account.stopped.add(THEM);
  const first = await reply(phone, id, { content: 'Hello you' });
  const failed = await messageOnce(phone, first.id, (it) => expect(it.status).toBe('failed'));
  expect(failed.error).toMatchObject({ provider_code: '21610' });
  await eventually(async () => expect((await write(id, 'And again')).status).toBe(422));
  expect(await consentsOf(customer.id)).toMatchObject([
    { consent: 'stop', source: 'provider', keyword: null },
  ]);
});

it('learns it from a status, too', async () => {
  const THEM = '+15550100006';
  await says(THEM, 'Hello');
  const { id } = await conversationWith(phone, THEM);
  const first = await reply(phone, id, { content: 'Hello you' });
  const sent = await messageOnce(phone, first.id, (it) => expect(it.status).toBe('sent'));
  await phone.twilio.tell(sent.external_id ?? '', 'failed', { ErrorCode: '21610' });
  expect((await write(id, 'And again')).status).toBe(422);
});

it('keeps what the customer told one of the team', async () => {
  const THEM = '+15550100007';
  await says(THEM, 'Hello');
  const { id, customer } = await conversationWith(phone, THEM);
  const tell = (consent: string, channel_id = phone.channelId) =>
    phone.gateway.call<{ data: Consent[] }>('POST', `/api/v1/customers/${customer.id}/consents`, {
      channel_id,
      consent,
    });
  const told = await tell('stop');
  expect(told.status).toBe(201);
  expect(told.body.data).toMatchObject([
    { consent: 'stop', source: 'agent', agent_id: phone.gateway.agentId },
  ]);
  expect((await write(id, 'Oops')).status).toBe(422);
  await tell('start');
  expect((await write(id, 'As you said on the phone')).status).toBe(202);
  expect((await tell('stop', phone.gateway.channelId)).status).toBe(422);
});

it('refuses a message to an address that said STOP, and a first one as well', async () => {
  const THEM = '+15550100008';
  await says(THEM, 'STOP');
  const { customer } = await conversationWith(phone, THEM);
  const direct = await phone.gateway.call<{ error: { code: string } }>('POST', '/api/v1/messages', {
    channel_id: phone.channelId,
    to: THEM,
    content: 'Hello',
  });
  expect([direct.status, direct.body.error.code]).toEqual([422, 'opted_out']);
  expect(customer.phone).toBe(THEM);
});
