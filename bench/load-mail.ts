// Sends mail: many small ones as fast as they are taken, or some large ones at once.
import { randomBytes } from 'node:crypto';
import { createTransport } from 'nodemailer';
import { serveJobs } from './child.ts';

interface Burst {
  port: number;
  to: string;
  from: number;
  count: number;
  senders: number;
  connections: number;
  /** Of one file in each mail; none: a text. */
  fileBytes?: number;
}

serveJobs({ burst });

/** Milliseconds until the last mail was taken. */
async function burst({ port, to, from, count, senders, connections, fileBytes = 0 }: Burst): Promise<number> {
  const options = { host: '127.0.0.1', port, pool: true, maxConnections: connections, maxMessages: Infinity };
  const transport = createTransport({ ...options, ignoreTLS: true } as object);
  const file = fileBytes === 0 ? '' : randomBytes(fileBytes).toString('base64').replace(/.{76}/g, '$&\r\n');
  const begunAt = performance.now();
  await Promise.all(
    Array.from({ length: count }, (_, n) => {
      const sender = `customer${(from + n) % senders}@bench.test`;
      const raw =
        fileBytes === 0 ? textMail(sender, to, from + n) : fileMail(sender, to, { n: from + n, file });
      return transport.sendMail({ envelope: { from: sender, to }, raw });
    }),
  );
  const ms = performance.now() - begunAt;
  transport.close();
  return ms;
}

function head(sender: string, to: string, n: number): string {
  const id = `<${n}@bench.test>`;
  const date = new Date(1_756_713_600_000 + n * 1_000).toUTCString();
  return `From: Customer <${sender}>\r\nTo: ${to}\r\nSubject: Question ${n}\r\nMessage-ID: ${id}\r\nDate: ${date}\r\nMIME-Version: 1.0\r\n`;
}

function textMail(sender: string, to: string, n: number): string {
  const words = 'Hello, where is my order? I wait since Monday, and nobody tells me anything.\r\n'.repeat(10);
  return `${head(sender, to, n)}Content-Type: text/plain; charset=utf-8\r\n\r\n${words}`;
}

function fileMail(sender: string, to: string, { n, file }: { n: number; file: string }): string {
  const part =
    'Content-Type: application/octet-stream; name=big.bin\r\nContent-Transfer-Encoding: base64\r\n';
  return `${head(sender, to, n)}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee the file.\r\n--b\r\n${part}\r\n${file}\r\n--b--\r\n`;
}
