import { generateKeyPairSync } from 'node:crypto';
import { createTransport } from 'nodemailer';
import { describe, expect, it } from 'vitest';
import { createAuthenticator, type Resolve } from '../../../src/channels/email/authenticate.ts';
import { CHANNEL_ID, emailReader } from '../../support/email/adapter.ts';
import { mail } from '../../support/email/mails.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');

const ZONE: Record<string, string> = {
  'TXT s1._domainkey.customer.com': `v=DKIM1; k=rsa; p=${key}`,
  'TXT customer.com': 'v=spf1 ip4:192.0.2.0/24 -all',
  'TXT _dmarc.customer.com': 'v=DMARC1; p=reject',
};

/** The DNS as this zone has it: nothing leaves the machine. */
const resolve: Resolve = async (name, type) => {
  const record = ZONE[`${type} ${name}`];
  if (record === undefined) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
  return [[record]];
};

async function signed(text: string): Promise<Buffer> {
  const dkim = {
    domainName: 'customer.com',
    keySelector: 's1',
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
  const transport = createTransport({
    streamTransport: true,
    buffer: true,
    newline: 'windows',
    dkim,
  } as object);
  const { message } = (await transport.sendMail({
    from: 'Ada <ada@customer.com>',
    to: 'support@shop.test',
    subject: 'Signed',
    text,
  })) as unknown as { message: Buffer };
  return message;
}

const { message } = emailReader({ authserv_id: 'mx.shop.test' }, resolve);
const verdictOf = async (raw: string | Buffer) => (await message(raw)).metadata?.['authentication'];

describe('whether a mail comes from whom it says', () => {
  it('is told by its signature', async () => {
    expect(await verdictOf(await signed('Genuine'))).toMatchObject({
      dkim: 'pass',
      dmarc: 'pass',
      by: 'tributary',
    });
  });

  it('is doubted when somebody changed it', async () => {
    const changed = (await signed('Pay Ada')).toString().replace('Pay Ada', 'Pay Eve');
    expect(await verdictOf(changed)).toMatchObject({
      dkim: expect.not.stringMatching('pass'),
      dmarc: 'fail',
    });
  });

  it('is told by the address it was sent from', async () => {
    const authenticate = createAuthenticator('tributary', resolve);
    const raw = Buffer.from(mail({ from: 'ada@customer.com' }));
    const from = (ip: string) =>
      authenticate(raw, { ip, helo: 'mail.customer.com', sender: 'ada@customer.com' });
    expect(await from('192.0.2.7')).toMatchObject({ spf: 'pass', dkim: 'none', dmarc: 'pass' });
    expect(await from('198.51.100.7')).toMatchObject({ spf: 'fail', dmarc: 'fail' });
  });

  it('is what the business’s own mail server noted, and nobody else', async () => {
    const noted = (server: string) =>
      mail({
        from: 'ada@customer.com',
        headers: {
          'Authentication-Results': `${server}; spf=pass smtp.mailfrom=x; dkim=fail (bad; key) header.d=x; dkim=pass; dmarc=pass`,
        },
      });
    expect(await verdictOf(noted('mx.shop.test'))).toEqual({
      spf: 'pass',
      dkim: 'pass',
      dmarc: 'pass',
      by: 'mx.shop.test',
    });
    // The id of a channel stands in the address of its door, which is no secret.
    for (const stranger of ['mx.attacker.test', CHANNEL_ID, 'tributary'])
      expect(await verdictOf(noted(stranger))).toMatchObject({ dkim: 'none', by: 'tributary' });
  });

  it('is not known while the DNS is silent, which keeps no mail waiting', async () => {
    const authenticate = createAuthenticator('tributary', () => new Promise(() => {}), { deadlineMs: 50 });
    const raw = await signed('Nobody answers');
    const unknown = { spf: 'temperror', dkim: 'temperror', dmarc: 'temperror', by: 'tributary' };
    expect(await authenticate(raw)).toEqual(unknown);
    expect(await authenticate(raw)).toEqual(unknown);
  });
});
