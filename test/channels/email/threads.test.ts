import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTokens } from '../../../src/channels/email/tokens.ts';
import { createSecrets } from '../../../src/core/secrets.ts';
import { type EmailChannel, emailChannel } from '../../support/email/channel.ts';
import { mail } from '../../support/email/mails.ts';
import { startTestGateway, type TestGateway } from '../../support/gateway.ts';

let gateway: TestGateway;
let channel: EmailChannel;
const secrets = createSecrets(['a secret of the tests, long enough']);
const tokens = createTokens((text) => secrets.signatures('reply', text));

beforeAll(async () => {
  gateway = await startTestGateway();
});

afterAll(() => gateway.stop());

let addresses = 0;

async function freshChannel(): Promise<EmailChannel> {
  addresses += 1;
  channel = await emailChannel(gateway, { address: `support${addresses}@shop.test` });
  return channel;
}

function idOf(name: string): string {
  return `<${name}-${randomUUID()}@customer.test>`;
}

describe('a mail', () => {
  it('opens a conversation with its subject and sender', async () => {
    const { post, conversations } = await freshChannel();
    expect(await post(mail({ subject: 'Where is my order?', text: 'I wait since Monday.' }))).toBe(200);
    const [conversation, ...more] = await conversations();
    expect(more).toEqual([]);
    expect(conversation).toMatchObject({ subject: 'Where is my order?', status: 'open' });
    expect(conversation?.customer).toMatchObject({ email: 'ada@customer.test', name: 'Ada Lovelace' });
    expect(conversation?.messages).toMatchObject([{ content: 'I wait since Monday.', direction: 'inbound' }]);
  });

  it('is one message however often it comes', async () => {
    const { post, conversations } = await freshChannel();
    const twice = mail();
    expect([await post(twice), await post(twice)]).toEqual([200, 200]);
    const [conversation] = await conversations();
    expect(conversation?.messages).toHaveLength(1);
  });

  it('is another one when only its message id is the same', async () => {
    const { post, conversations } = await freshChannel();
    const messageId = idOf('reused');
    await post(mail({ messageId, headers: { Date: 'Mon, 01 Sep 2025 10:00:00 +0000' } }));
    await post(mail({ messageId, headers: { Date: 'Mon, 01 Sep 2025 10:00:01 +0000' } }));
    const all = (await conversations()).flatMap(({ messages }) => messages);
    expect(all).toHaveLength(2);
  });

  it('without Date and Message-ID is taken, once', async () => {
    const { post, conversations } = await freshChannel();
    const bare = 'From: ada@customer.test\r\nSubject: bare\r\n\r\nNo headers at all.\r\n';
    await post(bare);
    await post(bare);
    const [conversation, ...more] = await conversations();
    expect(more).toEqual([]);
    expect(conversation?.messages).toMatchObject([{ content: 'No headers at all.' }]);
  });
});

describe('an answer', () => {
  it('goes where its In-Reply-To belongs', async () => {
    const { post, conversations } = await freshChannel();
    const first = idOf('first');
    await post(mail({ messageId: first }));
    await post(mail({ subject: 'Something else', headers: { 'In-Reply-To': first } }));
    const [conversation, ...more] = await conversations();
    expect(more).toEqual([]);
    expect(conversation?.messages).toHaveLength(2);
    expect(conversation?.messages[1]?.reply_to_id).toBe(conversation?.messages[0]?.id);
  });

  it('goes where any of its References belongs, the nearest first', async () => {
    const { post, conversations } = await freshChannel();
    const [first, other] = [idOf('first'), idOf('other')];
    await post(mail({ messageId: first, subject: 'First' }));
    await post(mail({ messageId: other, subject: 'Other' }));
    const references = `${idOf('unknown')} ${first} ${other} ${idOf('lost')}`;
    await post(mail({ subject: 'Re: First', text: 'Which one?', headers: { References: references } }));
    const found = (await conversations()).find(({ messages }) => messages.length === 2);
    expect(found?.subject).toBe('Other');
  });

  it('finds its conversation although it comes before what it answers', async () => {
    const { post, conversations } = await freshChannel();
    const root = idOf('root');
    await post(mail({ text: 'The answer', headers: { 'In-Reply-To': root, References: root } }));
    await post(mail({ text: 'The question', messageId: root }));
    expect(await conversations()).toHaveLength(1);
  });

  it('of a mail server to what we never sent is kept raw only', async () => {
    const { post, conversations, id } = await freshChannel();
    const headers = { 'Return-Path': '<>', 'In-Reply-To': idOf('never-sent') };
    expect(await post(mail({ from: 'MAILER-DAEMON@relay.test', subject: 'Undelivered', headers }))).toBe(200);
    expect(await conversations()).toEqual([]);
    const [kept] = await gateway.pool`select status, reason from inbound_requests where channel_id = ${id}`;
    expect(kept).toEqual({ status: 'ignored', reason: 'belongs to no conversation' });
    expect(await gateway.pool`select 1 from identities where channel_id = ${id}`).toEqual([]);
  });

  it('of a mail server that names what a customer wrote fails nothing', async () => {
    const { post, conversations, address } = await freshChannel();
    const messageId = idOf('theirs');
    await post(mail({ messageId }));
    const headers = { 'Return-Path': '<>', 'In-Reply-To': messageId, 'X-Failed-Recipients': address };
    await post(mail({ from: 'MAILER-DAEMON@relay.test', subject: 'Undelivered', headers }));
    const [conversation] = await conversations();
    expect(conversation?.messages).toMatchObject([
      { content: 'Hello!', status: null, error: null },
      { metadata: { automatic_reason: 'bounce' } },
    ]);
  });

  it('is never told by its subject alone', async () => {
    const { post, conversations } = await freshChannel();
    await post(mail({ subject: 'Invoice 17' }));
    await post(mail({ subject: 'Re: Invoice 17' }));
    expect(await conversations()).toHaveLength(2);
  });

  it('never crosses to another channel or business', async () => {
    const one = await freshChannel();
    const first = idOf('first');
    await one.post(mail({ messageId: first }));
    const two = await freshChannel();
    await two.post(mail({ headers: { 'In-Reply-To': first } }));
    expect((await one.conversations())[0]?.messages).toHaveLength(1);
    expect((await two.conversations())[0]?.messages).toHaveLength(1);
  });

  it.each(['To', 'Cc', 'Delivered-To', 'X-Original-To', 'X-Forwarded-To', 'Envelope-To'])(
    'goes where the signed token in %s says',
    async (name) => {
      const { post, conversations, address } = await freshChannel();
      await post(mail());
      const [conversation] = await conversations();
      const token = tokens.replyAddress(address, conversation?.id ?? '').toUpperCase();
      await post(mail({ subject: 'No header tells', headers: { [name]: `"Us" <${token}>` } }));
      const [found, ...more] = await conversations();
      expect(more).toEqual([]);
      expect(found?.messages).toHaveLength(2);
    },
  );

  it('prefers the token to its References', async () => {
    const { post, conversations, address } = await freshChannel();
    const other = idOf('other');
    await post(mail({ subject: 'Meant' }));
    const [meant] = await conversations();
    await post(mail({ subject: 'Other', messageId: other }));
    const to = tokens.replyAddress(address, meant?.id ?? '');
    await post(mail({ to, headers: { 'In-Reply-To': other } }));
    expect((await conversations()).find(({ id }) => id === meant?.id)?.messages).toHaveLength(2);
  });

  it('is not fooled by a token that nobody signed, or one of another channel', async () => {
    const one = await freshChannel();
    await one.post(mail());
    const [conversation] = await one.conversations();
    const two = await freshChannel();
    const stolen = tokens.replyAddress(one.address, conversation?.id ?? '');
    const forged = stolen.replace(/.{3}@/, 'aaa@');
    await one.post(mail({ to: forged, text: 'forged' }));
    await two.post(mail({ to: stolen, text: 'stolen' }));
    expect(await one.conversations()).toHaveLength(2);
    expect(await two.conversations()).toHaveLength(1);
    expect((await one.conversation(conversation?.id ?? '')).messages).toHaveLength(1);
  });

  it('of somebody new joins as a participant, and the customer stays', async () => {
    const { post, conversations } = await freshChannel();
    const first = idOf('first');
    await post(mail({ messageId: first }));
    await post(
      mail({ from: 'Grace <grace@customer.test>', headers: { 'In-Reply-To': first }, text: 'I know!' }),
    );
    const [conversation, ...more] = await conversations();
    expect(more).toEqual([]);
    expect(conversation?.customer.email).toBe('ada@customer.test');
    expect(conversation?.messages[1]?.sender.name).toBe('Grace');
    expect(conversation?.participants).toHaveLength(2);
    const { body } = await gateway.call<{ data: { type: string; data: { customer: { email: string } } }[] }>(
      'GET',
      '/api/v1/events?types=message.received&limit=100',
    );
    expect(body.data.at(-1)?.data.customer.email).toBe('ada@customer.test');
  });

  it('reopens what was resolved, and what was closed goes on in a new one', async () => {
    const { post, conversations } = await freshChannel();
    const [first, second] = [idOf('first'), idOf('second')];
    await post(mail({ messageId: first }));
    const [before] = await conversations();
    await gateway.call('PUT', `/api/v1/conversations/${before?.id}/resolve`);
    await post(mail({ messageId: second, headers: { 'In-Reply-To': first, References: first } }));
    expect((await conversations())[0]?.status).toBe('open');
    await gateway.call('PUT', `/api/v1/conversations/${before?.id}/close`);
    await post(
      mail({ text: 'Once more', headers: { 'In-Reply-To': second, References: `${first} ${second}` } }),
    );
    expect(await conversations()).toHaveLength(2);
    await post(
      mail({ text: 'And again', headers: { 'In-Reply-To': second, References: `${first} ${second}` } }),
    );
    const all = await conversations();
    expect(
      all.map(({ messages }) => messages.filter(({ direction }) => direction === 'inbound').length).sort(),
    ).toEqual([2, 2]);
  });

  it('of ourselves, by another mail program, reopens nothing and makes nobody the customer', async () => {
    const { post, conversations, address } = await freshChannel();
    const first = idOf('first');
    await post(mail({ messageId: first }));
    const [before] = await conversations();
    await gateway.call('PUT', `/api/v1/conversations/${before?.id}/resolve`);
    const headers = { 'In-Reply-To': first, To: 'ada@customer.test', Cc: address };
    expect(await post(mail({ from: address, text: 'Sent from a phone', headers }))).toBe(200);
    const [after, ...more] = await conversations();
    expect(more).toEqual([]);
    expect(after).toMatchObject({ status: 'resolved', customer: { email: 'ada@customer.test' } });
    expect(after?.messages.at(-1)).toMatchObject({
      content: 'Sent from a phone',
      metadata: { automatic_reason: 'own_address' },
    });
  });

  it('to what was merged goes where it was merged into', async () => {
    const { post, conversations, address } = await freshChannel();
    const [first, second] = [idOf('first'), idOf('second')];
    await post(mail({ messageId: first, subject: 'One' }));
    await post(mail({ messageId: second, subject: 'Two', from: 'grace@customer.test' }));
    const all = await conversations();
    const [one, two] = ['One', 'Two'].map((subject) => all.find((it) => it.subject === subject)?.id ?? '');
    const merged = await gateway.call('POST', `/api/v1/conversations/${one}/merge`, { into: two });
    expect(merged.status).toBe(200);
    // By a reference that is no root of the chain, and by the signed address.
    expect(await post(mail({ text: 'By header', headers: { References: `${idOf('lost')} ${first}` } }))).toBe(
      200,
    );
    expect(await post(mail({ text: 'By token', to: tokens.replyAddress(address, one ?? '') }))).toBe(200);
    const found = (
      await gateway.call<{ messages: { content: string }[] }>('GET', `/api/v1/conversations/${two}`)
    ).body;
    const texts = found.messages.map(({ content }) => content);
    expect(texts).toEqual(expect.arrayContaining(['By header', 'By token']));
  });
});
