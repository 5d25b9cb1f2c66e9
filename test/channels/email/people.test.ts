import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../../src/core/id.ts';
import { type EmailChannel, emailChannel } from '../../support/email/channel.ts';
import { mail } from '../../support/email/mails.ts';
import { startTestGateway, type TestGateway } from '../../support/gateway.ts';

let gateway: TestGateway;
let channel: EmailChannel;

beforeAll(async () => {
  gateway = await startTestGateway();
  channel = await emailChannel(gateway, { address: 'support@shop.test', authserv_id: 'mx.shop.test' });
});
afterAll(() => gateway.stop());

async function customer(fields: object): Promise<string> {
  return (await gateway.call<{ id: string }>('POST', '/api/v1/customers', fields)).body.id;
}

/** The customer of the conversation that a mail from this address opens, as the own mail server judged it. */
async function writerOf(
  address: string,
  dmarc: 'pass' | 'fail',
  headers: Record<string, string> = {},
): Promise<string> {
  const noted = { 'Authentication-Results': `mx.shop.test; spf=pass; dkim=${dmarc}; dmarc=${dmarc}` };
  await channel.post(mail({ from: address, subject: address, headers: { ...noted, ...headers } }));
  const conversations = await channel.conversations();
  return conversations.find(({ subject }) => subject === address)?.customer.id ?? '';
}

describe('who writes a mail', () => {
  it('is the customer who has the address, when it is proven', async () => {
    const ada = await customer({ name: 'Ada', emails: ['Ada@customer.test', 'ada@work.test'] });
    expect(await writerOf('ada@customer.test', 'pass')).toBe(ada);
    expect(await writerOf('ADA@work.test', 'pass')).toBe(ada);
  });

  it('is somebody new when the address is only claimed', async () => {
    const ceo = await customer({ name: 'The boss', email: 'ceo@customer.test' });
    expect(await writerOf('ceo@customer.test', 'fail')).not.toBe(ceo);
  });

  it('is somebody new when several have the address', async () => {
    const both = [
      await customer({ email: 'family@customer.test' }),
      await customer({ email: 'family@customer.test' }),
    ];
    expect(both).not.toContain(await writerOf('family@customer.test', 'pass'));
  });

  it('does not become a web visitor who typed the address', async () => {
    const visitor = await customer({ email: 'typed@customer.test' });
    await gateway.pool`
      insert into identities (id, business_id, channel_id, customer_id, kind, address)
      values (${newId()}, ${gateway.businessId}, ${gateway.channelId}, ${visitor}, 'visitor', ${newId()})`;
    expect(await writerOf('typed@customer.test', 'pass')).not.toBe(visitor);
  });

  it('is not whom the mail asks to answer instead', async () => {
    const named = await customer({ email: 'named@customer.test' });
    const found = await writerOf('support@shop.test', 'pass', { 'Reply-To': 'named@customer.test' });
    expect(found).not.toBe(named);
  });
});
