import { describe, expect, it } from 'vitest';
import { emailReader, tokens } from '../../support/email/adapter.ts';
import { mail, multipart } from '../../support/email/mails.ts';

const { message, receipt } = emailReader();
const ID = '0198f7a0-1111-7222-8333-444444444444';
const SENT = `<${ID}@shop.test>`;

describe('a mail that a program wrote', () => {
  it.each([
    ['auto_reply', { 'Auto-Submitted': 'auto-replied (vacation)' }],
    ['auto_reply', { 'X-Autoreply': 'yes' }],
    ['auto_reply', { 'X-Autorespond': '1' }],
    ['auto_reply', { 'X-Loop': 'help@elsewhere.test' }],
    ['auto_reply', { Precedence: 'auto_reply' }],
    ['notification', { 'Content-Type': 'multipart/report; report-type=disposition-notification' }],
    ['notification', { 'Content-Type': 'multipart/report; report-type=feedback-report' }],
    ['auto_reply', { 'Return-Path': '<>' }],
    ['list', { 'List-Id': '<news.shop.test>' }],
    ['list', { 'List-Unsubscribe': '<mailto:off@shop.test>' }],
    ['list', { Precedence: 'list' }],
    ['bulk', { Precedence: 'bulk' }],
    ['bulk', { Precedence: 'junk' }],
    ['notification', { 'Auto-Submitted': 'auto-generated' }],
    ['notification', { 'Auto-Submitted': 'auto-notified; owner-email="a@b.test"' }],
    ['bounce', { 'X-Failed-Recipients': 'gone@customer.test' }],
    ['bounce', { From: 'Mail Delivery System <MAILER-DAEMON@relay.test>' }],
    ['bounce', { From: 'postmaster@customer.test', 'Return-Path': '<>' }],
    ['notification', { From: 'no-reply@tracker.test' }],
    ['own_address', { From: 'Us <Support@shop.test>' }],
    ['own_address', { From: 'support+anything@shop.test', 'Reply-To': 'support@shop.test' }],
    [
      'auto_reply',
      { 'Content-Type': 'multipart/report; report-type=disposition-notification', 'Return-Path': '<>' },
    ],
  ])('is marked as %s by %o', async (reason, headers) => {
    expect(await message(mail({ headers }))).toMatchObject({
      automatic: true,
      metadata: { automatic_reason: reason },
    });
  });

  it.each([
    'Automatic reply: Your ticket',
    'Out of Office: Your ticket',
    'Abwesenheitsnotiz: Ihre Anfrage',
    'Réponse automatique : Votre demande',
    'Respuesta automática: Su consulta',
    'Risposta automatica: La tua richiesta',
    'Automatisch antwoord: Uw vraag',
    'Autosvar: Din fråga',
    'Automatyczna odpowiedź: Pytanie',
    'Автоматический ответ: Вопрос',
    '自動応答: お問い合わせ',
  ])('is recognised by its subject "%s"', async (subject) => {
    expect(await message(mail({ subject }))).toMatchObject({ automatic: true });
  });

  it.each([
    [{}, 'My automatic reply does not work'],
    [{ 'Auto-Submitted': 'no' }, 'Hello'],
    [{ 'X-Auto-Response-Suppress': 'All' }, 'Written in Outlook'],
    [{ 'Return-Path': '<ada@customer.test>' }, 'Hello'],
    [{ 'X-Autoreply': 'no' }, 'Hello'],
    [{ Precedence: 'first-class' }, 'Hello'],
    [{ 'List-Id': '<support.shop.test>', Precedence: 'list' }, 'To a group that is our address'],
    [{ 'List-Post': '<mailto:support@shop.test>', 'List-Id': 'x' }, 'To a group that is our address'],
    [{ From: 'postmaster@customer.test' }, 'Your mails are refused here, may I help?'],
  ])('is not what has %o and "%s"', async (headers, subject) => {
    expect((await message(mail({ headers, subject }))).automatic).toBeUndefined();
  });

  it('may ask not to be answered although a person wrote it', async () => {
    const headers = { 'X-Auto-Response-Suppress': 'OOF, AutoReply' };
    expect((await message(mail({ headers }))).metadata).toMatchObject({ no_auto_reply: true });
  });
});

interface Dsn {
  groups: string;
  to?: string;
  returned?: string;
  subject?: string;
}

/** A report as Postfix writes it. */
function dsn({
  groups,
  to = 'support@shop.test',
  returned = SENT,
  subject = 'Undelivered Mail Returned to Sender',
}: Dsn): Buffer {
  return multipart(
    'report; report-type=delivery-status',
    [
      {
        headers: { 'Content-Description': 'Notification', 'Content-Type': 'text/plain; charset=us-ascii' },
        body: 'This is the mail system at host relay.test.',
      },
      {
        headers: { 'Content-Type': 'message/delivery-status' },
        body: `Reporting-MTA: dns; relay.test\r\n\r\n${groups}`,
      },
      {
        headers: { 'Content-Type': 'message/rfc822' },
        body: `Message-ID: ${returned}\r\nFrom: support@shop.test\r\n\r\nOur words`,
      },
    ],
    {
      From: 'MAILER-DAEMON@relay.test',
      To: to,
      'Return-Path': '<>',
      'Auto-Submitted': 'auto-replied',
      Subject: subject,
    },
  );
}

const FAILED = `Final-Recipient: rfc822; gone@customer.test\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 User\r\n unknown\r\n`;
const DELAYED = FAILED.replace('failed', 'delayed').replace('5.1.1', '4.4.1');

describe('a delivery report', () => {
  it('is read however a server puts it together', async () => {
    const words = { headers: { 'Content-Type': 'text/plain' }, body: 'It failed' };
    const returned = {
      headers: { 'Content-Type': 'text/rfc822-headers' },
      body: `Subject: x\r\nMessage-Id:\r\n ${SENT}`,
    };
    const report = (body: string, more: Record<string, string> = {}) => ({
      headers: { 'Content-Type': 'message/delivery-status', ...more },
      body,
    });
    const perMessage = 'Reporting-MTA: dns; relay.test\r\n\r\n';
    const top = { From: 'MAILER-DAEMON@relay.test' };
    const whole = report(perMessage + FAILED);
    const reports = [
      multipart('mixed', [words, whole, returned], top),
      multipart('report', [words, report(perMessage.trim() + '\r\n' + FAILED), returned], top),
      multipart(
        'report',
        [
          words,
          report(Buffer.from(perMessage + FAILED).toString('base64'), {
            'Content-Transfer-Encoding': 'base64',
          }),
          returned,
        ],
        top,
      ),
      multipart('report', [words, whole], { ...top, 'In-Reply-To': SENT }),
      Buffer.from(multipart('report', [words, whole, returned], top).toString().replaceAll('\r\n', '\n')),
    ];
    for (const [n, raw] of reports.entries())
      expect(await receipt(raw), String(n)).toMatchObject({
        externalId: SENT,
        status: 'failed',
        error: { providerCode: '5.1.1', message: expect.stringContaining('User unknown') },
      });
  });

  it('fails the message that it returns, with the reason', async () => {
    expect(await receipt(dsn({ groups: FAILED }))).toMatchObject({
      externalId: SENT,
      status: 'failed',
      error: { providerCode: '5.1.1', message: 'gone@customer.test: 550 5.1.1 User unknown' },
    });
  });

  it('fails the message that Amazon knows by another name, with its region', async () => {
    const returned = '<0100-5a0f@eu-west-1.amazonses.com>';
    expect(await receipt(dsn({ groups: FAILED, returned }))).toMatchObject({
      externalId: '<0100-5a0f@email.amazonses.com>',
      status: 'failed',
    });
  });

  it('believes the address that it came to more than what it returns', async () => {
    const to = tokens.bounceAddress('support@shop.test', ID);
    expect(await receipt(dsn({ groups: FAILED, to, returned: '<rewritten@ses.test>' }))).toMatchObject({
      externalId: SENT,
    });
  });

  it('fails nothing when it only says that it takes longer', async () => {
    expect(
      await receipt(dsn({ groups: DELAYED, subject: 'Delayed Mail (still being retried)' })),
    ).toBeUndefined();
    const willRetry = FAILED.replace('5.1.1', '4.4.1').concat(
      'Will-Retry-Until: Mon, 01 Sep 2025 10:00:00 +0000\r\n',
    );
    expect(await receipt(dsn({ groups: willRetry }))).toBeUndefined();
  });

  it('says delivered when all of it was', async () => {
    const groups = FAILED.replace('failed', 'delivered').replace('5.1.1', '2.0.0');
    expect(await receipt(dsn({ groups }))).toMatchObject({ status: 'delivered' });
    expect(await receipt(dsn({ groups: FAILED.replace('failed', 'relayed') }))).toBeUndefined();
  });

  it('of several recipients names each that failed', async () => {
    const other = FAILED.replaceAll('gone@', 'full@').replace('User\r\n unknown', 'Mailbox full');
    const found = await receipt(dsn({ groups: `${FAILED}\r\n${DELAYED}\r\n${other}` }));
    expect(found?.error?.message).toBe(
      'gone@customer.test: 550 5.1.1 User unknown; full@customer.test: 550 5.1.1 Mailbox full',
    );
  });

  it('is a message too, which opens nothing by itself', async () => {
    const found = await message(dsn({ groups: FAILED }));
    expect(found).toMatchObject({ automatic: true, opens: false, metadata: { automatic_reason: 'bounce' } });
    expect(found.metadata?.['delivery_report']).toMatchObject([
      { action: 'failed', status: '5.1.1', recipient: 'gone@customer.test' },
    ]);
    expect(found.references).toContain(SENT);
  });

  it('is understood from servers that write none', async () => {
    const to = tokens.bounceAddress('support@shop.test', ID);
    const exim = mail({
      from: 'Mail Delivery System <Mailer-Daemon@exim.test>',
      to,
      subject: 'Mail delivery failed: returning message to sender',
      headers: { 'X-Failed-Recipients': 'gone@customer.test' },
    });
    expect(await receipt(exim)).toMatchObject({
      externalId: SENT,
      status: 'failed',
      error: { message: 'gone@customer.test could not be delivered.' },
    });
    const warning = mail({
      from: 'Mailer-Daemon@exim.test',
      to,
      subject: 'Warning: message 1abc delayed 24 hours',
    });
    expect(await receipt(warning)).toBeUndefined();
  });

  it('that nobody signed and that returns nothing of ours fails nothing', async () => {
    expect(
      await receipt(mail({ from: 'mailer-daemon@x.test', subject: 'Undelivered mail' })),
    ).toBeUndefined();
  });

  it('of an absence that came to the bounce address is no bounce', async () => {
    const to = tokens.bounceAddress('support@shop.test', ID);
    const away = mail({
      to,
      subject: 'Automatic reply: Hello',
      headers: { 'Auto-Submitted': 'auto-replied', 'Return-Path': '<>' },
    });
    expect(await receipt(away)).toBeUndefined();
    expect((await message(away)).references).toEqual([SENT]);
  });
});
