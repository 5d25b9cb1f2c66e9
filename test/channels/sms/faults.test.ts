import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/gateway.ts';
import { startTwilio } from '../../support/twilio.ts';
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

const MESSAGES = /^POST .*\/Messages\.json$/;

async function conversationOf(from: string): Promise<string> {
  await phone.twilio.receive({ from, to: OURS, body: 'Hello' });
  return (await conversationWith(phone, from)).id;
}

describe('a status', () => {
  it('that comes before the answer to the send is not lost', async () => {
    const id = await conversationOf('+15550400001');
    phone.twilio.fail(MESSAGES, 'status first');
    const { id: messageId } = await reply(phone, id, { content: 'Fast' });
    await messageOnce(phone, messageId, (it) => expect(it.status).toBe('delivered'));
  });

  it('tells what became of a message whose answer was lost', async () => {
    const id = await conversationOf('+15550400002');
    phone.twilio.fail(MESSAGES, 'drop');
    const { id: messageId } = await reply(phone, id, { content: 'Lost' });
    const lost = await messageOnce(phone, messageId, (it) => expect(it.status).toBe('failed'));
    expect(lost.error?.code).toBe('outcome_unknown');
    const atTwilio = phone.twilio.sent().find(({ body }) => body === 'Lost');
    expect(await phone.twilio.tell(atTwilio?.sid ?? '', 'delivered')).toBe(200);
    const found = await messageOnce(phone, messageId, (it) => expect(it.status).toBe('delivered'));
    expect([found.external_id, found.error]).toEqual([atTwilio?.sid, null]);
    expect(phone.twilio.sent().filter(({ body }) => body === 'Lost')).toHaveLength(1);
  });

  it('that is late takes nothing back, and a failure says why in words', async () => {
    const id = await conversationOf('+15550400003');
    const { id: messageId } = await reply(phone, id, { content: 'Twice' });
    const sent = await messageOnce(phone, messageId, (it) => expect(it.status).toBe('sent'));
    const sid = sent.external_id ?? '';
    await phone.twilio.tell(sid, 'undelivered', { ErrorCode: '30006' });
    await phone.twilio.tell(sid, 'sent');
    await phone.twilio.tell(sid, 'undelivered', { ErrorCode: '30006' });
    const failed = await messageOnce(phone, messageId, (it) => expect(it.status).toBe('failed'));
    expect(failed.error).toMatchObject({
      provider_code: '30006',
      message: 'The number is a landline or its network takes no messages.',
    });
  });

  it('of a customer’s own message marks nothing as failed', async () => {
    const FROM = '+15550400004';
    const { message } = await phone.twilio.receive({ from: FROM, to: OURS, body: 'Mine' });
    await phone.twilio.post(phone.doorUrl, {
      MessageSid: message.sid,
      MessageStatus: 'failed',
      ErrorCode: '30008',
      From: FROM,
      To: OURS,
    });
    const { messages } = await conversationWith(phone, FROM);
    expect(messages.map(({ status, error }) => [status, error])).toEqual([[null, null]]);
  });
});

it('tries again after Twilio’s own failure, and keeps the order', async () => {
  const id = await conversationOf('+15550400005');
  phone.twilio.fail(MESSAGES, { status: 503, code: 20503 });
  const first = await reply(phone, id, { content: 'first' });
  const second = await reply(phone, id, { content: 'second' });
  await messageOnce(phone, second.id, (it) => expect(it.status).toBe('sent'));
  const tried = await messageOnce(phone, first.id, (it) => expect(it.status).toBe('sent'));
  expect(tried.attempts).toMatchObject([
    { outcome: 'deferred', provider_code: '20503' },
    { outcome: 'sent' },
  ]);
  const bodies = phone.twilio
    .sent()
    .map(({ body }) => body)
    .filter((body) => body === 'first' || body === 'second');
  expect(bodies).toEqual(['first', 'second']);
});

it('brings a photo home from Twilio, late though it shows up there', async () => {
  const FROM = '+15550400006';
  const bytes = Buffer.from('\x89PNG\r\n\x1a\n and what else a picture has');
  await phone.twilio.receive({
    from: FROM,
    to: OURS,
    body: 'Look',
    media: [{ contentType: 'image/png', bytes, missing: 1 }],
  });
  const { messages } = await conversationWith(phone, FROM, (it) =>
    expect(it.messages[0]?.attachments).toMatchObject([{ state: 'ready' }]),
  );
  expect(messages[0]).toMatchObject({ type: 'attachment', content: 'Look' });
  const file = await fetch(
    (messages[0]?.attachments[0]?.url ?? '').replace('https://chat.example', phone.gateway.url),
  );
  expect(Buffer.from(await file.arrayBuffer())).toEqual(bytes);
});

it('sends a file as an address that Twilio can fetch', async () => {
  const id = await conversationOf('+15550400007');
  const form = new FormData();
  form.set('file', new Blob(['%PDF-1.7 a price list'], { type: 'application/pdf' }), 'prices.pdf');
  const uploaded = await phone.gateway.call<{ url: string }>(
    'POST',
    `/api/v1/conversations/${id}/upload`,
    form,
  );
  await reply(phone, id, { content: 'Our prices', attachments: [{ url: uploaded.body.url }] });
  const sent = await eventually(() => {
    const found = phone.twilio.sent().find(({ body }) => body === 'Our prices');
    if (found === undefined) throw new Error('it was not sent yet');
    return found;
  });
  const file = await fetch((sent.mediaUrls[0] ?? '').replace('https://chat.example', phone.gateway.url));
  expect([file.status, await file.text()]).toEqual([200, '%PDF-1.7 a price list']);
});

describe('credentials that Twilio refuses', () => {
  it('are no channel to begin with', async () => {
    const config = { ...phone.twilio.config('+15550009999'), auth_token: 'somebody elses token' };
    const refused = await phone.gateway.call<{ error: { details: { field: string }[] } }>(
      'POST',
      '/api/v1/channels',
      { type: 'sms', config },
    );
    expect([refused.status, refused.body.error.details[0]?.field]).toEqual([422, 'config.auth_token']);
    expect(JSON.stringify(refused.body)).not.toContain('somebody elses');
  });

  it('mark the channel, are told once, and burn no more attempts', async () => {
    const broken = await startPhone();
    try {
      await broken.twilio.receive({ from: '+15550400008', to: OURS, body: 'Hello' });
      // It would be refused as well.
      await comparisonIsFar(broken);
      const { id } = await conversationWith(broken, '+15550400008');
      const tokens = broken.twilio.account.tokens;
      broken.twilio.account.tokens = ['another one'];
      const first = await reply(broken, id, { content: 'one' });
      const second = await reply(broken, id, { content: 'two' });
      const refused = await messageOnce(broken, first.id, (it) => expect(it.status).toBe('failed'));
      expect(refused.error).toMatchObject({
        provider_code: '20003',
        message: 'Twilio does not accept the account SID or the token.',
      });
      const stopped = await messageOnce(broken, second.id, (it) => expect(it.status).toBe('failed'));
      expect([stopped.error?.code, stopped.attempts]).toEqual(['channel_error', []]);
      const events = await broken.gateway.call<{ data: unknown[] }>(
        'GET',
        '/api/v1/events?types=channel.error',
      );
      expect(events.body.data).toHaveLength(1);
      const health = () =>
        broken.gateway.call<{ ok: boolean; detail: string }>(
          'GET',
          `/api/v1/channels/${broken.channelId}/health`,
        );
      expect((await health()).body).toMatchObject({
        ok: false,
        detail: 'Twilio does not accept the account SID or the token.',
      });
      broken.twilio.account.tokens = tokens;
      expect((await health()).body).toMatchObject({ ok: true, detail: expect.stringContaining(OURS) });
      await broken.gateway.call('POST', `/api/v1/messages/${second.id}/retry`);
      await messageOnce(broken, second.id, (it) => expect(it.status).toBe('sent'));
      broken.twilio.account.suspended = true;
      expect((await health()).body).toMatchObject({ ok: false, detail: 'The Twilio account is suspended.' });
    } finally {
      await broken.stop();
    }
  });
});

describe('a sender', () => {
  const connect = (config: object) =>
    phone.gateway.call<{ id: string; setup: { done: string[]; todo: string[] }; webhook_url: string }>(
      'POST',
      '/api/v1/channels',
      { type: 'sms', config },
    );

  it('that is a messaging service, a short code or a name is connected as what it is', async () => {
    const { twilio } = phone;
    const sid = `MG${'5'.repeat(32)}`;
    const service = twilio.own('service', sid);
    service.overruled = true;
    const { from: _, ...account } = twilio.config('');
    const byService = await connect({ ...account, messaging_service_sid: sid });
    expect(byService.body.setup).toMatchObject({
      done: [expect.anything(), expect.stringContaining('the messaging service "Support"')],
      todo: [],
    });
    expect([service.url, service.overruled]).toEqual([
      `${byService.body.webhook_url}#rc=5&rp=5xx,ct,rt`,
      false,
    ]);
    const code = twilio.own('short code', '12345');
    const byCode = await connect(twilio.config('12345'));
    expect(code.url).toContain(byCode.body.webhook_url);
    const byName = await connect(twilio.config('Acme'));
    expect(byName.body.setup.todo[0]).toContain('Nobody can answer to the name "Acme"');
    expect(twilio.violations).toEqual([]);
  });

  it('whose messages went elsewhere is taken over, and says where they went', async () => {
    const { twilio, gateway } = phone;
    const number = twilio.own('number', '+15550002222');
    Object.assign(number, { url: 'https://old.example/sms', overruled: true });
    const { body } = await connect(twilio.config('+15550002222'));
    expect(body.setup.done[1]).toContain(
      'Twilio sends what customers write to +15550002222 to this channel.',
    );
    expect([number.overruled, number.url]).toEqual([false, `${body.webhook_url}#rc=5&rp=5xx,ct,rt`]);
    number.url = 'https://new.example/sms';
    const health = await gateway.call<{ ok: boolean; detail: string }>(
      'GET',
      `/api/v1/channels/${body.id}/health`,
    );
    expect(health.body).toMatchObject({
      ok: false,
      detail: expect.stringContaining('elsewhere, to new.example'),
    });
  });

  it('belongs to one channel', async () => {
    expect((await connect(phone.twilio.config(OURS))).status).toBe(409);
    const other = await startTwilio();
    other.own('number', OURS);
    expect((await connect(other.config(OURS))).status).toBe(201);
    await other.close();
  });
});
