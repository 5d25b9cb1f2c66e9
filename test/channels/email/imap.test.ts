import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Inbound } from '../../../src/core/envelope.ts';
import { emailReader } from '../../support/email/adapter.ts';
import { emailChannel } from '../../support/email/channel.ts';
import { type Dovecot, dovecotMissing, startDovecot } from '../../support/email/dovecot.ts';
import { mail } from '../../support/email/mails.ts';
import { eventually, startTestGateway, type TestGateway } from '../../support/gateway.ts';

describe.skipIf(dovecotMissing())('a mailbox at a real IMAP server', () => {
  let gateway: TestGateway;
  let dovecot: Dovecot;
  const opened: { close(): Promise<void> }[] = [];

  beforeAll(async () => {
    gateway = await startTestGateway();
  });

  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });

  afterAll(() => gateway.stop());

  let addresses = 0;

  async function connected(config: Record<string, unknown> = {}) {
    dovecot = await startDovecot();
    opened.push(dovecot);
    addresses += 1;
    const { port, user, pass } = dovecot;
    const imap = { host: '127.0.0.1', port, secure: false, user, pass };
    const channel = await emailChannel(gateway, { address: `box${addresses}@shop.test`, imap, ...config });
    await eventually(() => isListening(channel.id));
    return channel;
  }

  async function isListening(id: string): Promise<void> {
    const [row] = await gateway.pool`select listen_state ->> 'uid' as uid from channels where id = ${id}`;
    if (row?.['uid'] == null) throw new Error('nobody listens yet');
  }

  async function contentsOf(channel: Awaited<ReturnType<typeof connected>>) {
    const all = await channel.conversations();
    return all.flatMap(({ messages }) => messages.map(({ content }) => content)).sort();
  }

  it('is read as soon as mail comes, and left as it was', async () => {
    const channel = await connected();
    await dovecot.deliver(mail({ text: 'Over IMAP' }));
    await eventually(async () => expect(await contentsOf(channel)).toEqual(['Over IMAP']));
    expect(await dovecot.seen()).toBe(0);
    const health = await gateway.call<{ detail: string }>('GET', `/api/v1/channels/${channel.id}/health`);
    expect(health.body.detail).toContain('The mailbox can be read: INBOX has 1 mails.');
  });

  it('gives its attachments', async () => {
    const channel = await connected();
    const headers = { 'Content-Type': 'image/png; name="a.png"', 'Content-Transfer-Encoding': 'base64' };
    const png =
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
    await dovecot.deliver(mail({ text: png, headers }));
    await eventually(async () => {
      const [attachment] = (await channel.conversations())[0]?.messages[0]?.attachments ?? [];
      expect(attachment).toMatchObject({ name: 'a.png', type: 'image/png', state: 'ready' });
      const file = await fetch(attachment?.url ?? '');
      expect(Buffer.from(await file.arrayBuffer()).toString('base64')).toBe(png);
    });
  });

  it('begins with what comes after it was connected', async () => {
    dovecot = await startDovecot();
    opened.push(dovecot);
    await dovecot.deliver(mail({ text: 'Years ago' }));
    const { port, user, pass } = dovecot;
    const imap = { host: '127.0.0.1', port, secure: false, user, pass };
    const channel = await emailChannel(gateway, { address: 'history@shop.test', imap });
    await eventually(() => isListening(channel.id));
    await dovecot.deliver(mail({ text: 'Today' }));
    await eventually(async () => expect(await contentsOf(channel)).toEqual(['Today']));
  });

  it('is read on after the server was away, and nothing that came meanwhile is lost', async () => {
    const channel = await connected();
    await dovecot.deliver(mail({ text: 'before' }));
    await eventually(async () => expect(await contentsOf(channel)).toEqual(['before']));
    await dovecot.stop();
    await dovecot.deliver(mail({ text: 'meanwhile' }));
    await dovecot.restart();
    await dovecot.deliver(mail({ text: 'after' }));
    await eventually(
      async () => expect(await contentsOf(channel)).toEqual(['after', 'before', 'meanwhile']),
      30_000,
    );
  });

  it('gives each mail once although its numbers change', async () => {
    const channel = await connected();
    await dovecot.deliver(mail({ text: 'before' }));
    await eventually(async () => expect(await contentsOf(channel)).toEqual(['before']));
    await dovecot.renumber();
    await dovecot.deliver(mail({ text: 'after' }));
    await eventually(async () => expect(await contentsOf(channel)).toEqual(['after', 'before']), 30_000);
    // It was looked through again, and what was known was recognised.
    const requests = await gateway.pool`select status from inbound_requests where channel_id = ${channel.id}`;
    expect(requests.map(({ status }) => status).sort()).toEqual(['ignored', 'processed', 'processed']);
  });

  it('is asked from time to time where the server tells nothing by itself', async () => {
    dovecot = await startDovecot({ idles: false });
    opened.push(dovecot);
    const { adapter, channel, close } = emailReader(
      {
        imap: {
          host: '127.0.0.1',
          port: dovecot.port,
          secure: false,
          user: dovecot.user,
          pass: dovecot.pass,
        },
      },
      undefined,
      { pollMs: 50 },
    );
    const stopping = new AbortController();
    const received: Inbound[] = [];
    let began = false;
    const listening = adapter.listen?.(channel, {
      signal: stopping.signal,
      state: {},
      receive: async (_raw, inbound) => void received.push(...inbound),
      saveState: async () => {
        began = true;
      },
      keepSecret: async () => {},
      log: () => {},
    });
    // Before its server goes.
    opened.unshift({
      async close() {
        stopping.abort();
        await listening;
        await close();
      },
    });
    await eventually(() => expect(began).toBe(true));
    await dovecot.deliver(mail({ text: 'Asked for' }));
    await eventually(() => expect(received).toMatchObject([{ content: 'Asked for' }]));
  });

  it('tells of a mail that is too large to be taken', async () => {
    const channel = await connected({ max_message_bytes: 65_536 });
    await dovecot.deliver(mail({ subject: 'Large', text: 'x'.repeat(70_000) }));
    await eventually(async () => {
      const [conversation] = await channel.conversations();
      expect(conversation?.subject).toBe('Large');
      expect(conversation?.messages[0]?.content).toContain('too large to be shown here');
    });
  });

  it('is refused at once when the password is wrong, without a word of it', async () => {
    dovecot = await startDovecot();
    opened.push(dovecot);
    const imap = {
      host: '127.0.0.1',
      port: dovecot.port,
      secure: false,
      user: 'support',
      pass: 'not the password',
    };
    const smtp = { host: '127.0.0.1', port: 1 };
    const { status, body } = await gateway.call('POST', '/api/v1/channels', {
      type: 'email',
      config: { address: 'wrong@shop.test', imap, smtp },
    });
    expect(status).toBe(422);
    expect(JSON.stringify(body)).toContain('refuses the user or the password');
    expect(JSON.stringify(body)).not.toContain('not the password');
  });

  it('is read by one process of several', async () => {
    const second = await startTestGateway({ database_: gateway.database });
    opened.push({ close: () => second.stop() });
    const channel = await connected();
    for (const text of ['one', 'two', 'three']) await dovecot.deliver(mail({ text }));
    await eventually(async () => expect(await contentsOf(channel)).toEqual(['one', 'three', 'two']));
    const requests = await gateway.pool`select status from inbound_requests where channel_id = ${channel.id}`;
    expect(requests.map(({ status }) => status)).toEqual(['processed', 'processed', 'processed']);
  });

  it('lets in with access tokens that are refreshed', async () => {
    const provider = await startProvider();
    opened.push(provider);
    dovecot = await startDovecot({ oauth: { introspectionUrl: `${provider.url}/introspect` } });
    opened.push(dovecot);
    const imap = { host: '127.0.0.1', port: dovecot.port, secure: false, user: 'support' };
    const oauth = {
      provider: 'microsoft',
      client_id: 'our client',
      client_secret: 'our secret',
      refresh_token: 'the first refresh token',
      token_url: `${provider.url}/token`,
    };
    const channel = await emailChannel(gateway, { address: 'oauth@shop.test', imap, oauth });
    await eventually(() => isListening(channel.id));
    await dovecot.deliver(mail({ text: 'With a token' }));
    await eventually(async () => expect(await contentsOf(channel)).toEqual(['With a token']));
    // The token that the server knows ends: the next sign-in asks for another.
    provider.revoke();
    await dovecot.restart();
    await dovecot.deliver(mail({ text: 'With the next token' }));
    await eventually(
      async () => expect(await contentsOf(channel)).toEqual(['With a token', 'With the next token']),
      30_000,
    );
    // Each answer brought another refresh token: the newest is kept for the day the first one ends.
    await eventually(() => expect(provider.asked().at(-1)).toMatch(/^refresh \d/), 30_000);
    expect(provider.asked()[0]).toBe('the first refresh token');
    const { body } = await gateway.call('GET', `/api/v1/channels/${channel.id}`);
    expect(JSON.stringify(body)).not.toMatch(/our secret|first refresh token/);
  });

  it('says that the account must be connected again when the provider takes its consent back', async () => {
    const provider = await startProvider();
    opened.push(provider);
    provider.refuse();
    const imap = { host: '127.0.0.1', port: 1, secure: false, user: 'support' };
    const oauth = {
      provider: 'google',
      client_id: 'c',
      refresh_token: 'gone',
      token_url: `${provider.url}/token`,
    };
    const { status, body } = await gateway.call('POST', '/api/v1/channels', {
      type: 'email',
      config: { address: 'gone@shop.test', imap, oauth, smtp: { host: '127.0.0.1', port: 1 } },
    });
    expect(status).toBe(422);
    expect(JSON.stringify(body)).toContain('invalid_grant');
  });
});

interface Provider {
  url: string;
  asked(): string[];
  revoke(): void;
  refuse(): void;
  close(): Promise<void>;
}

/** Google's and Microsoft's token endpoint, and what tells Dovecot whose token it is. */
async function startProvider(): Promise<Provider> {
  let serial = 0;
  let isRefusing = false;
  const valid = new Set<string>();
  const asked: string[] = [];
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    const answer = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.url === '/introspect') {
      answer(200, { active: valid.has(form.get('token') ?? ''), username: 'support' });
    } else if (isRefusing || form.get('grant_type') !== 'refresh_token') {
      answer(400, { error: 'invalid_grant' });
    } else {
      serial += 1;
      asked.push(form.get('refresh_token') ?? '');
      valid.add(`access ${serial}`);
      answer(200, {
        access_token: `access ${serial}`,
        expires_in: 3_600,
        refresh_token: `refresh ${serial}`,
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => asked,
    revoke: () => valid.clear(),
    refuse() {
      isRefusing = true;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
