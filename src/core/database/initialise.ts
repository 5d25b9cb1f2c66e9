import { randomBytes } from 'node:crypto';
import { chown, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Binaries } from './binaries.ts';
import type { Home } from './home.ts';
import { run } from './run.ts';

export const USER = 'tributary';

/** Creates the data and its password on the first start; resolves with the password. */
export async function initialise(
  home: Home,
  binaries: Binaries,
  settings: Record<string, string>,
): Promise<string> {
  const passwordFile = join(home.path, 'password');
  const version = await readFile(join(home.path, 'data', 'PG_VERSION'), 'utf8').catch(() => undefined);
  if (version === undefined) await createData(home, binaries, settings['fsync'] === 'off');
  else checkVersion(version.trim(), binaries.majorVersion);
  return (await readFile(passwordFile, 'utf8')).trim();
}

function checkVersion(found: string, bundled: string): void {
  if (found === bundled) return;
  throw new Error(`The data in DATA_DIR is of Postgres ${found}, this Tributary brings Postgres ${bundled}.`);
}

const LOCALE = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
// What search takes for a letter: by C only those of English. Not every machine has the others.
const LETTERS = ['C.UTF-8', 'en_US.UTF-8', 'C'];

// Built aside and renamed, so that a kill in the middle leaves nothing half made.
async function createData(home: Home, binaries: Binaries, unsynced: boolean): Promise<void> {
  const passwordFile = join(home.path, 'password');
  const unfinished = join(home.path, 'data.new');
  await rm(unfinished, { recursive: true, force: true });
  await writeFile(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
  if (home.user) await chown(passwordFile, home.user.uid, home.user.gid);
  const access = [`--username=${USER}`, '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  const sync = unsynced ? ['--no-sync'] : [];
  await tryEach(LETTERS, (letters) =>
    run(home, binaries.initdb, ['-D', unfinished, ...access, ...LOCALE, `--lc-ctype=${letters}`, ...sync]),
  );
  await rename(unfinished, join(home.path, 'data'));
}

async function tryEach<T>([first, ...others]: T[], attempt: (one: T) => Promise<unknown>): Promise<void> {
  try {
    await attempt(first as T);
  } catch (error) {
    if (others.length === 0) throw error;
    await tryEach(others, attempt);
  }
}
