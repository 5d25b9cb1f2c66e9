import { emailAdapter } from '../../../src/channels/email/adapter.ts';
import { emailSettings } from '../../../src/channels/email/settings.ts';
import { createEgress } from '../../../src/core/egress.ts';
import { createSecrets } from '../../../src/core/secrets.ts';
import { adapterContract } from '../../contracts/adapter.ts';
import { startMailServer } from '../../support/email/mail-server.ts';

const CUSTOMER = 'ada@customer.test';
const PASSWORD = 'the password of the contract';

// A mail is never malformed: what comes in is proven in door.test.ts and parse.test.ts.
adapterContract('email, the way out', async () => {
  const credentials = { user: 'support', pass: PASSWORD };
  const server = await startMailServer({ credentials });
  const egress = createEgress({ allow: ['127.0.0.0/8'] });
  const secrets = createSecrets(['a secret of the tests, long enough']);
  const { door: _, ...adapter } = emailAdapter({
    egress,
    signatures: (text) => secrets.signatures('reply', text),
  });
  const settings = emailSettings.parse({
    address: 'support@shop.test',
    smtp: { host: '127.0.0.1', port: server.port, ...credentials },
    imap: { host: '127.0.0.1', user: 'support', pass: PASSWORD },
  });
  const unreachable = { ...settings, smtp: { ...settings.smtp, port: 2 } };
  const channel = { id: 'channel', businessId: 'business', settings };
  return {
    adapter: { ...adapter, hostKeys: ['smtp.host', 'imap.host'] },
    channel,
    secrets: [PASSWORD],
    provider: {
      threadKey: `to:${CUSTOMER}`,
      taken: () => server.taken.map(({ raw }) => raw.toString().split('\r\n\r\n')[1]?.trim() ?? ''),
      refuseNext(kind) {
        if (kind === 'lost answer') server.loseNextAnswer();
        else if (kind === 'bad account') server.refuseNextSignIn();
        else server.refuse(CUSTOMER, { ...ANSWERS[kind], times: 1 });
      },
      unreachable: { ...channel, id: 'nowhere', settings: unreachable },
    },
    async close() {
      await egress.close();
      await server.close();
    },
  };
});

const ANSWERS = {
  'rate limit': { code: 450, text: '4.7.28 Too many messages, slow down' },
  'bad request': { code: 550, text: '5.1.1 No such user' },
  'server error': { code: 451, text: '4.3.0 Try again later' },
};
