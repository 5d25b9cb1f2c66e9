import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emailReader } from '../../support/email/adapter.ts';
import { type EmailChannel, emailChannel, INBOUND_SECRET } from '../../support/email/channel.ts';
import { mail } from '../../support/email/mails.ts';
import { eventually, startTestGateway, type TestGateway } from '../../support/gateway.ts';

const { message, bytes } = emailReader();

async function encoded(form: FormData): Promise<{ body: Buffer; type: string }> {
  const response = new Response(form);
  return {
    body: Buffer.from(await response.arrayBuffer()),
    type: response.headers.get('content-type') ?? '',
  };
}

function formOf(fields: Record<string, string | Blob>, files: Record<string, File> = {}): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  for (const [name, file] of Object.entries(files)) form.append(name, file, file.name);
  return form;
}

const fixture = (name: string) => JSON.parse(readFileSync(`test/fixtures/email/door/${name}.json`, 'utf8'));
const png = new File([Buffer.from('PNG bytes')], 'logo.png', { type: 'image/png' });

describe('what providers post', () => {
  it('Mailgun: the mail as it was', async () => {
    const raw = Buffer.from(
      mail({ text: 'Grüße', headers: { 'Content-Type': 'text/plain; charset=iso-8859-1' } }).replace(
        'Grüße',
        'Gr\xfc\xdfe',
      ),
      'latin1',
    );
    const { body, type } = await encoded(
      formOf({ recipient: 'support+r@shop.test', sender: 'ada@customer.test', 'body-mime': new Blob([raw]) }),
    );
    expect(await message(body, type)).toMatchObject({
      content: 'Grüße',
      sender: { address: 'ada@customer.test' },
    });
  });

  it('Mailgun: what it read in the mail', async () => {
    const { body, type } = await encoded(formOf(fixture('mailgun-parsed'), { 'attachment-1': png }));
    expect(await message(body, type)).toMatchObject({
      sender: { address: 'bob@sandbox.test', name: 'Bob' },
      subject: 'Re: Sample POST request',
      content: 'Hi Alice,\n\nThis is Bob.',
      references: ['<517ACC75.5010709@sandbox.test>'],
      attachments: [{ name: 'logo.png', contentType: 'image/png' }],
      metadata: { authentication: { spf: 'pass', dkim: 'pass', by: 'mailgun' } },
    });
    expect((await bytes(body, 'attachment-1', type)).toString()).toBe('PNG bytes');
  });

  it('SendGrid: the mail as it was', async () => {
    const envelope = JSON.stringify({ to: ['support@shop.test'], from: 'ada@customer.test' });
    const { body, type } = await encoded(
      formOf({
        email: mail({ text: 'Raw by SendGrid' }),
        envelope,
        SPF: 'pass',
        dkim: '{@customer.test : pass}',
      }),
    );
    expect(await message(body, type)).toMatchObject({
      content: 'Raw by SendGrid',
      metadata: { authentication: { spf: 'pass', dkim: 'pass', by: 'sendgrid' } },
    });
  });

  it('SendGrid: what it read in the mail', async () => {
    const { body, type } = await encoded(formOf(fixture('sendgrid-parsed'), { attachment1: png }));
    const found = await message(body, type);
    expect(found).toMatchObject({
      sender: { address: 'ada@customer.test' },
      subject: 'Parsed',
      externalId: '<parsed@customer.test>',
    });
    expect(found.html).toContain('attachment:0');
    expect((await bytes(body, 'attachment1', type)).toString()).toBe('PNG bytes');
  });

  it('SendGrid: each field in the charset that it names', async () => {
    const fields = {
      charsets: '{"to":"UTF-8","text":"GBK","html":"iso-8859-1","subject":"UTF-8","from":"UTF-8"}',
      from: 'Ada <ada@customer.test>',
      subject: '日本国',
    };
    const part = (name: string, value: string | Buffer) =>
      Buffer.concat([
        Buffer.from(`--xYzZY\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`),
        Buffer.from(value as string),
        Buffer.from('\r\n'),
      ]);
    const body = Buffer.concat([
      ...Object.entries(fields).map(([name, value]) => part(name, value)),
      part('text', Buffer.from([0xc8, 0xd5, 0xb1, 0xbe, 0xb9, 0xfa])),
      Buffer.from('--xYzZY--\r\n'),
    ]);
    expect(await message(body, 'multipart/form-data; boundary=xYzZY')).toMatchObject({
      subject: '日本国',
      content: '日本国',
    });
    const latin1 = Buffer.concat([
      ...Object.entries(fields).map(([name, value]) => part(name, value)),
      part('html', Buffer.from('<p>Gr\xfc\xdfe</p>', 'latin1')),
      Buffer.from('--xYzZY--\r\n'),
    ]);
    expect((await message(latin1, 'multipart/form-data; boundary=xYzZY')).content).toBe('Grüße');
  });

  it('Postmark: what it read in the mail', async () => {
    const body = JSON.stringify(fixture('postmark'));
    expect(await message(body, 'application/json; charset=utf-8')).toMatchObject({
      sender: { address: 'ada@customer.test', name: 'Ada Lovelace' },
      subject: 'This is an inbound message',
      externalId: '<SDFJKLSDJFLSD@mail.customer.test>',
      references: ['<first@shop.test>'],
      attachments: [{ name: 'test.txt', contentType: 'text/plain', sizeBytes: 12 }],
      metadata: { authentication: { spf: 'pass', by: 'postmark' } },
    });
    expect((await bytes(body, '0', 'application/json')).toString()).toBe('Hello there!');
  });

  it('Postmark: the mail as it was', async () => {
    const body = JSON.stringify({ ...fixture('postmark'), RawEmail: mail({ text: 'Raw by Postmark' }) });
    expect((await message(body, 'application/json')).content).toBe('Raw by Postmark');
  });
});

describe('the door', () => {
  let gateway: TestGateway;
  let channel: EmailChannel;

  beforeAll(async () => {
    gateway = await startTestGateway();
    channel = await emailChannel(gateway, { address: 'support@shop.test' });
  });

  afterAll(() => gateway.stop());

  const knock = async (
    headers: Record<string, string>,
    body: string | Buffer = mail(),
    type = 'message/rfc822',
  ) =>
    (
      await gateway.call('POST', `/webhooks/email/${channel.id}`, body, {
        key: null,
        headers: { 'content-type': type, ...headers },
      })
    ).status;
  const basic = (password: string) => `Basic ${Buffer.from(`anybody:${password}`).toString('base64')}`;
  const hmac = (key: string, text: string) => createHmac('sha256', key).update(text).digest('hex');

  it('opens to the secret as Bearer, as a password, and as the key of a signature', async () => {
    const body = mail();
    expect(await knock({ authorization: `Bearer ${INBOUND_SECRET}` })).toBe(200);
    expect(await knock({ authorization: basic(INBOUND_SECRET) })).toBe(200);
    expect(await knock({ 'x-signature': `sha256=${hmac(INBOUND_SECRET, body)}` }, body)).toBe(200);
  });

  it('stays shut to anything else', async () => {
    const body = mail();
    expect(await knock({})).toBe(401);
    expect(await knock({ authorization: 'Bearer wrong' })).toBe(401);
    expect(await knock({ authorization: basic('wrong') })).toBe(401);
    expect(await knock({ 'x-signature': `sha256=${hmac('wrong', body)}` }, body)).toBe(401);
    expect(await knock({ 'x-signature': `sha256=${hmac(INBOUND_SECRET, body)}` }, `${body}more`)).toBe(401);
  });

  it('opens to Mailgun’s signature while it is fresh', async () => {
    const signed = (timestamp: number, key = INBOUND_SECRET) => {
      const token = 'f'.repeat(50);
      return { timestamp: String(timestamp), token, signature: hmac(key, `${timestamp}${token}`) };
    };
    const post = async (fields: Record<string, string>) => {
      const { body, type } = await encoded(formOf({ ...fields, 'body-mime': mail({ text: 'By Mailgun' }) }));
      return knock({}, body, type);
    };
    const now = Math.floor(Date.now() / 1000);
    expect(await post(signed(now))).toBe(200);
    expect(await post(signed(now, 'another key'))).toBe(401);
    expect(await post(signed(now - 24 * 3_600))).toBe(401);
  });

  it('keeps what no parser reads as failed, and tells the provider that it has it', async () => {
    expect(await knock({ authorization: `Bearer ${INBOUND_SECRET}` }, '{"half": ', 'application/json')).toBe(
      200,
    );
    const { body } = await gateway.call<{ data: unknown[] }>('GET', '/api/v1/inbound-events?status=failed');
    expect(body.data).toHaveLength(1);
  });

  it('is tried by ourselves with a mail that holds nothing', async () => {
    const path = `/api/v1/channels/${channel.id}/test`;
    const { body } = await gateway.call<{ steps: { name: string; ok: boolean }[] }>('POST', path);
    expect(body.steps.find(({ name }) => name === 'door')).toMatchObject({ ok: true });
  });

  it('gives the mail’s files', async () => {
    const { body, type } = await encoded(formOf(fixture('sendgrid-parsed'), { attachment1: png }));
    expect(await knock({ authorization: `Bearer ${INBOUND_SECRET}` }, body, type)).toBe(200);
    await eventually(async () => {
      const [file] = await gateway.pool`select state, size_bytes::int as size, name from attachments`;
      expect(file).toEqual({ state: 'ready', size: 9, name: 'logo.png' });
    });
  });

  it('replays a kept mail as it is understood today, and stores it once', async () => {
    expect(await channel.post(mail({ text: 'Kept' }))).toBe(200);
    const { body } = await gateway.call<{ data: { id: string }[] }>('GET', '/api/v1/inbound-events?limit=1');
    const { status } = await gateway.call('POST', `/api/v1/inbound-events/${body.data[0]?.id}/replay`);
    expect(status).toBe(200);
    expect(await gateway.pool`select 1 from messages where content = 'Kept'`).toHaveLength(1);
  });
});
