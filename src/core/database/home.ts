import { createHash } from 'node:crypto';
import { chown, lstat, mkdir, readFile, readlink, realpath, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Log } from '../log.ts';

/** The user Postgres runs as; undefined means our own. */
export interface User {
  uid: number;
  gid: number;
}

/** The folder that holds one embedded Postgres: its data, log, password and lock. */
export interface Home {
  path: string;
  user: User | undefined;
}

/** Finds or makes the folder of the embedded Postgres below `dataDir`. */
export async function openHome(dataDir: string, log: Log): Promise<Home> {
  const root = process.getuid?.() === 0;
  // Others may pass through to the database but not list the folder; what is secret in it has a mode of its own.
  await mkdir(dataDir, { recursive: true, mode: root ? 0o711 : 0o700 });
  const path = join(await realpath(dataDir), 'postgres');
  if (!root) return ownHome(path);

  const user = await unprivilegedUser(path);
  await makeHome(path, user, log);
  return { path: await realpath(path), user };
}

async function ownHome(path: string): Promise<Home> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  return { path: await realpath(path), user: undefined };
}

// Postgres refuses to run as root. Data that exists keeps its owner.
async function unprivilegedUser(path: string): Promise<User> {
  const existing = await stat(path).catch(() => undefined);
  if (existing && existing.uid !== 0) return { uid: existing.uid, gid: existing.gid };

  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const account = accounts.find((fields) => fields[0] === name);
    // macOS writes nobody's ids as negative numbers.
    if (account) return { uid: Number(account[2]) >>> 0, gid: Number(account[3]) >>> 0 };
  }
  throw new Error(
    'Postgres does not run as root, and this machine has neither a postgres nor a nobody user.',
  );
}

async function makeHome(path: string, user: User, log: Log): Promise<void> {
  if (await reachable(dirname(path), user)) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } else if (!(await exists(path))) {
    await linkElsewhere(path, log);
  }
  await restoreTarget(path);
  await chown(path, user.uid, user.gid);
}

const ELSEWHERE = '/var/lib/tributary';

async function linkElsewhere(path: string, log: Log): Promise<void> {
  // A folder that was deleted and made again must not find the database of its predecessor: the time is in the name.
  const name = createHash('sha256').update(`${path} ${Date.now()}`).digest('hex').slice(0, 16);
  const elsewhere = join(ELSEWHERE, name);
  await mkdir(ELSEWHERE, { recursive: true, mode: 0o711 });
  await mkdir(elsewhere, { mode: 0o700 });
  try {
    await symlink(elsewhere, path);
    log.warn(`The database is in ${elsewhere}: as root it runs as another user, who cannot reach ${path}.`);
  } catch (error) {
    await rm(elsewhere, { recursive: true });
    // Another process that starts at the same moment was faster.
    if (!(await exists(path))) throw error;
  }
}

async function restoreTarget(path: string): Promise<void> {
  const target = await readlink(path).catch(() => undefined);
  if (target === undefined || (await stat(path).catch(() => undefined))) return;
  throw new Error(
    `The database folder ${target} is gone, which ${path} points to. Restore it, or remove the link.`,
  );
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

/** Whether the user may pass every folder down to this path. */
export async function reachable(path: string, user: User): Promise<boolean> {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const { mode, uid, gid } = await stat(folder);
    const executable = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & executable) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
