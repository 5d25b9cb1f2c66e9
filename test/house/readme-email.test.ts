import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { authenticate } from 'mailauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emailChannel } from '../support/email/channel.ts';
import { type Dovecot, dovecotMissing, startDovecot } from '../support/email/dovecot.ts';
import { mail } from '../support/email/mails.ts';
import { type Postfix, postfixMissing, startPostfix } from '../support/email/postfix.ts';
import { type Recipient, startRecipient } from '../support/email/recipient.ts';
import { swaks, swaksMissing } from '../support/email/swaks.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';

const run = promisify(execFile);
const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');

/** The commands of the README as printed. */
function printed(info: string): string {
  const text = new RegExp(`^\`\`\`${info}\\n(.*?)^\`\`\``, 'ms').exec(readme)?.[1];
  if (text === undefined) throw new Error(`the README has no block "${info}"`);
  return text;
}

const isMissing = [dovecotMissing(), postfixMissing(), swaksMissing()].includes(true);

describe.skipIf(isMissing)('connecting email as the README says, against real servers', () => {
  let gateway: TestGateway;
  let dovecot: Dovecot;
  let postfix: Postfix;
  let customers: Recipient;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tributary-readme-'));
    customers = await startRecipient();
    gateway = await startTestGateway({ smtp: { host: '127.0.0.1', port: 0, lmtp: false, tls: undefined } });
    dovecot = await startDovecot();
    postfix = await startPostfix({ 'example.org': customers.port });
  }, 60_000);

  afterAll(async () => {
    for (const one of [postfix, dovecot, customers]) await one?.close();
    await gateway?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs the block with the names of our servers in place of the examples'; what it printed first as JSON. */
  async function follow(
    info: string,
    { to = gateway, ...more }: { to?: TestGateway } & Record<string, unknown> = {},
  ) {
    const commands = printed(info)
      .replace(
        '"host": "smtp.example.com", "port": 587, "user": "support@example.com", "pass": "PASSWORD"',
        `"host": "127.0.0.1", "port": ${postfix.port}`,
      )
      .replace(
        '"host": "imap.example.com", "port": 993, "secure": true, "user": "support@example.com"',
        `"host": "127.0.0.1", "port": ${dovecot.port}, "secure": false, "user": "${dovecot.user}"`,
      )
      .replace('PASSWORD', dovecot.pass)
      .replace('2525', String(to.smtpPort));
    const script = [
      'set -euo pipefail',
      'curl() { command curl --fail-with-body -sS "$@" && echo; }',
      commands,
    ].join('\n');
    const env = { ...process.env, URL: to.url, KEY: to.apiKey, ...(more as Record<string, string>) };
    const { stdout } = await run('bash', ['-c', script], { cwd: folder, env });
    return stdout;
  }

  const received = (text: string, from = gateway) =>
    eventually(async () => {
      const rows = await from.pool`select conversation_id from messages where content = ${text}`;
      expect(rows).toHaveLength(1);
      return String(rows[0]?.['conversation_id']);
    });

  it('1. a mailbox, and the answer leaves by SMTP', async () => {
    const channel = JSON.parse(await follow('sh email imap'));
    expect(channel.setup.todo).toEqual([]);
    await eventually(async () => {
      const [row] =
        await gateway.pool`select listen_state ->> 'uid' as uid from channels where id = ${channel.id}`;
      expect(row?.['uid']).not.toBeNull();
    });
    await dovecot.deliver(mail({ from: 'ada@example.org', text: 'By IMAP' }));
    const conversation = await received('By IMAP');
    const { status } = await gateway.call('POST', `/api/v1/conversations/${conversation}/messages`, {
      content: 'And back',
    });
    expect(status).toBe(202);
    await eventually(() => expect(customers.taken.at(-1)?.raw).toContain('And back'));
  }, 60_000);

  it('2. SMTP, then 4. HTTP', async () => {
    const answer = await follow('sh email smtp');
    await received('By SMTP');
    const channel = JSON.parse(answer.slice(0, answer.indexOf('\n')));
    await writeFile(join(folder, 'mail.eml'), mail({ text: 'By HTTP' }));
    await follow('sh email http', {
      WEBHOOK_URL: channel.webhook_url,
      INBOUND_SECRET: channel.generated.inbound_secret,
    });
    await received('By HTTP');
  }, 60_000);

  it('3. LMTP, behind Postfix', async () => {
    const behind = await startTestGateway({
      smtp: { host: '127.0.0.1', port: 0, lmtp: true, tls: undefined },
    });
    const settings = printed('ini email postfix').replace('2424', String(behind.smtpPort));
    const front = await startPostfix({}, settings);
    try {
      const config = { address: 'hello@help.example.com', smtp: { host: '127.0.0.1', port: postfix.port } };
      expect((await behind.call('POST', '/api/v1/channels', { type: 'email', config })).status).toBe(201);
      const { said } = await swaks({
        port: front.port,
        to: ['hello@help.example.com'],
        mail: mail({ text: 'By LMTP' }),
      });
      expect(said).toMatch(/250 .*queued/);
      await received('By LMTP', behind);
    } finally {
      await front.close();
      await behind.stop();
    }
  }, 60_000);

  it('signs what it sends with the key that the README makes, as its record lets anybody check', async () => {
    const smtp = { host: '127.0.0.1', port: postfix.port };
    const channel = await emailChannel(gateway, { address: 'signed@example.com', smtp });
    const said = await follow('sh email dkim', { CHANNEL: channel.id });
    const record = /^tributary\._domainkey\.example\.com TXT (.*)$/m.exec(said)?.[1] ?? '';
    await channel.post(mail({ from: 'ada@example.org', to: channel.address, text: 'Signed?' }));
    const path = `/api/v1/conversations/${await received('Signed?')}/messages`;
    expect((await gateway.call('POST', path, { content: 'Signed, größer.' })).status).toBe(202);
    const raw = await eventually(() => {
      const found = customers.taken.find((one) => String(one.raw).includes('signed@example.com'));
      if (found === undefined) throw new Error('not here yet');
      return found.raw;
    });
    const resolver = async (name: string) => {
      if (name === 'tributary._domainkey.example.com') return [[record]];
      throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    };
    const { dkim } = await authenticate(raw, { ip: '127.0.0.1', resolver } as never);
    expect(dkim.results[0]?.status.result).toBe('pass');
  }, 60_000);
});
