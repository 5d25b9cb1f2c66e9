import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../redis.ts';
import { until } from '../until.ts';

const run = promisify(execFile);

export interface Postfix {
  port: number;
  log(): Promise<string>;
  close(): Promise<void>;
}

/** Whether the tests with a real mail server must be skipped; with CI=true they fail instead. */
export function postfixMissing(): boolean {
  const isMissing = !existsSync('/usr/sbin/postfix') || process.getuid?.() !== 0;
  if (isMissing && process.env['CI'] === 'true') throw new Error('postfix is missing, or not root');
  if (isMissing)
    process.stderr.write('\n!!! SKIPPED: mail passes postfix, which needs to be installed and root !!!\n');
  return isMissing;
}

/** A Postfix of its own that relays the mail of each domain to a port of this machine: its folder, its queue, its port. */
export async function startPostfix(routes: Record<string, number>, more?: string): Promise<Postfix> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-postfix-'));
  await chmod(folder, 0o755);
  const port = await freePort();
  const owner = Number((await run('id', ['-u', 'postfix'])).stdout);
  await mkdir(join(folder, 'data'));
  await chown(join(folder, 'data'), owner, -1);
  await mkdir(join(folder, 'spool'));
  await writeFile(join(folder, 'main.cf'), `${common(folder)}${more ?? routing(routes)}`);
  await writeFile(join(folder, 'master.cf'), services(port));
  await run('postfix', ['-c', folder, 'check']);
  const master = spawn('/usr/lib/postfix/sbin/master', ['-c', folder, '-d'], { stdio: 'ignore' });
  await until(() => existsSync(join(folder, 'spool', 'public', 'pickup')), 10_000);
  return {
    port,
    log: () => readFile(join(folder, 'mail.log'), 'utf8').catch(() => ''),
    async close() {
      const exited = once(master, 'exit');
      master.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Which domain's mail goes to which port of this machine. */
function routing(routes: Record<string, number>): string {
  const transports = Object.entries(routes).map(
    ([domain, port]) => `{ ${domain} = smtp:[127.0.0.1]:${port} }`,
  );
  return `transport_maps = inline:{ ${transports.join(', ')} }
relay_domains = ${Object.keys(routes).join(', ')}
`;
}

function common(folder: string): string {
  return `
compatibility_level = 3.6
queue_directory = ${folder}/spool
data_directory = ${folder}/data
maillog_file = ${folder}/mail.log
maillog_file_prefixes = ${folder}
mail_owner = postfix
setgid_group = postdrop
myhostname = relay.test
mydestination =
local_recipient_maps =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_dns_support_level = disabled
smtpd_relay_restrictions = permit_mynetworks, reject
message_size_limit = 40000000
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
delay_warning_time = 1s
smtp_tls_security_level = none
smtputf8_enable = yes
`;
}

function services(port: number): string {
  return `
127.0.0.1:${port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;
}
