import { readFileSync, writeFileSync } from 'node:fs';

// npm leaves a package of another platform out of the lock when the registry at hand does not have it, and `npm ci` then
// refuses that lock (npm/cli#9846). Named with its version and platform, it is skipped here and installed over there.

const LOCK = new URL('../package-lock.json', import.meta.url);
const SYSTEMS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const PROCESSORS = [
  'arm64',
  'arm',
  'ia32',
  'loong64',
  'mips64el',
  'ppc64',
  'riscv64',
  's390x',
  'wasm32',
  'x64',
];
const MAC_ONLY = 'fsevents';

interface Entry {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
}

complete();

function complete(): void {
  const lock = JSON.parse(readFileSync(LOCK, 'utf8')) as { packages: Record<string, Entry> };
  const added = missingFrom(lock.packages);
  const packages = Object.entries({ ...lock.packages, ...added });
  lock.packages = Object.fromEntries(packages.sort(([a], [b]) => a.localeCompare(b, 'en')));
  writeFileSync(LOCK, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`package-lock.json: ${Object.keys(added).length} packages of other platforms added`);
}

function missingFrom(packages: Record<string, Entry>): Record<string, Entry> {
  const added: Record<string, Entry> = {};
  for (const parent of Object.values(packages)) {
    for (const [name, range] of Object.entries(parent.optionalDependencies ?? {})) {
      const path = `node_modules/${name}`;
      if (packages[path] === undefined) added[path] = placeholder(name, range, parent.dev ?? false);
    }
  }
  return added;
}

function placeholder(name: string, range: string, dev: boolean): Entry {
  const words = name.split(/[/-]/);
  const os = name === MAC_ONLY ? ['darwin'] : SYSTEMS.filter((system) => words.includes(system));
  const cpu = PROCESSORS.filter((processor) => words.includes(processor));
  if (os.length + cpu.length === 0) throw new Error(`${name} names no platform: it has to be locked by hand`);
  return {
    version: range.replace(/^[~^]/, ''),
    ...(cpu.length > 0 && { cpu }),
    ...(dev && { dev }),
    ...libcOf(words),
    optional: true,
    ...(os.length > 0 && { os }),
  };
}

function libcOf(words: string[]): Pick<Entry, 'libc'> {
  if (!words.includes('linux')) return {};
  if (words.some((word) => word.startsWith('musl'))) return { libc: ['musl'] };
  return words.some((word) => word.startsWith('gnu')) ? { libc: ['glibc'] } : {};
}
