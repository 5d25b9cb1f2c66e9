import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../redis.ts';
import { until } from '../until.ts';

export interface Dovecot {
  port: number;
  user: string;
  pass: string;
  /** Puts a mail into the mailbox, as a mail server would. */
  deliver(mail: string | Uint8Array): Promise<void>;
  stop(): Promise<void>;
  /** Stops the server and starts it again on the same port and mailbox. */
  restart(): Promise<void>;
  /** Forgets all numbers of the mailbox while the server is down. */
  renumber(): Promise<void>;
  /** Mails that some reader has marked as seen. */
  seen(): Promise<number>;
  close(): Promise<void>;
}

/** Whether the tests of IMAP must be skipped; with CI=true they fail instead. */
export function dovecotMissing(): boolean {
  const isMissing = !existsSync('/usr/sbin/dovecot');
  if (isMissing && process.env['CI'] === 'true') throw new Error('dovecot is missing');
  if (isMissing)
    process.stderr.write('\n!!! SKIPPED: IMAP is tested against dovecot, which is not installed !!!\n');
  return isMissing;
}

const USER = 'support';
const PASS = 'the-password-of-the-mailbox';
const NOBODY = 65_534;

/** A Dovecot of its own: a folder, a port, one mailbox. */
export async function startDovecot(
  options: { oauth?: { introspectionUrl: string }; idles?: boolean } = {},
): Promise<Dovecot> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-dovecot-'));
  await chmod(folder, 0o755);
  const port = await freePort();
  const mailbox = join(folder, 'mail', USER);
  for (const part of ['', 'cur', 'new', 'tmp']) own(join(mailbox, part));
  await writeFile(join(folder, 'users'), `${USER}:{PLAIN}${PASS}\n`);
  const signsIn = options.oauth === undefined ? passwords(folder) : accessTokens(folder);
  await writeFile(
    join(folder, 'dovecot.conf'),
    configuration(folder, port) + signsIn + (options.idles === false ? WITHOUT_IDLE : ''),
  );
  if (options.oauth)
    await writeFile(join(folder, 'oauth2.conf'), introspection(options.oauth.introspectionUrl));
  let server = await launch(folder, port);

  async function stop(): Promise<void> {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, 'exit');
    server.kill('SIGTERM');
    await exited;
  }

  return {
    port,
    user: USER,
    pass: PASS,
    async deliver(mail) {
      const name = `${Date.now()}.${randomUUID()}.tests`;
      await writeFile(join(mailbox, 'tmp', name), mail);
      if (process.getuid?.() === 0) chownSync(join(mailbox, 'tmp', name), NOBODY, NOBODY);
      await rename(join(mailbox, 'tmp', name), join(mailbox, 'new', name));
    },
    stop,
    async restart() {
      await stop();
      server = await launch(folder, port);
    },
    async renumber() {
      await stop();
      for (const file of await readdir(mailbox)) {
        if (file.startsWith('dovecot')) await rm(join(mailbox, file), { recursive: true });
      }
      server = await launch(folder, port);
    },
    async seen() {
      const files = await readdir(join(mailbox, 'cur'));
      return files.filter((file) => /:2,[A-Z]*S/.test(file)).length;
    },
    async close() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The mailbox belongs to whom the server reads it as: root may not. */
function own(path: string): void {
  mkdirSync(path, { recursive: true });
  if (process.getuid?.() === 0) chownSync(path, NOBODY, NOBODY);
}

async function launch(folder: string, port: number): Promise<ChildProcess> {
  const server = spawn('/usr/sbin/dovecot', ['-F', '-c', join(folder, 'dovecot.conf')], { stdio: 'ignore' });
  await until(() => isListening(port), 10_000);
  return server;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}

function configuration(folder: string, port: number): string {
  const isRoot = process.getuid?.() === 0;
  const me = userInfo().username;
  const group = execFileSync('id', ['-gn']).toString().trim();
  const uid = isRoot ? NOBODY : process.getuid?.();
  const gid = isRoot ? NOBODY : process.getgid?.();
  return `
base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_internal_user = ${isRoot ? 'dovecot' : me}
default_internal_group = ${isRoot ? 'dovecot' : group}
default_login_user = ${isRoot ? 'dovenull' : me}
first_valid_uid = 0
first_valid_gid = 0
mail_location = maildir:${folder}/mail/%u
mail_max_userip_connections = 50
service imap-login {
  ${isRoot ? '' : 'chroot ='}
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
service anvil {
  ${isRoot ? '' : 'chroot ='}
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${folder}/mail/%u
}
namespace inbox {
  inbox = yes
}
`;
}

function passwords(folder: string): string {
  return `
auth_mechanisms = plain login
passdb {
  driver = passwd-file
  args = ${folder}/users
}
`;
}

function accessTokens(folder: string): string {
  return `
auth_mechanisms = xoauth2 oauthbearer
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = ${folder}/oauth2.conf
}
`;
}

/** Dovecot asks this address whose token it is. */
function introspection(url: string): string {
  return `introspection_mode = post
introspection_url = ${url}
username_attribute = username
active_attribute = active
active_value = true
`;
}

// What Dovecot can, less IDLE.
const WITHOUT_IDLE = 'imap_capability = IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE LITERAL+ UIDPLUS\n';
