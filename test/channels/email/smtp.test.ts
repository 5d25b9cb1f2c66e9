import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase } from '../../support/database.ts';
import { type EmailChannel, emailChannel } from '../../support/email/channel.ts';
import { mail, multipart } from '../../support/email/mails.ts';
import { swaks, swaksMissing } from '../../support/email/swaks.ts';
import { eventually, startTestGateway, type TestGateway } from '../../support/gateway.ts';
import { startRelay } from '../../support/relay.ts';

const RECEIVER = { host: '127.0.0.1', port: 0, lmtp: false, tls: undefined };
const MEGABYTE = 1024 * 1024;

describe.skipIf(swaksMissing())('the SMTP receiver', () => {
  let gateway: TestGateway;
  let channel: EmailChannel;
  let other: EmailChannel;

  beforeAll(async () => {
    gateway = await startTestGateway({ smtp: RECEIVER });
    channel = await emailChannel(gateway, { address: 'support@shop.test' });
    other = await emailChannel(gateway, { address: 'sales@shop.test' });
  });

  afterAll(() => gateway.stop());

  const send = (to: string[], content: string | Uint8Array, more: string[] = []) =>
    swaks({ port: gateway.smtpPort, to, mail: content, more });

  it('says 250 when the mail is stored, and not before', async () => {
    const { code, said } = await send(['Support@Shop.test'], mail({ text: 'By SMTP' }));
    expect(code, said).toBe(0);
    expect(said).toMatch(/<- {2}250 .*stored/);
    const rows = await gateway.pool`select content from messages where content = 'By SMTP'`;
    expect(rows).toHaveLength(1);
  });

  it('keeps the mail as it came, with its envelope in front', async () => {
    await swaks({
      port: gateway.smtpPort,
      to: ['support+tag@shop.test'],
      from: 'bounces@customer.test',
      mail: mail({ text: 'Raw' }),
    });
    const [row] = await gateway.pool<{ body: Buffer }[]>`
      select body from inbound_requests where channel_id = ${channel.id} order by received_at desc limit 1`;
    const text = row?.body.toString() ?? '';
    expect(text).toMatch(
      /^Return-Path: <bounces@customer\.test>\r\nDelivered-To: support\+tag@shop\.test\r\nReceived: from /,
    );
    expect(text).toContain('\r\n\r\nRaw\r\n');
  });

  it('says 550 to an address that is nobody’s, and takes the mail for the others', async () => {
    const { code, said } = await send(['nobody@shop.test'], mail({ text: 'For nobody' }));
    expect(code).not.toBe(0);
    expect(said).toMatch(/550 .*No such mailbox/);
    const mixed = await send(['nobody@shop.test', 'support@shop.test'], mail({ text: 'For some' }));
    expect(mixed.said).toMatch(/250 .*stored/);
    expect(await gateway.pool`select 1 from messages where content like 'For %'`).toHaveLength(1);
  });

  it('gives one mail to each channel that it is for, once', async () => {
    const to = ['support@shop.test', 'sales@shop.test', 'support+x@shop.test'];
    const { said } = await send(to, mail({ text: 'For both' }));
    expect(said).toMatch(/250 .*stored/);
    const rows = await gateway.pool`select channel_id from messages where content = 'For both'`;
    expect(rows.map((row) => row['channel_id']).sort()).toEqual([channel.id, other.id].sort());
  });

  it('says 552 to a mail that is too large, announced or not', async () => {
    const large = Buffer.concat([
      Buffer.from(mail({ text: 'Large' })),
      Buffer.alloc(26 * MEGABYTE, 'x'.repeat(70) + '\r\n'),
    ]);
    const { code, said } = await send(['support@shop.test'], large);
    expect(code).not.toBe(0);
    expect(said).toMatch(/552 .*may have up to/);
    const [announced] = await dialogue(gateway.smtpPort, [
      'EHLO c',
      `MAIL FROM:<a@b.test> SIZE=${30 * MEGABYTE}`,
    ]);
    expect(announced).toMatch(/^552/);
  });

  it('takes a mail of 24 MB, and its file', async () => {
    const bytes = randomBytes(17 * MEGABYTE);
    const encoded = bytes.toString('base64').replace(/.{76}/g, '$&\r\n');
    const headers = {
      'Content-Type': 'application/octet-stream; name=big.bin',
      'Content-Transfer-Encoding': 'base64',
      'Content-Disposition': 'attachment; filename=big.bin',
    };
    const { said } = await send(
      ['support@shop.test'],
      multipart('mixed', [
        { headers: { 'Content-Type': 'text/plain' }, body: 'See the file' },
        { headers, body: encoded },
      ]),
    );
    expect(said).toMatch(/250 .*stored/);
    await eventually(async () => {
      const [file] =
        await gateway.pool`select state, encode(sha256, 'hex') as sha256 from attachments where name = 'big.bin' order by id desc limit 1`;
      expect(file).toEqual({ state: 'ready', sha256: createHash('sha256').update(bytes).digest('hex') });
    }, 40_000);
  }, 60_000);

  it('takes a mail for a hundred of its addresses, and asks to send it to the others again', async () => {
    const to = Array.from({ length: 101 }, (_, n) => `support+${n}@shop.test`);
    const { said } = await send(to, mail({ text: 'For a hundred' }));
    expect(said.match(/452 .*Too many recipients/g)).toHaveLength(1);
    expect(said).toMatch(/250 .*stored/);
    expect(await gateway.pool`select 1 from messages where content = 'For a hundred'`).toHaveLength(1);
  });

  it('takes bounces, which come from nobody', async () => {
    const { said } = await swaks({
      port: gateway.smtpPort,
      to: ['support@shop.test'],
      from: '<>',
      mail: mail({ from: 'mailer-daemon@relay.test', text: 'From nobody' }),
    });
    expect(said).toMatch(/250 .*stored/);
    expect(await gateway.pool`select 1 from messages where content = 'From nobody'`).toEqual([]);
  });

  it('takes mail of people whose address is in letters of their own', async () => {
    const raw =
      'From: Ада <ада@почта.test>\r\nSubject: Вопрос\r\nMessage-ID: <eai@customer.test>\r\n\r\nПривет\r\n.';
    const replies = await dialogue(gateway.smtpPort, [
      'EHLO client.test',
      'MAIL FROM:<ада@почта.test> SMTPUTF8 BODY=8BITMIME',
      'RCPT TO:<support@shop.test>',
      'DATA',
      raw,
    ]);
    expect(replies.at(-1)).toMatch(/^250 .*stored/);
    const [found] = await gateway.pool`
      select m.content, i.address from messages m join identities i on i.customer_id = m.customer_id
      where m.external_id = '<eai@customer.test>'`;
    expect(found).toEqual({ content: 'Привет', address: 'ада@почта.test' });
  });

  it('offers neither a sign-in nor encryption that nobody configured', async () => {
    const [greeting] = await dialogue(gateway.smtpPort, ['EHLO client.test']);
    expect(greeting).not.toMatch(/STARTTLS|AUTH/);
    expect(greeting).toMatch(/SIZE 26214400/);
  });

  it('encrypts with the certificate that it is given', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tributary-tls-'));
    const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=mx.shop.test', '-days', '1'];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', keyFile, '-out', certFile, ...subject],
      { stdio: 'ignore' },
    );
    const secure = await startTestGateway({ smtp: { ...RECEIVER, tls: { keyFile, certFile } } });
    try {
      await emailChannel(secure, { address: 'tls@shop.test' });
      const { said } = await swaks({
        port: secure.smtpPort,
        to: ['tls@shop.test'],
        mail: mail(),
        more: ['--tls'],
      });
      expect(said).toMatch(/TLS started/);
      expect(said).toMatch(/250 .*stored/);
    } finally {
      await secure.stop();
      rmSync(folder, { recursive: true });
    }
  });
});

describe.skipIf(swaksMissing())('the SMTP receiver while the database is away', () => {
  it('says 451, so that the sender keeps the mail, and takes it later', async () => {
    const database = await createTestDatabase();
    const relay = await startRelay(database.url);
    const gateway = await startTestGateway({
      database_: database,
      database: { kind: 'external', url: relay.url },
      smtp: RECEIVER,
    });
    try {
      await emailChannel(gateway, { address: 'away@shop.test' });
      const envelope = ['EHLO c', 'MAIL FROM:<ada@customer.test>', 'RCPT TO:<away@shop.test>', 'DATA'];
      const replies = await dialogue(
        gateway.smtpPort,
        [...envelope, `${mail({ text: 'Kept by the sender' })}.`],
        async (line) => {
          if (line === 'DATA') await relay.cut();
        },
      );
      expect(replies.at(-1)).toMatch(/^451/);
      const refused = await swaks({ port: gateway.smtpPort, to: ['away@shop.test'], mail: mail() });
      expect(refused.said).toMatch(/451 /);
      await relay.restore();
      await eventually(async () => {
        const later = await swaks({
          port: gateway.smtpPort,
          to: ['away@shop.test'],
          mail: mail({ text: 'Later' }),
        });
        expect(later.said).toMatch(/250 .*stored/);
      });
      expect(await database.pool`select content from messages`).toMatchObject([{ content: 'Later' }]);
    } finally {
      await relay.restore().catch(() => {});
      await gateway.stop();
      await relay.stop();
      await database.drop();
    }
  });
});

describe.skipIf(swaksMissing())('the LMTP receiver', () => {
  it('answers for each recipient', async () => {
    const gateway = await startTestGateway({ smtp: { ...RECEIVER, lmtp: true } });
    try {
      await emailChannel(gateway, { address: 'one@shop.test' });
      await emailChannel(gateway, { address: 'two@shop.test' });
      const to = ['one@shop.test', 'two@shop.test'];
      const { said } = await swaks({
        port: gateway.smtpPort,
        to,
        mail: mail({ text: 'By LMTP' }),
        protocol: 'LMTP',
      });
      expect(said).toMatch(/LMTP/);
      const rows = await gateway.pool`select 1 from messages where content = 'By LMTP'`;
      expect(rows).toHaveLength(2);
      const envelope = [
        'LHLO c',
        'MAIL FROM:<ada@customer.test>',
        'RCPT TO:<one@shop.test>',
        'RCPT TO:<two@shop.test>',
        'DATA',
      ];
      const replies = await dialogue(gateway.smtpPort, [...envelope, `${mail()}.`]);
      expect(replies.at(-1)?.match(/^250/gm)).toHaveLength(2);
    } finally {
      await gateway.stop();
    }
  });
});

/** Says the lines one after the other, each after the answer to the one before; the answers after the greeting's. */
async function dialogue(
  port: number,
  lines: string[],
  before: (line: string) => Promise<void> = async () => {},
) {
  const socket = connect(port, '127.0.0.1');
  const replies: string[] = [];
  await once(socket, 'data');
  for (const line of lines) {
    await before(line);
    socket.write(`${line}\r\n`);
    const [reply] = (await once(socket, 'data')) as [Buffer];
    // What belongs to one answer may come in two pieces.
    await new Promise((resolve) => setTimeout(resolve, 100));
    replies.push(reply.toString() + (socket.read()?.toString() ?? ''));
  }
  socket.destroy();
  return lines.length === 1 ? replies : replies.slice(1);
}
