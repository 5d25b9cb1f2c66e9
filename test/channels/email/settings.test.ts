import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromBase32, toBase32 } from '../../../src/channels/email/base32.ts';
import { emailSettings } from '../../../src/channels/email/settings.ts';
import { createTokens } from '../../../src/channels/email/tokens.ts';
import { createSecrets } from '../../../src/core/secrets.ts';
import { emailChannel } from '../../support/email/channel.ts';
import { startTestGateway, type TestGateway } from '../../support/gateway.ts';

const ID = '0198f7a0-1111-7222-8333-444444444444';
const tokensOf = (...keys: string[]) => {
  const secrets = createSecrets(keys);
  return createTokens((text) => secrets.signatures('reply', text));
};

describe('a signed address', () => {
  const tokens = tokensOf('the newest key of them', 'an older key of them');

  it('names its conversation or message, whatever case a mail server makes of it', () => {
    const address = tokens.replyAddress('support@shop.test', ID);
    expect(address).toMatch(/^support\+r[a-z2-7]{42}@shop\.test$/);
    expect(tokens.read(address.toUpperCase())).toEqual({ kind: 'reply', id: ID });
    expect(tokens.read(tokens.bounceAddress('support@shop.test', ID))).toEqual({ kind: 'bounce', id: ID });
  });

  it('is good under an older key, and under no other', () => {
    const older = tokensOf('an older key of them').replyAddress('support@shop.test', ID);
    expect(tokens.read(older)).toEqual({ kind: 'reply', id: ID });
    expect(tokensOf('somebody else’s key').read(older)).toBeUndefined();
  });

  it('is worth nothing when any letter of it is another', () => {
    const address = tokens.replyAddress('support@shop.test', ID);
    for (let at = 'support+r'.length; at < address.indexOf('@'); at += 1) {
      const letter = address[at] === 'a' ? 'b' : 'a';
      expect(tokens.read(`${address.slice(0, at)}${letter}${address.slice(at + 1)}`)).toBeUndefined();
    }
    expect(tokens.read(address.replace('support', 'sales'))).toBeUndefined();
    expect(tokens.read(address.replace('+r', '+b'))).toBeUndefined();
    expect(tokens.read('support+hello@shop.test')).toBeUndefined();
  });

  it('is left out where it would be too long for mail servers', () => {
    const long = `${'l'.repeat(40)}@shop.test`;
    expect(tokens.replyAddress(long, ID)).toBe(long);
  });

  it('is written in letters that come back as the bytes they were', () => {
    for (const bytes of [
      Buffer.alloc(16, 0xff),
      Buffer.alloc(10),
      Buffer.from(ID.replaceAll('-', ''), 'hex'),
    ])
      expect(fromBase32(toBase32(bytes)).subarray(0, bytes.length)).toEqual(bytes);
  });
});

describe('the settings of a mail channel', () => {
  const smtp = { host: 'smtp.shop.test' };

  it('need an address and a way out, and generate the secret of the door', () => {
    const settings = emailSettings.parse({ address: ' Support@Shop.test ', smtp });
    expect(settings).toMatchObject({ address: 'support@shop.test', smtp: { port: 587, secure: false } });
    expect(settings.inbound_secret.length).toBeGreaterThan(20);
    expect(emailSettings.safeParse({ address: 'support@shop.test' }).success).toBe(false);
  });

  it.each(['nobody', 'a@b', 'a b@c.test', 'a@b.test, c@d.test', 'a@b.test\r\nBcc: c@d.test', '"a b"@c.test'])(
    'refuse the address %j',
    (address) => {
      expect(emailSettings.safeParse({ address, smtp }).success).toBe(false);
    },
  );

  it('need a password of the mailbox, or tokens for it', () => {
    const imap = { host: 'imap.shop.test', user: 'support' };
    expect(emailSettings.safeParse({ address: 'a@b.test', smtp, imap }).error?.issues[0]?.path).toEqual([
      'imap',
      'pass',
    ]);
    const oauth = { provider: 'google', client_id: 'c', refresh_token: 'r' };
    expect(emailSettings.safeParse({ address: 'a@b.test', smtp, imap, oauth }).success).toBe(true);
  });
});

describe('a mail channel', () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway.stop());

  it('shows none of its secrets', async () => {
    const { id } = await emailChannel(gateway, {
      address: 'masked@shop.test',
      smtp: { host: '127.0.0.1', port: 2, user: 'u', pass: 'the smtp password' },
    });
    const { body } = await gateway.call('GET', `/api/v1/channels/${id}`);
    expect(JSON.stringify(body)).not.toMatch(/the smtp password|a secret of the mail tests/);
  });

  it('asks for the passwords again when a host changes, and keeps the secret of its own door', async () => {
    const channel = await emailChannel(gateway, {
      address: 'moved@shop.test',
      smtp: { host: '127.0.0.1', port: 2, user: 'u', pass: 'the smtp password' },
    });
    const change = (smtp: object) =>
      gateway.call('PATCH', `/api/v1/channels/${channel.id}`, { config: { smtp } });
    const refused = await change({ host: '127.0.0.2' });
    expect(refused.status).toBe(422);
    expect(JSON.stringify(refused.body)).toContain('config.smtp.pass');
    expect((await change({ host: '127.0.0.2', pass: 'the smtp password' })).status).toBe(200);
    expect(await channel.post('From: a@b.test\r\n\r\nStill the same secret')).toBe(200);
  });

  it('has its address to itself', async () => {
    await emailChannel(gateway, { address: 'taken@shop.test' });
    const { status } = await gateway.call('POST', '/api/v1/channels', {
      type: 'email',
      config: { address: 'TAKEN@shop.test', smtp: { host: '127.0.0.1', port: 2 } },
    });
    expect(status).toBe(409);
  });
});
