import { randomUUID } from 'node:crypto';

interface MailParts {
  from?: string;
  to?: string;
  subject?: string;
  text?: string;
  html?: string;
  messageId?: string;
  headers?: Record<string, string>;
}

/** A mail as a person's program writes it. */
export function mail(parts: MailParts = {}): string {
  const {
    from = 'Ada Lovelace <ada@customer.test>',
    to = 'support@shop.test',
    subject = 'A question',
  } = parts;
  const {
    messageId = `<${randomUUID()}@customer.test>`,
    headers = {},
    html,
    text = html ?? 'Hello!',
  } = parts;
  const lines = {
    From: from,
    To: to,
    Subject: subject,
    'Message-ID': messageId,
    Date: new Date().toUTCString(),
    'MIME-Version': '1.0',
    'Content-Type': html === undefined ? 'text/plain; charset=utf-8' : 'text/html; charset=utf-8',
    ...headers,
  };
  const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${head.join('')}\r\n${text.replace(/\r?\n/g, '\r\n')}\r\n`;
}

interface MimePart {
  headers: Record<string, string>;
  body: string | Uint8Array;
}

/** A mail of several parts, each with the headers that it says. */
export function multipart(kind: string, parts: MimePart[], top: Record<string, string> = {}): Buffer {
  const boundary = `b${randomUUID()}`;
  const head = {
    From: 'Ada Lovelace <ada@customer.test>',
    To: 'support@shop.test',
    Subject: 'Several parts',
    'Message-ID': `<${randomUUID()}@customer.test>`,
    Date: new Date().toUTCString(),
    'MIME-Version': '1.0',
    ...top,
    'Content-Type': `multipart/${kind}; boundary="${boundary}"`,
  };
  return Buffer.concat([
    Buffer.from(`${headerBlock(head)}\r\n`),
    ...parts.flatMap(({ headers, body }) => [
      Buffer.from(`--${boundary}\r\n${headerBlock(headers)}\r\n`),
      Buffer.from(body as string),
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${boundary}--\r\n`),
  ]);
}

function headerBlock(headers: Record<string, string>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
}
