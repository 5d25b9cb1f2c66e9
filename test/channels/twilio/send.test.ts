import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { smsAdapter } from '../../../src/channels/sms/adapter.ts';
import { smsSettings } from '../../../src/channels/sms/settings.ts';
import { createEgress } from '../../../src/core/egress.ts';
import { OutcomeUnknown, type RateLimited, SendDeferred, SendRejected } from '../../../src/core/errors.ts';
import { outbound, outboundFile } from '../../support/outbound.ts';
import { type Line, OURS, startLine, THEIRS } from './line.ts';

let line: Line;
beforeEach(async () => {
  line = await startLine();
});
afterEach(async () => {
  // Whatever a test is about, nothing leaves that Twilio's own documents do not allow.
  expect(line.twilio.violations).toEqual([]);
  await line.close();
});

const MESSAGES = /^POST .*\/Messages\.json$/;

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  );
}

describe('a text message', () => {
  it('names its reader, its sender and where its statuses go', async () => {
    const id = '01900000-0000-7000-8000-000000000001';
    const [sent] = await line.sendSms({ id, content: 'Hello 👋' });
    expect(Object.fromEntries(line.created()[0] ?? [])).toEqual({
      To: THEIRS,
      From: '+15550001111',
      Body: 'Hello 👋',
      StatusCallback: `https://chat.example/webhooks/twilio/channel?message=${id}&part=0#rc=5&rp=5xx,ct,rt`,
    });
    expect(sent?.externalId).toBe(line.twilio.sent()[0]?.sid);
  });

  it('is cut where Twilio would refuse its length, and brings its files along', async () => {
    const content = 'word '.repeat(500).trim();
    const files = Array.from({ length: 12 }, () => outboundFile('image/jpeg'));
    await line.sendSms({ content, attachments: files, type: 'attachment' });
    const forms = line.created();
    expect(forms.map((form) => form.getAll('MediaUrl').length)).toEqual([10, 2]);
    expect(forms.flatMap((form) => form.getAll('MediaUrl'))).toEqual(files.map(({ url }) => url));
    expect(forms.map((form) => form.get('Body')?.trim()).join(' ')).toBe(content);
  });

  it('goes by the messaging service, from the one sender that was named', async () => {
    const service = `MG${'0'.repeat(32)}`;
    line.twilio.own('service', service);
    line.channels.sms.settings.messaging_service_sid = service;
    await line.sendSms({});
    expect(line.twilio.sent()).toMatchObject([{ service, from: '+15550001111', status: 'accepted' }]);
  });

  it('answers by the same service who wrote to another kind of sender of it', async () => {
    const service = `MG${'0'.repeat(32)}`;
    line.twilio.own('service', service);
    Object.assign(line.channels.sms.settings, { messaging_service_sid: service, from: undefined });
    await line.sendSms({ threadKey: `whatsapp:${THEIRS}` });
    expect(line.twilio.sent()).toMatchObject([{ service, from: null, to: `whatsapp:${THEIRS}` }]);
    await expect(line.sendSms({ threadKey: 'ACME' })).rejects.toThrow('"ACME" is no number that takes texts');
  });

  it('shows a card as numbered text', async () => {
    const card = { title: 'Which colour?', actions: [{ label: 'Red' }, { label: 'Blue' }] };
    await line.sendSms({ type: 'card', content: 'Which colour?\n\n1. Red\n2. Blue', card });
    expect(line.twilio.sent()[0]?.body).toBe('Which colour?\n\n1. Red\n2. Blue');
  });

  it('refuses files that no network takes, before anything is sent', async () => {
    const attachments = [outboundFile('video/mp4', { sizeBytes: 6_000_000 })];
    await expect(line.sendSms({ attachments, type: 'attachment' })).rejects.toThrow(/"file.mp4".*5 MB/);
    expect(line.created()).toEqual([]);
  });
});

describe('when Twilio says no', () => {
  it('waits as long as it asks, in seconds or until a time', async () => {
    line.twilio.fail(MESSAGES, { status: 429, code: 20429, headers: { 'retry-after': '7' } });
    expect(await failureOf(line.sendSms({}))).toMatchObject({
      name: 'RateLimited',
      retryAfterMs: 7_000,
      providerCode: '20429',
    });
    const inAMinute = new Date(Date.now() + 60_000).toUTCString();
    line.twilio.fail(MESSAGES, { status: 429, code: 20429, headers: { 'retry-after': inAMinute } });
    const { retryAfterMs } = (await failureOf(line.sendSms({}))) as RateLimited;
    expect(retryAfterMs).toBeGreaterThan(50_000);
    expect(retryAfterMs).toBeLessThanOrEqual(60_000);
    line.twilio.fail(MESSAGES, { status: 429, code: 63038 });
    expect(await failureOf(line.sendSms({}))).toMatchObject({ retryAfterMs: 3_600_000 });
  });

  it('tells apart what may pass, what cannot, and who does not want it', async () => {
    const cases: [status: number, code: number, expected: object][] = [
      [
        400,
        21211,
        { name: 'SendRejected', channelBroken: false, message: 'The number is no valid phone number.' },
      ],
      [400, 39999, { name: 'SendRejected', channelBroken: false, message: 'Refused' }],
      [400, 21610, { name: 'SendRejected', optedOut: true }],
      [400, 63007, { name: 'SendRejected', channelBroken: true }],
      [403, 20005, { name: 'SendRejected', channelBroken: true }],
      [401, 20003, { name: 'SendRejected', channelBroken: true }],
      [400, 30001, { name: 'SendDeferred' }],
      [500, 20500, { name: 'SendDeferred' }],
      [503, 20503, { name: 'SendDeferred' }],
    ];
    for (const [status, code, expected] of cases) {
      line.twilio.fail(MESSAGES, { status, code });
      expect(await failureOf(line.sendSms({})), String(code)).toMatchObject({
        providerCode: String(code),
        ...expected,
      });
    }
    expect(line.twilio.sent()).toEqual([]);
  });

  it.each([
    ['RateLimited', false, [20429, 30022, 63018, 63038]],
    ['SendDeferred', false, [20500, 30001, 63010, 63012]],
    // Somebody may try these again by hand.
    ['SendRejected', true, [30003, 30008, 30017, 30036, 63015, 63029, 63032, 63049]],
    ['SendRejected', true, [20003, 21212, 21609, 21701, 30002, 63001, 63007, 63020, 63051]],
    ['SendRejected', false, [12300, 20404, 21211, 21266, 21408, 21606, 21608, 21612, 21614, 21617, 21620]],
    ['SendRejected', false, [21635, 21655, 21656, 30004, 30005, 30006, 30007, 30011, 30018, 30019, 30034]],
    ['SendRejected', false, [63003, 63005, 63013, 63016, 63019, 63021, 63022, 63024, 63025, 63027, 63028]],
    ['SendRejected', false, [21610, 63030, 63031, 63033, 63040, 63041, 63042]],
  ])(
    'makes %s (again by hand: %s) of the codes %o, and says in words what they mean',
    async (name, retryable, codes) => {
      for (const code of codes) {
        line.twilio.fail(MESSAGES, { status: 400, code, message: 'in the words of Twilio' });
        const error = await failureOf(line.sendSms({}));
        expect(error, String(code)).toMatchObject({ name, providerCode: String(code) });
        expect((error as Error).message, String(code)).toMatch(/^(?!in the words)[A-Z].+\.$/);
        if (error instanceof SendRejected) expect(error.retryable, String(code)).toBe(retryable);
      }
    },
  );

  it('refuses to write to its own number', async () => {
    expect(await failureOf(line.sendSms({ threadKey: OURS }))).toMatchObject({
      name: 'SendRejected',
      providerCode: '21266',
    });
  });

  it('knows what a gateway before Twilio does not say', async () => {
    line.twilio.fail(MESSAGES, { html: 502 });
    expect(await failureOf(line.sendSms({}))).toBeInstanceOf(SendDeferred);
    line.twilio.fail(MESSAGES, { html: 504 });
    expect(await failureOf(line.sendSms({}))).toBeInstanceOf(OutcomeUnknown);
  });

  it('cannot know the outcome once it stops waiting for an answer', async () => {
    line.twilio.fail(MESSAGES, 'hang');
    const [part] = line.sms.split(outbound({ threadKey: THEIRS }), line.channels.sms);
    const sending = part && line.sms.send?.(part, line.channels.sms, AbortSignal.timeout(200));
    expect(await failureOf(Promise.resolve(sending))).toBeInstanceOf(OutcomeUnknown);
    expect(line.twilio.sent()).toHaveLength(1);
  });

  it('sends nothing after it was told to stop', async () => {
    const [part] = line.sms.split(outbound({ threadKey: THEIRS }), line.channels.sms);
    const sending = part && line.sms.send?.(part, line.channels.sms, AbortSignal.abort());
    expect(await failureOf(Promise.resolve(sending))).toBeInstanceOf(SendDeferred);
    expect(line.twilio.calls).toEqual([]);
  });

  it('does not leave for a private address that nobody allowed', async () => {
    const egress = createEgress({ allow: [] });
    const guarded = smsAdapter({ egress, signatures: () => [] });
    const [part] = guarded.split(outbound({ threadKey: THEIRS }), line.channels.sms);
    const sending = part && guarded.send?.(part, line.channels.sms, new AbortController().signal);
    expect(await failureOf(Promise.resolve(sending))).toBeInstanceOf(SendRejected);
    expect(line.twilio.calls).toEqual([]);
    await egress.close();
  });
});

describe('credentials', () => {
  it('goes on with the second token once the first is void', async () => {
    line.channels.sms.settings.secondary_auth_token = 'the-new-token';
    line.twilio.account.tokens = ['the-new-token'];
    await line.sendSms({ content: 'still here' });
    expect(line.twilio.sent()).toMatchObject([{ body: 'still here' }]);
  });

  it('sends with an API key where there is one', async () => {
    const key = `SK${'a'.repeat(32)}`;
    line.twilio.account.keys.set(key, 'key-secret');
    line.twilio.account.tokens = ['nobody knows it'];
    Object.assign(line.channels.sms.settings, { api_key_sid: key, api_key_secret: 'key-secret' });
    await line.sendSms({});
    expect(line.twilio.sent()).toHaveLength(1);
  });

  it('wants settings that are whole, and reads numbers as people write them', () => {
    const account_sid = `AC${'a'.repeat(32)}`;
    const auth_token = 'a'.repeat(32);
    const problems = (config: object) =>
      smsSettings.safeParse(config).error?.issues.map(({ path }) => path.join('.'));
    expect(problems({ account_sid, auth_token })).toEqual(['from']);
    expect(problems({ account_sid: 'AC1', auth_token, from: '12345' })).toEqual(['account_sid']);
    expect(problems({ account_sid, auth_token, from: 'no number at all!' })).toEqual(['from']);
    expect(problems({ account_sid, auth_token, from: 'Acme', api_key_sid: `SK${'a'.repeat(32)}` })).toEqual([
      'api_key_secret',
    ]);
    expect(problems({ account_sid, auth_token, from: 'Acme', phone: '1' })).toEqual(['']);
    expect(smsSettings.parse({ account_sid, auth_token, from: '+1 (555) 000-1111' }).from).toBe(
      '+15550001111',
    );
    expect(
      smsSettings.parse({ account_sid, auth_token, from: 'Acme', secondary_auth_token: null }),
    ).toMatchObject({ from: 'Acme' });
  });
});
