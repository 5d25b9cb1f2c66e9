import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { authenticate } from 'mailauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RateLimited, SendDeferred, SendRejected } from '../../../src/core/errors.ts';
import { startAiHook } from '../../support/ai-hook.ts';
import { emailReader } from '../../support/email/adapter.ts';
import { type EmailChannel, emailChannel } from '../../support/email/channel.ts';
import { type MailServer, startMailServer } from '../../support/email/mail-server.ts';
import { mail, multipart } from '../../support/email/mails.ts';
import { eventually, startTestGateway, type TestGateway } from '../../support/gateway.ts';
import { outbound, outboundFile } from '../../support/outbound.ts';

interface Sent {
  id: string;
  conversation_id: string;
  status: string;
  external_id: string | null;
  error: { code: string; provider_code: string | null; message: string } | null;
  metadata: Record<string, unknown>;
  next_attempt_at: string | null;
  attempts: { outcome: string | null; provider_code: string | null; message: string | null }[];
}

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
);

let gateway: TestGateway;
let server: MailServer;
let count = 0;

beforeAll(async () => {
  gateway = await startTestGateway();
  server = await startMailServer();
});

afterAll(async () => {
  await gateway.stop();
  await server.close();
});

/** A mailbox, a customer of its own and the conversation that they have begun. */
async function begun(config: Record<string, unknown> = {}, parts: Parameters<typeof mail>[0] = {}) {
  count += 1;
  const customer = `ada${count}@customer.test`;
  const channel = await emailChannel(gateway, {
    address: `support${count}@shop.test`,
    smtp: { host: '127.0.0.1', port: server.port },
    ...config,
  });
  await channel.post(mail({ from: `Ada Lovelace <${customer}>`, to: channel.address, ...parts }));
  const [conversation] = await channel.conversations();
  if (conversation === undefined) throw new Error('no conversation');
  return { channel, customer, conversation };
}

async function write(conversationId: string, body: object, key?: string): Promise<Sent> {
  const answer = await gateway.call<Sent>('POST', `/api/v1/conversations/${conversationId}/messages`, body, {
    ...(key === undefined ? {} : { key }),
  });
  expect(answer.status).toBe(202);
  return answer.body;
}

async function read(id: string): Promise<Sent> {
  return (await gateway.call<Sent>('GET', `/api/v1/messages/${id}`)).body;
}

/** Looks into the database, since a key may ask only so often. */
async function reached(id: string, status: string): Promise<Sent> {
  await eventually(async () => {
    const [row] = await gateway.pool`select status, error from messages where id = ${id}`;
    expect(row?.['status'], JSON.stringify(row?.['error'])).toBe(status);
  });
  return read(id);
}

/** The attempts that have ended. */
function tried(id: string, times: number): Promise<Sent> {
  return eventually(async () => {
    const rows = await gateway.pool`select id from attempts where subject_id = ${id} and outcome is not null`;
    expect(rows).toHaveLength(times);
    return read(id);
  });
}

async function sentTo(customer: string, n = 1) {
  const mine = () => server.taken.filter(({ to }) => to.includes(customer));
  await eventually(() => expect(mine().length).toBeGreaterThanOrEqual(n));
  return server.mail(server.taken.indexOf(mine()[n - 1] as never) + 1);
}

describe('an answer by mail', () => {
  it('stands in the customer’s mail program below what it answers', async () => {
    const messageId = '<first@customer.test>';
    const references = '<root@customer.test> <second@customer.test>';
    const { channel, customer, conversation } = await begun(
      { from_name: 'The Shop' },
      { subject: 'Where is my order?', messageId, headers: { References: references } },
    );
    const { id } = await write(conversation.id, { content: 'On its way, Zoë.' });
    const { headers, taken, ...seen } = await sentTo(customer);
    expect(seen.from?.value).toEqual([{ name: 'The Shop', address: channel.address }]);
    expect(seen.to).toMatchObject({ value: [{ name: 'Ada Lovelace', address: customer }] });
    expect(seen.subject).toBe('Re: Where is my order?');
    expect(seen.text?.trim()).toBe('On its way, Zoë.');
    expect(seen.html).toBeUndefined();
    expect(seen.inReplyTo).toBe(messageId);
    expect(seen.references).toEqual(['<root@customer.test>', '<second@customer.test>', messageId]);
    expect(seen.messageId).toBe(`<${id}@shop.test>`);
    expect(seen.date?.getTime()).toBeGreaterThan(Date.now() - 60_000);
    expect(headers.has('auto-submitted')).toBe(false);
    expect(headers.has('list-unsubscribe')).toBe(false);
    expect(taken.from).toMatch(/^support\d+\+b[a-z2-7]{42}@shop\.test$/);
    expect((await reached(id, 'sent')).external_id).toBe(`<${id}@shop.test>`);
  });

  it('comes back to its conversation by the address that it asks to answer', async () => {
    const { channel, customer, conversation } = await begun();
    await write(conversation.id, { content: 'Which one?' });
    const { replyTo } = await sentTo(customer);
    const token = replyTo?.value[0]?.address ?? '';
    expect(token).toMatch(/^support\d+\+r[a-z2-7]{42}@shop\.test$/);
    await channel.post(
      mail({ from: customer, to: token, subject: 'Another subject', text: 'The green one.' }),
    );
    const { messages } = await channel.conversation(conversation.id);
    expect(messages.map(({ content }) => content)).toEqual(['Hello!', 'Which one?', 'The green one.']);
  });

  it('comes back by its Message-ID where a mailbox knows no plus', async () => {
    const { channel, customer, conversation } = await begun({ plus_addressing: false });
    const { id } = await write(conversation.id, { content: 'Which one?' });
    await reached(id, 'sent');
    const { replyTo, messageId, taken } = await sentTo(customer);
    expect(replyTo?.value[0]?.address).toBe(channel.address);
    expect(taken.from).toBe(channel.address);
    const headers = { 'In-Reply-To': messageId ?? '' };
    await channel.post(mail({ from: customer, to: channel.address, text: 'The green one.', headers }));
    expect((await channel.conversation(conversation.id)).messages).toHaveLength(3);
  });

  it('comes back by the Message-ID that the mail service gave it instead', async () => {
    const { channel, customer, conversation } = await begun({ plus_addressing: false });
    const given = '010001990fd5a7d2-5a0f3c1e-8d3b-4a63-9a64-1b0f2f1d7c55-000000';
    server.takeNextAs(`Ok ${given}`);
    const { id } = await write(conversation.id, { content: 'Which one?' });
    await reached(id, 'sent');
    for (const [named, content] of [
      [`<${given}@email.amazonses.com>`, 'The green one.'],
      [`<${given}@eu-west-1.amazonses.com>`, 'And the red one.'],
    ] as const) {
      const headers = { 'In-Reply-To': named, References: named };
      await channel.post(mail({ from: customer, to: channel.address, text: content, headers }));
    }
    const { messages } = await channel.conversation(conversation.id);
    expect(messages.map(({ content }) => content)).toEqual([
      'Hello!',
      'Which one?',
      'The green one.',
      'And the red one.',
    ]);
  });

  it('names all that went before, the first and the last ten', async () => {
    const references = Array.from({ length: 30 }, (_, n) => `<${n}@customer.test>`);
    const { customer, conversation } = await begun(
      {},
      { messageId: '<last@customer.test>', headers: { References: references.join('\r\n ') } },
    );
    await write(conversation.id, { content: 'Yes.' });
    const { references: named } = await sentTo(customer);
    expect(named).toHaveLength(11);
    expect(named?.[0]).toBe('<0@customer.test>');
    expect(named?.at(-1)).toBe('<last@customer.test>');
  });

  it('goes to where the customer wants answers, and to whoever wrote last', async () => {
    const { channel, customer, conversation } = await begun(
      {},
      { headers: { 'Reply-To': 'ada.private@customer.test' } },
    );
    await write(conversation.id, { content: 'One' });
    const first = await sentTo('ada.private@customer.test');
    const token = first.replyTo?.value[0]?.address ?? '';
    await channel.post(mail({ from: 'Bob <bob@customer.test>', to: token, text: 'Me too' }));
    await write(conversation.id, { content: 'Two' });
    expect((await sentTo('bob@customer.test')).taken.to.sort()).toEqual([customer, 'bob@customer.test']);
  });

  it('never goes to ourselves', async () => {
    const { channel, customer, conversation } = await begun();
    await write(conversation.id, { content: 'Hi', cc: [channel.address, 'boss@shop.test', customer] });
    expect((await sentTo(customer)).taken.to).toEqual([customer, 'boss@shop.test']);
  });

  it('has copies, hidden ones too, and a subject of its own', async () => {
    const { customer, conversation } = await begun();
    await write(conversation.id, {
      content: 'Hello all',
      subject: 'Something\r\nBcc: evil@customer.test',
      cc: ['colleague@customer.test'],
      bcc: ['hidden@customer.test'],
    });
    const { subject, cc, headers, taken } = await sentTo(customer);
    expect(subject).toBe('Something Bcc: evil@customer.test');
    expect(cc).toMatchObject({ value: [{ address: 'colleague@customer.test' }] });
    expect(headers.has('bcc')).toBe(false);
    expect(taken.to).toEqual([customer, 'colleague@customer.test', 'hidden@customer.test']);
  });

  it('has HTML, files and the images that its HTML shows', async () => {
    const { customer, conversation } = await begun();
    const upload = async (name: string, type: string, bytes: Buffer) => {
      const form = new FormData();
      form.set('file', new Blob([new Uint8Array(bytes)], { type }), name);
      return (
        await gateway.call<{ id: string }>('POST', `/api/v1/conversations/${conversation.id}/upload`, form)
      ).body.id;
    };
    const attachments = [
      { id: await upload('logo.png', 'image/png', PNG) },
      { id: await upload('Rechnung März.txt', 'text/plain', Buffer.from('42 EUR')) },
    ];
    await write(conversation.id, {
      content: 'See the logo.',
      html: '<p>See the <b>logo</b>: <img src="attachment:0"></p>',
      attachments,
    });
    const seen = await sentTo(customer);
    expect(seen.text?.trim()).toBe('See the logo.');
    const [logo, bill] = seen.attachments;
    expect(seen.html).toContain(`<img src="cid:${logo?.cid}">`);
    expect(logo).toMatchObject({
      filename: 'logo.png',
      contentType: 'image/png',
      contentDisposition: 'inline',
    });
    expect(logo?.content.equals(PNG)).toBe(true);
    expect(bill).toMatchObject({ filename: 'Rechnung März.txt', contentDisposition: 'attachment' });
    expect(bill?.content.toString()).toBe('42 EUR');
  });

  it('carries files byte for byte, whatever is in them', async () => {
    const long = 'x'.repeat(5_000);
    const files = [
      ['Ticket.eml', 'message/rfc822', Buffer.from(`Subject: Grüße\n\n${long}\nbare lines\n`)],
      ['plain.eml', 'message/rfc822', Buffer.from('Subject: Hi\r\n\r\nShort and plain.\r\n')],
      ['log.txt', 'text/plain', Buffer.from(`${long}\n.\nFrom here\r\n\0\xff`, 'latin1')],
      ['parts.bin', 'multipart/mixed', Buffer.from('no parts')],
    ] as const;
    const attachments = files.map(([name, contentType, bytes]) =>
      outboundFile(contentType, { name, sizeBytes: bytes.length, open: async () => bytes }),
    );
    const { adapter, channel } = emailReader({ smtp: { host: '127.0.0.1', port: server.port } });
    const [part] = adapter.split(outbound({ threadKey: 'to:files@customer.test', attachments }), channel);
    if (part) await adapter.send?.(part, channel, new AbortController().signal);
    const seen = await sentTo('files@customer.test');
    const types = [...seen.taken.raw.toString().matchAll(/^Content-Type: (\S+); name=(\S+)/gm)];
    expect(types.map(([, type, name]) => `${name} ${type}`)).toEqual([
      'Ticket.eml application/octet-stream',
      'plain.eml message/rfc822',
      'log.txt text/plain',
      'parts.bin application/octet-stream',
    ]);
    for (const [n, [name, , bytes]] of files.entries())
      expect(seen.attachments[n]?.content.equals(bytes), name).toBe(true);
  });

  it('quotes what was said before where the channel wants it, and never a note', async () => {
    const { customer, conversation } = await begun({ quote_history: true }, { text: 'Is it <green>?' });
    await write(conversation.id, { content: 'Ask the boss first, he is a fool.', type: 'note' });
    await write(conversation.id, { content: 'It is.', html: '<p>It is.</p>' });
    const { text, html } = await sentTo(customer);
    expect(text).toMatch(/^It is\.\n\nOn .* UTC, Ada Lovelace wrote:\n> Is it <green>\?/);
    expect(html).toContain('Is it &lt;green&gt;?');
    expect(`${text}${html}`).not.toContain('fool');
  });

  it('begins a conversation too, and the customer’s answer continues it', async () => {
    const { channel } = await begun();
    const { body: customer } = await gateway.call<{ id: string }>('POST', '/api/v1/customers', {
      name: 'Grace Hopper',
      email: `grace${count}@customer.test`,
    });
    const { body: conversation } = await gateway.call<{ id: string }>('POST', '/api/v1/conversations/', {
      business_id: gateway.businessId,
      customer_id: customer.id,
      channel_id: channel.id,
      subject: 'Your lamp',
      initial_message: 'It is ready.',
    });
    const seen = await sentTo(`grace${count}@customer.test`);
    expect(seen.subject).toBe('Your lamp');
    expect(seen.inReplyTo).toBeUndefined();
    const token = seen.replyTo?.value[0]?.address ?? '';
    await channel.post(mail({ from: `grace${count}@customer.test`, to: token, text: 'Great!' }));
    expect((await channel.conversation(conversation.id)).messages.at(-1)?.content).toBe('Great!');
  });
});

describe('sending', () => {
  it('signs with DKIM, as mailauth verifies', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const dkim = {
      domain: 'shop.test',
      selector: 'tributary',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    };
    const { channel, customer, conversation } = await begun({ dkim });
    await write(conversation.id, { content: 'Signed, größer.' });
    const { taken } = await sentTo(customer);
    const published = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    const resolver = async (name: string, type: string) => {
      if (name === 'tributary._domainkey.shop.test' && type === 'TXT')
        return [[`v=DKIM1; k=rsa; p=${published}`]];
      throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    };
    const check = async (raw: Buffer) =>
      (await authenticate(raw, { ip: '127.0.0.1', helo: 'shop.test', sender: taken.from, resolver } as never))
        .dkim;
    const { results } = await check(taken.raw);
    expect(results).toMatchObject([
      { signingDomain: 'shop.test', selector: 'tributary', status: { result: 'pass', aligned: 'shop.test' } },
    ]);
    const forged = Buffer.from(taken.raw.toString('latin1').replace('Signed', 'Forged'), 'latin1');
    const after = await check(forged);
    expect(after.results[0]?.status.result).not.toBe('pass');
    const shown = await gateway.call<{ config: unknown }>('GET', `/api/v1/channels/${channel.id}`);
    expect(JSON.stringify(shown.body.config)).not.toContain('PRIVATE KEY');
  });

  it('keeps its connections', async () => {
    const { customer, conversation } = await begun();
    await write(conversation.id, { content: 'One' });
    await sentTo(customer);
    const before = server.connections();
    await write(conversation.id, { content: 'Two' });
    await write(conversation.id, { content: 'Three' });
    await sentTo(customer, 3);
    expect(server.connections()).toBe(before);
    expect(
      server.taken.filter(({ to }) => to.includes(customer)).every(({ isEncrypted }) => isEncrypted),
    ).toBe(true);
  });

  it('tries again after 4xx, for a day, with the same Message-ID', async () => {
    const { customer, conversation } = await begun();
    server.refuse(customer, { code: 451, text: '4.7.1 Greylisted, come back', times: 1 });
    const message = await write(conversation.id, { content: 'Patience' });
    const waiting = await tried(message.id, 1);
    expect(waiting.attempts[0]).toMatchObject({ outcome: 'deferred', provider_code: '451 4.7.1' });
    expect(waiting).toMatchObject({ status: 'sending', error: null });
    expect(waiting.next_attempt_at).not.toBeNull();
    const { messageId } = await sentTo(customer);
    expect(messageId).toBe(`<${message.id}@shop.test>`);
    expect((await reached(message.id, 'sent')).attempts.map(({ outcome }) => outcome)).toEqual([
      'deferred',
      'sent',
    ]);
  });

  it.each([
    [421, '4.3.2 Closing', SendDeferred],
    [450, '4.2.1 Busy', SendDeferred],
    [451, '4.7.1 Greylisted', SendDeferred],
    [452, '4.2.2 Mailbox full', SendDeferred],
    [450, '4.7.28 Unusual rate of mail', RateLimited],
    [550, '5.1.1 Unknown', SendRejected],
    [552, '5.2.2 Over quota', SendRejected],
    [554, '5.7.1 Refused', SendRejected],
  ])('understands %i %s of a recipient', async (code, text, type) => {
    const address = `answers${text.toLowerCase().replaceAll(/\W/g, '')}@customer.test`;
    server.refuse(address, { code, text });
    const { adapter, channel } = emailReader({ smtp: { host: '127.0.0.1', port: server.port } });
    const [part] = adapter.split(outbound({ threadKey: `to:${address}` }), channel);
    const sending = part && adapter.send?.(part, channel, new AbortController().signal);
    await expect(sending).rejects.toMatchObject({
      constructor: type,
      providerCode: `${code} ${text.split(' ')[0]}`,
      message: `${code} ${text}`,
    });
  });

  it('comes again later to a server that sends it away at the door', async () => {
    const { adapter, channel } = emailReader({ smtp: { host: '127.0.0.1', port: server.port } });
    const [part] = adapter.split(outbound({ threadKey: 'to:door@customer.test' }), channel);
    const send = async () => part && adapter.send?.(part, channel, new AbortController().signal);
    server.greetNext({ code: 421, text: '4.3.2 Too many connections' });
    await expect(send()).rejects.toMatchObject({ name: expect.stringMatching(/SendDeferred|RateLimited/) });
    await expect(send()).resolves.toMatchObject({ externalId: expect.any(String) });
  });

  it('fails on 5xx, with the server’s words', async () => {
    const { customer, conversation } = await begun();
    server.refuse(customer, { code: 550, text: '5.1.1 No such user here' });
    const { id } = await write(conversation.id, { content: 'Anybody?' });
    const { error, attempts } = await reached(id, 'failed');
    expect(error).toMatchObject({ code: 'rejected', provider_code: '550 5.1.1' });
    expect(error?.message).toContain('No such user here');
    expect(attempts).toHaveLength(1);
  });

  it('says whom the server refused while others have it', async () => {
    const { customer, conversation } = await begun();
    server.refuse('former@customer.test', { code: 550, text: '5.1.1 Left the company' });
    const { id } = await write(conversation.id, { content: 'Hi', cc: ['former@customer.test'] });
    const { metadata } = await reached(id, 'sent');
    expect((await sentTo(customer)).taken.to).toEqual([customer]);
    expect(metadata).toMatchObject({
      refused_recipients: [{ address: 'former@customer.test', code: '550 5.1.1' }],
    });
  });

  it('sends the same mail again when the answer was lost', async () => {
    const { customer, conversation } = await begun();
    server.loseNextAnswer();
    const { id } = await write(conversation.id, { content: 'Once' });
    await reached(id, 'sent');
    const copies = server.taken.filter(({ to }) => to.includes(customer));
    expect(copies).toHaveLength(2);
    expect(copies.every(({ raw }) => raw.includes(`Message-ID: <${id}@shop.test>`))).toBe(true);
  });

  it('refuses what is too large before a byte is sent', async () => {
    const { customer, conversation } = await begun({ max_message_bytes: 64 * 1024 });
    const path = `/api/v1/conversations/${conversation.id}/messages`;
    const body = { content: 'See the page', html: 'y'.repeat(60_000) };
    const { status, body: refused } = await gateway.call<{ error: { code: string; message: string } }>(
      'POST',
      path,
      body,
    );
    expect(status).toBe(413);
    expect(refused.error.message).toMatch(/would have 0\.1 MB; at most 0\.1 MB/);
    const note = await write(conversation.id, { ...body, type: 'note' });
    expect(note.status).toBeNull();
    const { messages } = await gateway
      .call<{ messages: unknown[] }>('GET', `/api/v1/conversations/${conversation.id}`)
      .then((answer) => answer.body);
    expect(messages).toHaveLength(2);
    expect(server.taken.filter(({ to }) => to.includes(customer))).toEqual([]);
  });

  it('heeds the size that the server names', async () => {
    const small = await startMailServer({ size: 2_000 });
    const { conversation } = await begun({ smtp: { host: '127.0.0.1', port: small.port } });
    const { id } = await write(conversation.id, { content: 'x'.repeat(5_000) });
    await reached(id, 'failed');
    expect(small.taken).toEqual([]);
    await small.close();
  });

  it('signs in, and stops when it may not', async () => {
    const credentials = { user: 'support', pass: 'first-password' };
    const locked = await startMailServer({ credentials });
    const smtp = { host: '127.0.0.1', port: locked.port, ...credentials };
    const right = await begun({ smtp });
    await write(right.conversation.id, { content: 'Let me in' });
    expect((await locked.mail(1)).taken.user).toBe('support');
    const wrong = { address: 'other@shop.test', smtp: { ...smtp, pass: 'wrong-password' } };
    const refused = gateway.call('POST', '/api/v1/channels', { type: 'email', config: wrong });
    expect((await refused).status).toBe(422);
    expect(JSON.stringify((await refused).body)).not.toContain('wrong-password');
    const { channel, conversation } = await begun({ smtp });
    credentials.pass = 'second-password';
    const { id } = await write(conversation.id, { content: 'Let me in' });
    const { error } = await reached(id, 'failed');
    const health = await gateway.call<{ ok: boolean }>('GET', `/api/v1/channels/${channel.id}/health`);
    expect(health.body.ok).toBe(false);
    expect(JSON.stringify([error, health.body])).not.toContain('first-password');
    await locked.close();
  });

  it('speaks TLS from the first byte where the server does', async () => {
    const encrypted = await startMailServer({ secure: true });
    const { conversation } = await begun({ smtp: { host: '127.0.0.1', port: encrypted.port, secure: true } });
    await write(conversation.id, { content: 'In secret' });
    expect((await encrypted.mail(1)).taken.isEncrypted).toBe(true);
    await encrypted.close();
  });

  it('signs in with a token where the mailbox is Google’s or Microsoft’s', async () => {
    const tokens = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ access_token: 'a-fresh-token', expires_in: 3600 }));
    });
    await new Promise<void>((resolve) => tokens.listen(0, '127.0.0.1', resolve));
    const locked = await startMailServer({
      credentials: { user: 'support@shop.test', pass: 'a-fresh-token' },
    });
    const { customer, conversation } = await begun({
      smtp: { host: '127.0.0.1', port: locked.port, user: 'support@shop.test' },
      oauth: {
        provider: 'google',
        client_id: 'client',
        refresh_token: 'the refresh token',
        token_url: `http://127.0.0.1:${(tokens.address() as AddressInfo).port}/token`,
      },
    });
    await write(conversation.id, { content: 'With a token' });
    expect((await locked.mail(1)).taken).toMatchObject({ to: [customer], user: 'support@shop.test' });
    tokens.close();
    await locked.close();
  });

  it('says in the channel’s health whether the mail server can be reached', async () => {
    const { channel } = await begun();
    const health = (of: EmailChannel) =>
      gateway.call<{ ok: boolean; detail: string }>('GET', `/api/v1/channels/${of.id}/health`);
    expect((await health(channel)).body).toMatchObject({ ok: true, detail: 'Mail leaves over 127.0.0.1.' });
    const nowhere = await begun({ smtp: { host: '127.0.0.1', port: 2 } });
    expect((await health(nowhere.channel)).body.ok).toBe(false);
  });

  it('reaches no private address that was not allowed', async () => {
    const { conversation } = await begun({ smtp: { host: '10.1.2.3', port: 25 } });
    const { id } = await write(conversation.id, { content: 'Into the network' });
    expect((await reached(id, 'failed')).error?.message).toContain('is not a public address');
  });

  it('tries at once when an agent asks', async () => {
    const { customer, conversation } = await begun();
    server.refuse(customer, { code: 450, text: '4.2.0 Mailbox busy', times: 1 });
    const message = await write(conversation.id, { content: 'Now' });
    await tried(message.id, 1);
    await gateway.call('POST', `/api/v1/messages/${message.id}/retry`);
    await reached(message.id, 'sent');
  });
});

describe('automatic mail', () => {
  async function botKey(): Promise<string> {
    const { body } = await gateway.call<{ key: string }>('POST', '/api/v1/api-keys', {
      name: 'Bot',
      role: 'bot',
    });
    return body.key;
  }

  it('says that a program wrote it', async () => {
    const { customer, conversation } = await begun();
    await write(conversation.id, { content: 'I am a program.' }, await botKey());
    const { headers } = await sentTo(customer);
    expect(headers.get('auto-submitted')).toBe('auto-replied');
    expect(headers.get('x-auto-response-suppress')).toBe('All');
  });

  /** Tributary writes, as its own rules will have it. */
  async function writeAsSystem(conversationId: string, content: string): Promise<Sent> {
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const message = await write(conversationId, { content, send_at: later });
    await gateway.pool`
      update messages set sender_type = 'system', sender_id = null, send_at = now() where id = ${message.id}`;
    return message;
  }

  it('answers a customer once within the period, in whichever conversation', async () => {
    const { channel, customer, conversation } = await begun();
    const first = await writeAsSystem(conversation.id, 'We have your mail.');
    await reached(first.id, 'sent');
    await channel.post(mail({ from: customer, to: channel.address, subject: 'Something else' }));
    const other = (await channel.conversations()).find(({ id }) => id !== conversation.id);
    const second = await writeAsSystem(other?.id ?? '', 'We have your mail.');
    expect((await reached(second.id, 'failed')).error).toMatchObject({ code: 'automatic_limit' });
    const { id } = await write(other?.id ?? '', { content: 'Here I am.' });
    await reached(id, 'sent');
    expect(server.taken.filter(({ to }) => to.includes(customer))).toHaveLength(2);
  });

  it('lets the AI of the business answer whenever it is asked, greeted or not', async () => {
    const hook = await startAiHook();
    hook.answer({ reply: 'From 9 to 5.', confidence: 1 });
    const { body } = await gateway.call<{ secret: string }>('PUT', '/api/v1/business/ai', {
      url: hook.url,
      mode: 'auto',
    });
    hook.secret = body.secret;
    const { channel, customer } = await begun();
    const texts = () => server.taken.filter(({ to }) => to.includes(customer)).length;
    await eventually(() => expect(texts()).toBe(1));
    await gateway.call('PATCH', `/api/v1/channels/${channel.id}`, { greeting: 'We have your mail.' });
    await channel.post(mail({ from: customer, to: channel.address, subject: 'Something else' }));
    await eventually(() => expect(texts()).toBe(3));
    await gateway.call('DELETE', '/api/v1/business/ai');
    await hook.close();
  });

  it('answers no mail of a program', async () => {
    const { channel, customer, conversation } = await begun();
    await write(conversation.id, { content: 'Hello' });
    const { replyTo } = await sentTo(customer);
    const headers = { 'Auto-Submitted': 'auto-replied' };
    await channel.post(
      mail({ from: customer, to: replyTo?.value[0]?.address ?? '', text: 'I am away', headers }),
    );
    const { id } = await write(conversation.id, { content: 'I am a program.' }, await botKey());
    expect((await reached(id, 'failed')).error).toMatchObject({ code: 'automatic_mail' });
    expect(server.taken.filter(({ to }) => to.includes(customer))).toHaveLength(1);
  });
});

describe('the HTML of a customer’s mail', () => {
  it('shows its images where they stand, and keeps the others away', async () => {
    const { channel } = await begun();
    const related = multipart('related', [
      {
        headers: { 'Content-Type': 'text/html; charset=utf-8' },
        body: '<p>Broken: <img src="cid:Photo@x"><img src="https://track.test/p.png" alt="p"><script>x</script></p>',
      },
      {
        headers: {
          'Content-Type': 'image/png; name=photo.png',
          'Content-ID': '<photo@X>',
          'Content-Transfer-Encoding': 'base64',
        },
        body: PNG.toString('base64'),
      },
    ]);
    await channel.post(related);
    const html = await eventually(async () => {
      const messages = (await channel.conversations()).flatMap((one) => one.messages);
      const shown = messages.find(({ html: one }) => one?.includes('Broken'))?.html ?? '';
      expect(shown).toContain('/files/');
      return shown;
    });
    const [, url = ''] = /<img src="([^"]+)" \/>/.exec(html) ?? [];
    expect(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(PNG)).toBe(true);
    expect(html).toContain('data-remote-src="https://track.test/p.png"');
    expect(html).not.toContain('script');
  });
});
