import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whether the tests of the receiver must be skipped; with CI=true they fail instead. */
export function swaksMissing(): boolean {
  const isMissing = !existsSync('/usr/bin/swaks');
  if (isMissing && process.env['CI'] === 'true') throw new Error('swaks is missing');
  if (isMissing)
    process.stderr.write(
      '\n!!! SKIPPED: the SMTP receiver is tested with swaks, which is not installed !!!\n',
    );
  return isMissing;
}

interface Swaks {
  port: number;
  to: string[];
  from?: string;
  mail: string | Uint8Array;
  protocol?: 'ESMTP' | 'LMTP';
  more?: string[];
}

/** The conversation of swaks with a server: what each said, and how swaks ended. */
export async function swaks({
  port,
  to,
  from = 'ada@customer.test',
  mail,
  protocol = 'ESMTP',
  more = [],
}: Swaks) {
  const file = join(tmpdir(), `swaks-${randomUUID()}`);
  await writeFile(file, mail);
  const options = ['--server', '127.0.0.1', '--port', String(port), '--to', to.join(','), '--from', from];
  const wire = ['--protocol', protocol, '--data', `@${file}`, '--suppress-data', ...more];
  try {
    return await new Promise<{ code: number; said: string }>((resolve) => {
      execFile('swaks', [...options, ...wire], { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
        resolve({ code: Number(error?.code ?? 0), said: `${stdout}${stderr}` });
      });
    });
  } finally {
    await rm(file);
  }
}
