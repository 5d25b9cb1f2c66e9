import { readdirSync, readFileSync } from 'node:fs';
import { telegramAdapter } from '../../../src/channels/telegram/adapter.ts';
import { telegramSettings } from '../../../src/channels/telegram/settings.ts';
import { createEgress } from '../../../src/core/egress.ts';
import { adapterContract } from '../../contracts/adapter.ts';
import { type Failure, startTelegram } from '../../support/telegram.ts';

const FIXTURES = new URL('../../fixtures/telegram/', import.meta.url);

const FAILURES: Record<string, Failure> = {
  'rate limit': {
    code: 429,
    description: 'Too Many Requests: retry after 7',
    parameters: { retry_after: 7 },
  },
  'bad request': { code: 400, description: 'Bad Request: message thread not found' },
  'bad account': { code: 401, description: 'Unauthorized' },
  'server error': { code: 500, description: 'Internal Server Error: restart' },
  'lost answer': 'drop',
};

adapterContract('telegram', async () => {
  const telegram = await startTelegram();
  telegram.know(5001);
  const egress = createEgress({ allow: ['127.0.0.0/8'] });
  const settings = telegramSettings.parse(telegram.config);
  const channel = { id: 'channel', businessId: 'business', settings };
  const request = (body: Uint8Array, secret: string) => ({
    method: 'POST',
    url: 'https://chat.example/webhooks/telegram/channel',
    headers: { 'x-telegram-bot-api-secret-token': secret },
    body,
  });
  return {
    adapter: telegramAdapter({ egress }),
    channel,
    secrets: [telegram.token, telegram.token.split(':')[1] ?? '', settings.secret_token],
    door: {
      signed: (body) => request(body, settings.secret_token),
      forged: (body) => request(body, 'guessed'),
      fixtures: readFixtures(),
      unknown: Buffer.from(JSON.stringify({ update_id: 1, time_travel: { year: 2099 } })),
    },
    provider: {
      threadKey: '5001',
      taken: () => telegram.accepted.map(({ text }) => text),
      refuseNext: (kind) => telegram.fail('sendMessage', FAILURES[kind] as Failure),
      unreachable: { ...channel, settings: { ...settings, api_root: 'http://127.0.0.1:2' } },
    },
    async close() {
      await egress.close();
      await telegram.close();
    },
  };
});

function readFixtures() {
  const names = readdirSync(FIXTURES).filter((name) => name.endsWith('.json'));
  return Object.fromEntries(
    names.map((name) => {
      const { update, expected } = JSON.parse(readFileSync(new URL(name, FIXTURES), 'utf8'));
      return [name, { body: Buffer.from(JSON.stringify(update)), expected }];
    }),
  );
}
