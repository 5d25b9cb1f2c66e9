import { readdirSync, readFileSync } from 'node:fs';
import { Webhook } from 'standardwebhooks';
import { apiAdapter } from '../../../src/channels/api/adapter.ts';
import { apiSettings } from '../../../src/channels/api/settings.ts';
import { createEgress } from '../../../src/core/egress.ts';
import { adapterContract } from '../../contracts/adapter.ts';
import { startCallback } from '../../support/callback.ts';

const FIXTURES = new URL('../../fixtures/api/', import.meta.url);

adapterContract('api', async () => {
  const program = await startCallback();
  const egress = createEgress({ allow: ['127.0.0.0/8'] });
  const settings = apiSettings.parse({ callback_url: program.url, secret: program.secret });
  const channel = { id: 'channel', businessId: 'business', settings };
  const request = (body: Uint8Array, secret: string) => {
    const now = new Date();
    return {
      method: 'POST',
      url: 'https://chat.example/webhooks/api/channel',
      headers: {
        'content-type': 'application/json',
        'webhook-id': 'msg_1',
        'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
        'webhook-signature': new Webhook(secret).sign('msg_1', now, Buffer.from(body).toString()),
      },
      body,
    };
  };
  return {
    adapter: apiAdapter({ egress }),
    channel,
    secrets: [program.secret, program.secret.slice(6)],
    door: {
      signed: (body) => request(body, program.secret),
      forged: (body) => request(body, `whsec_${Buffer.alloc(32, 8).toString('base64')}`),
      fixtures: readFixtures(),
      unknown: Buffer.from('{"type":"time_travel","year":2099}'),
    },
    provider: {
      threadKey: 'someone',
      taken: () => program.taken.map(({ data }) => String(data.message.content)),
      refuseNext: (kind) =>
        program.answerNext((response) => {
          if (kind === 'lost answer') {
            program.taken.push({ data: { message: { content: 'lost answer' } } } as never);
            response.destroy();
            return;
          }
          const headers = kind === 'rate limit' ? { 'retry-after': '7' } : {};
          response.writeHead(STATUS[kind], headers).end('no');
        }),
      unreachable: { ...channel, settings: { ...settings, callback_url: 'http://127.0.0.1:2/' } },
    },
    async close() {
      await egress.close();
      await program.close();
    },
  };
});

const STATUS = { 'rate limit': 429, 'bad request': 422, 'bad account': 410, 'server error': 500 };

function readFixtures() {
  const names = readdirSync(FIXTURES).filter((name) => name.endsWith('.json'));
  return Object.fromEntries(
    names.map((name) => {
      const { posted, expected } = JSON.parse(readFileSync(new URL(name, FIXTURES), 'utf8'));
      return [name, { body: Buffer.from(JSON.stringify(posted)), expected }];
    }),
  );
}
