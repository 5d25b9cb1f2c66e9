import { readdirSync, readFileSync } from 'node:fs';
import type { Channel, ChannelAdapter } from '../../../src/core/adapter.ts';
import { createEgress } from '../../../src/core/egress.ts';
import type { ProviderHarness } from '../../contracts/adapter.ts';
import { freePort } from '../redis.ts';
import { type FakeTwilio, startTwilio, type TwilioFailure } from '../twilio.ts';
import { signForm } from './sign.ts';

const FAILURES: Record<string, TwilioFailure> = {
  'rate limit': { status: 429, code: 20429, message: 'Too Many Requests', headers: { 'retry-after': '7' } },
  'bad request': { status: 400, code: 21614, message: "'To' number is not a valid mobile number" },
  'bad account': { status: 401, code: 20003, message: 'Authenticate' },
  'server error': { status: 500, code: 20500, message: 'Internal Server Error' },
  'lost answer': 'drop',
};

const DOOR_URL = 'https://chat.example/webhooks/twilio/channel';
export const FORM = 'application/x-www-form-urlencoded';

interface Options<Settings> {
  create(context: { egress: ReturnType<typeof createEgress> }): ChannelAdapter<Settings>;
  /** Settings for the stand-in, as a business would give them. */
  settings(twilio: FakeTwilio): unknown;
  threadKey: string;
  fixtures: URL;
}

/** What the contract suite needs of an adapter that goes through Twilio. */
export async function twilioHarness<Settings extends { auth_token: string; api_root: string }>(
  options: Options<Settings>,
): Promise<ProviderHarness<Settings>> {
  const twilio = await startTwilio();
  const closedPort = await freePort();
  const egress = createEgress({ allow: ['127.0.0.0/8'] });
  const adapter = options.create({ egress });
  const settings = adapter.settings.parse(options.settings(twilio));
  const channel: Channel<Settings> = { id: 'channel', businessId: 'business', settings, doorUrl: DOOR_URL };
  return {
    adapter,
    channel,
    secrets: [settings.auth_token, Buffer.from(settings.auth_token).toString('base64')],
    door: {
      signed: (body) => signedRequest(body, settings.auth_token),
      forged: (body) => signedRequest(body, 'somebody elses token'),
      fixtures: readFixtures(options.fixtures),
      unknown: Buffer.from('CallSid=CA1234567890ABCDE&CallStatus=ringing&Brand+new=thing'),
    },
    provider: {
      threadKey: options.threadKey,
      taken: () => twilio.sent().map(({ body }) => body),
      refuseNext: (kind) => twilio.fail(/^POST .*Messages\.json$/, FAILURES[kind] as TwilioFailure),
      unreachable: { ...channel, settings: { ...settings, api_root: `http://127.0.0.1:${closedPort}` } },
    },
    async close() {
      await egress.close();
      await twilio.close();
    },
  };
}

/** A form as Twilio posts it to the door. */
export function signedRequest(body: Uint8Array, token: string, url = DOOR_URL) {
  const form = new URLSearchParams(Buffer.from(body).toString());
  const headers = { 'content-type': FORM, 'x-twilio-signature': signForm(token, url, form) };
  return { method: 'POST', url, headers, body };
}

/** Recorded forms, and beside each what it means. */
function readFixtures(folder: URL): Record<string, { body: Uint8Array; expected: unknown[] }> {
  const names = readdirSync(folder).filter((name) => name.endsWith('.form'));
  return Object.fromEntries(
    names.map((name) => {
      const body = Buffer.from(readFileSync(new URL(name, folder), 'utf8').trim());
      const expected = JSON.parse(readFileSync(new URL(name.replace('.form', '.json'), folder), 'utf8'));
      return [name, { body, expected }];
    }),
  );
}
