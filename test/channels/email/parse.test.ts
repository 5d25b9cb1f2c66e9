import { describe, expect, it } from 'vitest';
import { emailReader } from '../../support/email/adapter.ts';
import { mail, multipart } from '../../support/email/mails.ts';

const { message, bytes, read } = emailReader();
const text = (body: string | Buffer, headers: Record<string, string> = {}) => ({
  headers: { 'Content-Type': 'text/plain; charset=utf-8', ...headers },
  body,
});

describe('reading a mail', () => {
  it.each([
    ['windows-1252', Buffer.from('Gr\xfc\xdfe \x80', 'latin1'), 'Grüße €'],
    ['iso-8859-15', Buffer.from('Gr\xfc\xdfe \xa4', 'latin1'), 'Grüße €'],
    ['koi8-r', Buffer.from([0xf0, 0xd2, 0xc9, 0xd7, 0xc5, 0xd4]), 'Привет'],
    ['shift_jis', Buffer.from([0x82, 0xb1, 0x82, 0xf1, 0x82, 0xc9, 0x82, 0xbf, 0x82, 0xcd]), 'こんにちは'],
    ['iso-2022-jp', Buffer.from('\x1b$B$3$s$K$A$O\x1b(B', 'latin1'), 'こんにちは'],
    ['gb2312', Buffer.from([0xc4, 0xe3, 0xba, 0xc3]), '你好'],
    ['euc-kr', Buffer.from([0xbe, 0xc8, 0xb3, 0xe7]), '안녕'],
    ['utf-8', Buffer.from('👋 مرحبا'), '👋 مرحبا'],
  ])('understands %s', async (charset, body, expected) => {
    const raw = multipart('mixed', [
      text(body, { 'Content-Type': `text/plain; charset=${charset}`, 'Content-Transfer-Encoding': '8bit' }),
    ]);
    expect((await message(raw)).content).toBe(expected);
  });

  it('reads on where a charset is unknown', async () => {
    const raw = mail({
      text: 'Plain enough',
      headers: { 'Content-Type': 'text/plain; charset=x-nobody-knows' },
    });
    expect((await message(raw)).content).toBe('Plain enough');
  });

  it('reads bytes of a charset that nobody named, in the text and in headers', async () => {
    const latin1 = (head: string) =>
      Buffer.from(
        `From: J\xfcrgen <j@customer.test>\r\nSubject: Gr\xfc\xdfe\r\n${head}\r\n\xdcber 5 \x80`,
        'latin1',
      );
    const expected = { sender: { name: 'Jürgen' }, subject: 'Grüße', content: 'Über 5 €' };
    expect(await message(latin1('Content-Type: text/plain\r\n'))).toMatchObject(expected);
    expect(await message(latin1('Content-Type: text/plain; charset=utf-8\r\n'))).toMatchObject(expected);
    expect(await message(latin1('Content-Type: text/plain; charset=windows-1252\r\n'))).toMatchObject(
      expected,
    );
    const html = '<meta charset="iso-8859-2"><p>\xb1\xea</p>';
    const found = await message(
      Buffer.from(`From: j@customer.test\r\nContent-Type: text/html\r\n\r\n${html}`, 'latin1'),
    );
    expect(found.content).toBe('ąę');
  });

  it('reads a subject in the charset of its text', async () => {
    const russian = Buffer.from([0xf0, 0xd2, 0xc9, 0xd7, 0xc5, 0xd4]);
    const raw = Buffer.concat([
      Buffer.from('From: j@customer.test\r\nContent-Type: text/plain; charset=koi8-r\r\nSubject: '),
      russian,
      Buffer.from('\r\n\r\n'),
      russian,
    ]);
    expect(await message(raw)).toMatchObject({ subject: 'Привет', content: 'Привет' });
  });

  it('leaves a text alone whose charset is named, beside one whose is not', async () => {
    const raw = multipart('alternative', [
      { headers: { 'Content-Type': 'text/plain' }, body: Buffer.from('Gr\xfc\xdfe', 'latin1') },
      { headers: { 'Content-Type': 'text/html; charset=koi8-r' }, body: Buffer.from([0xf0, 0xd2, 0xc9]) },
    ]);
    expect(await message(raw)).toMatchObject({ content: 'При' });
  });

  it('reads only the beginning of a huge mail anew, and loses nothing of the rest', async () => {
    const greeting = {
      headers: { 'Content-Type': 'text/plain' },
      body: Buffer.from('Gr\xfc\xdfe', 'latin1'),
    };
    const log = { headers: { 'Content-Type': 'text/csv' }, body: Buffer.alloc(1_200_000, '1,2,3\n') };
    const { content, attachments } = await message(multipart('mixed', [greeting, log, greeting]));
    expect(content).toBe('Grüße\nGr\ufffd\ufffde');
    expect(attachments).toHaveLength(1);
  });

  it('keeps a mail of half a million lines as a file', async () => {
    const { subject, sender, attachments } = await message(mail({ text: '\n'.repeat(500_001) }));
    expect({ subject, sender }).toMatchObject({ subject: 'A question', sender: { kind: 'email' } });
    expect(attachments).toMatchObject([{ name: 'message.eml' }]);
  });

  it('puts the lines of format=flowed together again', async () => {
    const flowed = (text: string, more = '') =>
      mail({ text, headers: { 'Content-Type': `text/plain; charset=utf-8; format=flowed${more}` } });
    expect((await message(flowed('It \nflows.\nIt does not.'))).content).toBe('It flows.\nIt does not.');
    expect((await message(flowed('こんに \nちは', '; delsp=yes'))).content).toBe('こんにちは');
    const answer = '> Is it red, \n> or blue?\n>> Who \n> asks?\n\n It is \nred.\n\n-- \nAda \nLovelace';
    expect(await message(flowed(answer))).toMatchObject({
      content: 'It is red.',
      textFull: '> Is it red, or blue?\n>> Who \n> asks?\n\nIt is red.\n\n-- \nAda Lovelace',
    });
  });

  it('shows the subject of a mail that says nothing else', async () => {
    const blank = { subject: 'Call me', html: '<p>\u200b&nbsp;</p>' };
    expect((await message(mail(blank))).content).toBe('Call me');
    expect((await message(mail({ subject: 'Call me', text: '' }))).content).toBe('Call me');
  });

  it('decodes the words of headers', async () => {
    const raw = mail({
      from: '=?iso-8859-1?Q?J=FCrgen?= <j@customer.test>',
      subject: '=?utf-8?B?8J+RiyBIZWxsbw==?=',
    });
    expect(await message(raw)).toMatchObject({ sender: { name: 'Jürgen' }, subject: '👋 Hello' });
  });

  it('survives 20,000 nested elements', async () => {
    const html = `${'<div>'.repeat(20_000)}deep${'</div>'.repeat(20_000)}`;
    const { content } = await message(mail({ html }));
    expect(content).toContain('deep');
  });

  it('survives 500 nested parts', async () => {
    let raw = text('The innermost');
    for (let depth = 0; depth < 500; depth += 1) {
      raw = {
        headers: { 'Content-Type': `multipart/mixed; boundary=b${depth}` } as never,
        body: `--b${depth}\r\n${Object.entries(raw.headers)
          .map(([name, value]) => `${name}: ${value}`)
          .join('\r\n')}\r\n\r\n${raw.body}\r\n--b${depth}--`,
      };
    }
    const whole = mail({ text: raw.body as string, headers: raw.headers });
    expect((await message(whole)).content).toContain('The innermost');
  });

  it('drops NUL bytes', async () => {
    const found = await message(mail({ text: 'be\0fore', subject: 'a\0b' }));
    expect(found.content.replaceAll('\0', '')).toBe('before');
  });

  it('takes a mail without Date, Message-ID, From and Subject', async () => {
    const found = await message('To: support@shop.test\r\n\r\nWho am I?\r\n');
    expect(found).toMatchObject({ content: 'Who am I?', sender: { address: 'unknown', kind: 'unverified' } });
    expect(found.externalId).toBeUndefined();
    expect(found.occurredAt).toBeUndefined();
  });

  it('has a key that is the same on every way and another for every mail', async () => {
    const one = mail({ headers: { Date: 'Mon, 01 Sep 2025 10:00:00 +0000' }, messageId: '<a@b>' });
    const relayed = `Received: from x by y\r\nDelivered-To: support@shop.test\r\n${one}`;
    const other = one.replace('10:00:00', '10:00:01');
    const keys = await Promise.all(
      [one, relayed, other].map(async (raw) => (await message(raw)).externalEventId),
    );
    expect(keys[0]).toBe(keys[1]);
    expect(keys[2]).not.toBe(keys[0]);
  });

  it('knows the root of a chain however long it is', async () => {
    const chain = Array.from({ length: 3_000 }, (_, n) => `<ref${n}@customer.test>`);
    const answer = (length: number) =>
      message(mail({ headers: { References: chain.slice(0, length).join('\r\n ') } }));
    expect((await answer(3_000)).threadKey).toBe((await answer(2)).threadKey);
    expect((await answer(3_000)).references?.slice(0, 2)).toEqual([chain.at(-1), chain.at(-2)]);
  });

  it('trusts neither of two From headers', async () => {
    const raw = `From: ceo@shop.test\r\n${mail({ from: 'evil@attacker.test' })}`;
    const { sender, metadata } = await message(raw);
    expect(sender).toMatchObject({ kind: 'unverified' });
    expect(sender.email).toBeUndefined();
    expect(sender.address).not.toBe('ceo@shop.test');
    expect(sender.address).not.toBe('evil@attacker.test');
    expect(metadata).toMatchObject({ ambiguous_sender: true });
    const authors = await message(mail({ from: 'ada@customer.test, bob@customer.test' }));
    expect(authors.sender).toMatchObject({ kind: 'unverified' });
  });

  it('knows who wrote although a relay has doubled the From', async () => {
    const raw = `From: Ada <ada@customer.test>\r\n${mail({ from: 'Ada <ada@customer.test>' })}`;
    const { sender, metadata } = await message(raw);
    expect(sender).toMatchObject({ address: 'ada@customer.test', kind: 'email' });
    expect(metadata).not.toHaveProperty('ambiguous_sender');
  });

  it('tells apart those whose From cannot be answered', async () => {
    const senders = await Promise.all(
      ['"ada lovelace"@customer.test', '"grace hopper"@navy.test', 'Nobody', '<>'].map(
        async (from) => (await message(mail({ from }))).sender,
      ),
    );
    expect(senders).toMatchObject([
      { kind: 'unverified', name: '"ada lovelace"@customer.test' },
      { kind: 'unverified', name: '"grace hopper"@navy.test' },
      { kind: 'unverified', name: 'Nobody' },
      { kind: 'unverified', name: 'Unknown sender' },
    ]);
    expect(new Set(senders.map(({ address }) => address)).size).toBe(4);
    expect(senders.every(({ email }) => email === undefined)).toBe(true);
  });

  it('finds an address however it is written', async () => {
    const froms = [
      'ada@customer.test',
      'ada@customer.test (Ada Lovelace)',
      '"Lovelace, Ada" <ADA@Customer.TEST>',
      '"evil@attacker.test" <ada@customer.test>',
      '=?utf-8?q?=22evil=40attacker=2Etest=22?= <ada@customer.test>',
    ];
    const senders = await Promise.all(froms.map(async (from) => (await message(mail({ from }))).sender));
    expect(senders.map(({ address }) => address)).toEqual(froms.map(() => 'ada@customer.test'));
    const unicode = await message(mail({ from: 'Ада <ада@почта.test>' }));
    expect(unicode.sender).toMatchObject({ address: 'ада@почта.test', name: 'Ада' });
    const hidden = await message(mail({ to: 'undisclosed-recipients:;' }));
    expect(hidden.email?.to).toEqual([]);
    const group = await message(mail({ to: 'Team: support@shop.test, b@shop.test;' }));
    expect(group.email?.to).toEqual(['support@shop.test', 'b@shop.test']);
  });

  it('takes the visitor of a web form for the author', async () => {
    const headers = { 'Reply-To': 'Visitor <visitor@customer.test>' };
    const own = await message(mail({ from: 'Shop <support@shop.test>', headers }));
    expect(own.sender).toMatchObject({ address: 'visitor@customer.test', name: 'Visitor' });
    const form = await message(mail({ from: 'noreply@forms.test', headers }));
    expect(form.sender.address).toBe('visitor@customer.test');
    const person = await message(mail({ headers }));
    expect(person.sender.address).toBe('ada@customer.test');
    expect(person.email).toMatchObject({ reply_to: 'visitor@customer.test' });
  });

  it('leaves out what we sent ourselves', async () => {
    const own = { from: 'support@shop.test', messageId: '<0198f7a0-1111-7222-8333-444444444444@shop.test>' };
    expect(await read(mail(own))).toEqual([]);
    expect(await read(mail({ ...own, from: 'ada@customer.test' }))).toHaveLength(1);
  });

  it('shows who wrote first what was forwarded', async () => {
    const quoted =
      'Please help him.\n\n---------- Forwarded message ---------\nFrom: Grace Hopper <grace@navy.test>\nDate: Mon\n\nMy ship sinks.';
    const found = await message(mail({ subject: 'Fwd: Ship', text: quoted }));
    expect(found.sender.address).toBe('ada@customer.test');
    expect(found.metadata).toMatchObject({
      original_sender: { address: 'grace@navy.test', name: 'Grace Hopper', via: 'forwarded' },
    });
    const attached = multipart('mixed', [
      text('See below'),
      { headers: { 'Content-Type': 'message/rfc822' }, body: mail({ from: 'Grace <grace@navy.test>' }) },
    ]);
    expect((await message(attached)).metadata).toMatchObject({
      original_sender: { address: 'grace@navy.test', via: 'attached' },
    });
    const listed = await message(
      mail({
        from: 'Ada via Shop <list@shop.test>',
        headers: { 'X-Original-From': 'Ada <ada@customer.test>' },
      }),
    );
    expect(listed.metadata).toMatchObject({ original_sender: { address: 'ada@customer.test', via: 'list' } });
    expect((await message(mail({ text: 'From: nobody <no@body.test>' }))).metadata).not.toHaveProperty(
      'original_sender',
    );
  });
});

describe('the files of a mail', () => {
  it('keep their names, types and bytes', async () => {
    const file = Buffer.from([0, 1, 2, 253, 254, 255]);
    const raw = multipart('mixed', [
      text('Two files'),
      {
        headers: {
          'Content-Type': 'application/pdf; name="=?utf-8?q?Rechnung_=C3=BC.pdf?="',
          'Content-Transfer-Encoding': 'base64',
          'Content-Disposition': 'attachment',
        },
        body: file.toString('base64'),
      },
      {
        headers: {
          'Content-Type': 'application/octet-stream',
          'Content-Disposition': `attachment; filename*=utf-8''%e2%82%ac.bin`,
          'Content-Transfer-Encoding': 'base64',
        },
        body: Buffer.from('second').toString('base64'),
      },
    ]);
    const { attachments, type, content } = await message(raw);
    expect([type, content]).toEqual(['attachment', 'Two files']);
    expect(attachments).toMatchObject([
      { name: 'Rechnung ü.pdf', contentType: 'application/pdf', sizeBytes: 6, inRequest: true },
      { name: '€.bin', sizeBytes: 6 },
    ]);
    expect(await bytes(raw, String(attachments?.[0]?.ref['part']))).toEqual(file);
    expect((await bytes(raw, String(attachments?.[1]?.ref['part']))).toString()).toBe('second');
  });

  it('without a name get one that says what they are', async () => {
    const nameless = (type: string) => ({
      headers: { 'Content-Type': type, 'Content-Disposition': 'attachment' },
      body: 'x',
    });
    const raw = multipart('mixed', [
      text('hi'),
      nameless('image/png'),
      nameless('application/pdf'),
      nameless('text/calendar'),
      nameless('application/x-strange'),
    ]);
    const names = (await message(raw)).attachments?.map(({ name }) => name);
    expect(names).toEqual(['image-1.png', 'attachment-2.pdf', 'invite-3.ics', 'attachment-4.bin']);
  });

  it('hold invitations, signatures and what Outlook wraps', async () => {
    const parts = [
      'text/calendar; method=REQUEST',
      'application/pgp-signature',
      'application/ms-tnef; name=winmail.dat',
      'application/pkcs7-signature; name=smime.p7s',
    ];
    const raw = multipart('mixed', [
      text('hi'),
      ...parts.map((type) => ({ headers: { 'Content-Type': type }, body: 'x' })),
    ]);
    expect((await message(raw)).attachments?.map(({ contentType }) => contentType)).toEqual([
      'text/calendar',
      'application/pgp-signature',
      'application/ms-tnef',
      'application/pkcs7-signature',
    ]);
  });

  it('hold images that the text shows, by cid in any case, and those that it does not', async () => {
    const image = (cid: string) => ({
      headers: {
        'Content-Type': 'image/png',
        'Content-ID': `<${cid}>`,
        'Content-Transfer-Encoding': 'base64',
      },
      body: 'iVBORw0KGgo=',
    });
    const html = { headers: { 'Content-Type': 'text/html' }, body: '<p>See <img src="CID:Logo@X"></p>' };
    const found = await message(multipart('related', [html, image('logo@x'), image('unused@x')]));
    expect(found.attachments).toHaveLength(2);
    expect(found.html).toContain('attachment:0');
    expect(found.html).not.toMatch(/cid:/i);
  });

  it('hold the mail itself where no parser can read it', async () => {
    const raw = `${mail()}`.replace('\r\n\r\n', `\r\nX-Endless: ${'y'.repeat(2 * 1024 * 1024)}\r\n\r\n`);
    const { attachments, sender } = await message(raw);
    expect(sender.address).toBe('ada@customer.test');
    expect(attachments).toMatchObject([
      { name: 'message.eml', contentType: 'message/rfc822', sizeBytes: raw.length },
    ]);
    expect((await bytes(raw, 'whole')).length).toBe(raw.length);
  });

  it.each(['multipart/mixed', 'multipart/mixed; boundary=another'])(
    'hold the mail itself where no boundary tells its parts apart: %s',
    async (type) => {
      const text = '--b\nContent-Type: text/plain\n\nHello\n--b--';
      const { attachments, subject } = await message(mail({ text, headers: { 'Content-Type': type } }));
      expect(subject).toBe('A question');
      expect(attachments).toMatchObject([{ name: 'message.eml', contentType: 'message/rfc822' }]);
    },
  );

  it('hold text files that are shown with the mail, and not the text of the mail itself', async () => {
    const inline = (type: string, name: string, body: string) => ({
      headers: { 'Content-Type': type, 'Content-Disposition': `inline; filename=${name}` },
      body,
    });
    const raw = multipart('mixed', [
      inline('text/html; charset=utf-8', 'mail.html', '<p>See the log</p>'),
      inline('text/plain; charset=utf-8', 'log.txt', 'ERROR at line 7'),
      inline('text/html', 'page.html', '<p>A page</p>'),
      { headers: { 'Content-Type': 'text/html' }, body: '<p>That is all</p>' },
      inline('application/pdf', 'a.pdf', 'PDF'),
    ]);
    const { content, attachments } = await message(raw);
    expect(content).toBe('See the log\n\nThat is all');
    expect(attachments?.map(({ name }) => name)).toEqual(['log.txt', 'page.html', 'a.pdf']);
    expect((await bytes(raw, String(attachments?.[0]?.ref['part']))).toString()).toBe('ERROR at line 7');
    expect((await bytes(raw, String(attachments?.[2]?.ref['part']))).toString()).toBe('PDF');
  });

  it('are all that some mails are', async () => {
    const only = async (type: string) => {
      const { content, attachments } = await message(mail({ text: 'x', headers: { 'Content-Type': type } }));
      return [content, ...(attachments ?? []).map(({ name }) => name)];
    };
    expect(await only('application/pdf; name=a.pdf')).toEqual(['', 'a.pdf']);
    expect(await only('text/calendar; method=REPLY')).toEqual(['', 'invite-1.ics']);
    expect(await only('application/ms-tnef')).toEqual(['', 'attachment-1.dat']);
    expect(await only('application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m')).toEqual([
      '',
      'smime.p7m',
    ]);
    expect(await only('message/rfc822')).toEqual(['', 'message-1.eml']);
    expect(await only('text/enriched')).toEqual(['', 'attachment-1.txt']);
  });

  it('stand beside the words that they sign', async () => {
    const raw = multipart('signed; protocol="application/pkcs7-signature"', [
      text('Signed words'),
      { headers: { 'Content-Type': 'application/pkcs7-signature; name=smime.p7s' }, body: 'MIIB' },
    ]);
    const { content, attachments } = await message(raw);
    expect([content, attachments?.map(({ name }) => name)]).toEqual(['Signed words', ['smime.p7s']]);
  });
});
