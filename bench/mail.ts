import { readFile } from 'node:fs/promises';
import { freePort } from '../test/support/redis.ts';
import { type Child, startChild } from './child.ts';
import { type Lab, withGateway } from './lab.ts';
import type { Measured } from './rows.ts';

const MAILS = { count: 4_000, senders: 400, connections: 32 };
const WARM_UP = 800;
const LARGE = { count: 12, senders: 12, connections: 12, fileBytes: 18_000_000 };
const ADDRESS = 'support@bench.example';

/** Mail by SMTP to the commit beside smtp-server alone, and what large mails take of memory. */
export async function measureMail(lab: Lab): Promise<Measured> {
  const [load, floor] = [startChild('./load-mail.ts'), startChild('./floor-smtp.ts')];
  try {
    const alone = await perSecond(load, await floor.ask<number>('start'));
    return { 'smtp-server alone': alone, ...(await measureReceiver(lab, load)) };
  } finally {
    await load.stop();
    await floor.stop();
  }
}

async function measureReceiver(lab: Lab, load: Child): Promise<Measured> {
  const port = await freePort();
  return lab.withDatabase((databaseUrl) =>
    withGateway(
      databaseUrl,
      async ({ call, sql, pid }) => {
        const config = { address: ADDRESS, smtp: { host: '127.0.0.1', port: 2 } };
        await call('POST', '/channels', { type: 'email', config });
        const rate = await perSecond(load, port);
        const [stored] = await sql`select count(*)::int as count from messages`;
        if (stored?.['count'] !== WARM_UP + MAILS.count) throw new Error(`stored ${stored?.['count']} mails`);
        await load.ask('burst', { port, to: ADDRESS, from: WARM_UP + MAILS.count, ...LARGE });
        return { 'mails by SMTP': rate, 'memory with large mails': await peakMegabytes(pid) };
      },
      { SMTP_PORT: String(port) },
    ),
  );
}

async function perSecond(load: Child, port: number): Promise<number> {
  await load.ask('burst', { port, to: ADDRESS, ...MAILS, from: 0, count: WARM_UP });
  const ms = await load.ask<number>('burst', { port, to: ADDRESS, ...MAILS, from: WARM_UP });
  return (MAILS.count * 1_000) / ms;
}

/** The most that the process ever held. */
async function peakMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1_024;
}
