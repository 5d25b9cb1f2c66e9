import { readdirSync, readFileSync } from 'node:fs';
import { cloudSettings } from '../../../../src/channels/whatsapp/cloud/settings.ts';
import { adapterContract } from '../../../contracts/adapter.ts';
import { type MetaFailure, signatureOf } from '../../../support/meta.ts';
import { CUSTOMER, startNumber } from './number.ts';

const FIXTURES = new URL('../../../fixtures/whatsapp/', import.meta.url);

const FAILURES: Record<string, MetaFailure> = {
  'rate limit': {
    status: 400,
    code: 131056,
    details: '(Business Account, Consumer Account) pair rate limit hit',
  },
  'bad request': { status: 400, code: 131026, details: 'Message undeliverable' },
  'bad account': { status: 401, code: 190, details: 'Access token has expired' },
  'server error': { status: 500, code: 131000, details: 'Something went wrong' },
  'lost answer': 'drop',
};

adapterContract('whatsapp, Cloud API', async () => {
  // Fixtures name a number, and whoever reads them must be that one.
  const number = await startNumber({ phone_number_id: '106540352242922' });
  const { meta, channel } = number;
  meta.addNumber('106540352242922');
  const request = (body: Uint8Array, secret: string) => ({
    method: 'POST',
    url: 'https://chat.example/webhooks/whatsapp/channel',
    headers: { 'content-type': 'application/json', 'x-hub-signature-256': signatureOf(body, secret) },
    body,
  });
  return {
    adapter: number.adapter,
    channel,
    secrets: [meta.token, meta.appSecret, channel.settings.verify_token],
    door: {
      signed: (body) => request(body, meta.appSecret),
      forged: (body) => request(body, 'guessed'),
      fixtures: readFixtures(),
      unknown: Buffer.from(
        JSON.stringify({
          object: 'whatsapp_business_account',
          entry: [{ id: '1', changes: [{ field: 'time_travel', value: { year: 2099 } }] }],
        }),
      ),
    },
    provider: {
      threadKey: CUSTOMER,
      taken: () => meta.taken.map(({ text }) => text),
      refuseNext: (kind) => meta.fail(/messages$/, FAILURES[kind] as MetaFailure),
      unreachable: {
        ...channel,
        settings: cloudSettings.parse({ ...channel.settings, api_root: 'http://127.0.0.1:2' }),
      },
    },
    close: number.close,
  };
});

function readFixtures() {
  const names = readdirSync(FIXTURES).filter((name) => name.endsWith('.json'));
  return Object.fromEntries(
    names.map((name) => {
      const { webhook, expected } = JSON.parse(readFileSync(new URL(name, FIXTURES), 'utf8'));
      return [name, { body: Buffer.from(JSON.stringify(webhook)), expected }];
    }),
  );
}
