import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmailChannel, emailChannel } from '../support/email/channel.ts';
import { mail } from '../support/email/mails.ts';
import { type Postfix, postfixMissing, startPostfix } from '../support/email/postfix.ts';
import { type Recipient, startRecipient } from '../support/email/recipient.ts';
import { swaks } from '../support/email/swaks.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';

const RECEIVER = { host: '127.0.0.1', port: 0, lmtp: false, tls: undefined };

describe.skipIf(postfixMissing())('mail by way of a real mail server', () => {
  let gateway: TestGateway;
  let postfix: Postfix;
  let customers: Recipient;
  let channel: EmailChannel;

  beforeAll(async () => {
    customers = await startRecipient();
    gateway = await startTestGateway({ smtp: RECEIVER });
    postfix = await startPostfix({ 'shop.test': gateway.smtpPort, 'customer.test': customers.port });
    const smtp = { host: '127.0.0.1', port: postfix.port };
    channel = await emailChannel(gateway, { address: 'support@shop.test', smtp });
  }, 60_000);

  afterAll(async () => {
    await gateway?.stop();
    await postfix?.close();
    await customers?.close();
  });

  async function writtenBy(customer: string, subject: string) {
    const { said } = await swaks({
      port: postfix.port,
      to: ['support@shop.test'],
      from: customer,
      mail: mail({ from: customer, subject, messageId: `<${subject}@customer.test>` }),
    });
    expect(said).toMatch(/250 .*queued/);
    return eventually(async () => {
      const found = (await channel.conversations()).find((one) => one.subject === subject);
      if (found === undefined) throw new Error('not here yet');
      return found;
    });
  }

  async function answer(conversationId: string, content: string): Promise<string> {
    const path = `/api/v1/conversations/${conversationId}/messages`;
    const { status, body } = await gateway.call<{ id: string }>('POST', path, { content });
    expect(status).toBe(202);
    return body.id;
  }

  async function message(id: string) {
    return (
      await gateway.call<Awaited<ReturnType<EmailChannel['conversation']>>['messages'][number]>(
        'GET',
        `/api/v1/messages/${id}`,
      )
    ).body;
  }

  it('goes to and fro in one conversation', async () => {
    const conversation = await writtenBy('ada@customer.test', 'order-17');
    await answer(conversation.id, 'It is on its way.');
    const reply = await eventually(() => {
      const found = customers.taken.find(({ to }) => to.includes('ada@customer.test'));
      if (found === undefined) throw new Error('not there yet');
      return found;
    });
    const header = (name: string) =>
      new RegExp(`^${name}: (.*(?:\r\n[ \t].*)*)`, 'im').exec(reply.raw)?.[1]?.replace(/\s+/g, ' ') ?? '';
    expect(header('In-Reply-To')).toBe('<order-17@customer.test>');
    // She answers with a program that keeps no headers at all: the address that she answers to is enough.
    const replyTo = /[^\s<]+@shop\.test/.exec(header('Reply-To'))?.[0] ?? '';
    const bare = mail({ from: 'ada@customer.test', to: replyTo, subject: 'Thanks', text: 'Thank you!' });
    await swaks({ port: postfix.port, to: [replyTo], from: 'ada@customer.test', mail: bare });
    await eventually(async () => {
      const { messages } = await channel.conversation(conversation.id);
      expect(messages.map(({ content }) => content)).toEqual(['Hello!', 'It is on its way.', 'Thank you!']);
    });
  }, 60_000);

  it('that nobody takes comes back and fails the right message, with its reason', async () => {
    const conversation = await writtenBy('gone@customer.test', 'gone-away');
    const before = await writtenBy('ada@customer.test', 'another');
    const untouched = await answer(before.id, 'This one arrives');
    const id = await answer(conversation.id, 'Are you there?');
    await eventually(async () => {
      expect(await message(id)).toMatchObject({
        status: 'failed',
        error: {
          provider_code: expect.stringMatching(/^5\./),
          message: expect.stringContaining('User unknown'),
        },
      });
    });
    await gateway.call('PUT', `/api/v1/conversations/${conversation.id}/resolve`);
    expect((await message(untouched)).status).toBe('sent');
    // The report is kept where it belongs, marked, and nobody takes it for a customer's answer.
    const { messages } = await channel.conversation(conversation.id);
    expect(messages.at(-1)?.metadata).toMatchObject({ automatic: true, automatic_reason: 'bounce' });
    expect(
      (await channel.conversations()).every(({ customer }) => !/daemon/i.test(customer.email ?? '')),
    ).toBe(true);
  }, 60_000);

  it('that only takes longer fails nothing', async () => {
    const conversation = await writtenBy('slow@customer.test', 'slowly');
    const id = await answer(conversation.id, 'No hurry');
    await eventually(async () => {
      const { messages } = await channel.conversation(conversation.id);
      expect(messages.at(-1)?.metadata['delivery_report']).toMatchObject([{ action: 'delayed' }]);
    });
    expect((await message(id)).status).toBe('sent');
  }, 60_000);

  it('that answers by itself reopens nothing', async () => {
    const conversation = await writtenBy('away@customer.test', 'holiday');
    await gateway.call('PUT', `/api/v1/conversations/${conversation.id}/resolve`);
    const headers = { 'In-Reply-To': '<holiday@customer.test>', 'Auto-Submitted': 'auto-replied' };
    const away = mail({
      from: 'away@customer.test',
      subject: 'Automatic reply: holiday',
      text: 'I am away',
      headers,
    });
    await swaks({ port: postfix.port, to: ['support@shop.test'], from: '<>', mail: away });
    await eventually(async () => {
      const found = await channel.conversation(conversation.id);
      expect(found.messages.at(-1)).toMatchObject({ content: 'I am away', metadata: { automatic: true } });
      expect(found.status).toBe('resolved');
    });
    await gateway.call('PUT', `/api/v1/conversations/${conversation.id}/close`);
    await swaks({
      port: postfix.port,
      to: ['support@shop.test'],
      from: '<>',
      mail: away
        .replace('I am away', 'Still away')
        .replace(/Message-ID: .*/, 'Message-ID: <second@customer.test>'),
    });
    await eventually(async () => {
      const found = await channel.conversation(conversation.id);
      expect(found.messages.at(-1)?.content).toBe('Still away');
      expect(found.status).toBe('closed');
    });
  }, 60_000);
});
