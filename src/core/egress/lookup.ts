import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import { createSlots, type Slots } from '../slots.ts';

/** All addresses of a name, as `dns.promises.lookup(name, { all: true })` gives them. */
export type Lookup = (hostname: string) => Promise<LookupAddress[]>;

// Four seconds in all, less than a connection may take.
const QUESTIONS = { timeout: 1_000, tries: 2 };
const SYSTEM_WAIT_MS = 2_000;
const HOSTS_FILE = process.platform === 'win32' ? 'C:\\Windows\\System32\\drivers\\etc\\hosts' : '/etc/hosts';
// Any other refusal says nothing against the name: many a server refuses what only a search domain completes.
const SILENCE = 'ETIMEOUT';
const LOCALHOST = /(^|\.)localhost\.?$/i;

/**
 * Asks the name servers itself. The system's own lookup holds one of the few threads that all files are read with too:
 * four names whose servers never answer would stop every delivery and every file.
 */
export function createLookup({ servers }: { servers?: string[] } = {}): Lookup {
  const systemThread = createSlots(1);
  return async (hostname) => {
    const own = await fromHostsFile(hostname);
    if (own.length > 0) return own;
    const found = LOCALHOST.test(hostname) ? [] : await askServers(hostname, servers);
    return found.length > 0 ? found : askSystem(hostname, systemThread);
  };
}

async function fromHostsFile(hostname: string): Promise<LookupAddress[]> {
  const text = await readFile(HOSTS_FILE, 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().toLowerCase().split(/\s+/);
    return isIP(address) !== 0 && names.includes(hostname.toLowerCase()) ? [withFamily(address)] : [];
  });
}

/** Empty when the servers know no such name; throws when they give no answer. */
async function askServers(hostname: string, servers: string[] | undefined): Promise<LookupAddress[]> {
  // One for each question, so that it knows the servers of the network that the machine is in now.
  const resolver = new Resolver(QUESTIONS);
  if (servers !== undefined) resolver.setServers(servers);
  const answers = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
  const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  const silence = answers.find((answer) => answer.status === 'rejected' && answer.reason.code === SILENCE);
  if (addresses.length === 0 && silence !== undefined) throw noAnswer(hostname);
  return addresses.map(withFamily);
}

/** For what only the machine knows: names that a search domain completes, those of the local network. */
async function askSystem(hostname: string, systemThread: Slots): Promise<LookupAddress[]> {
  const giveBack = await systemThread.takeWithin(SYSTEM_WAIT_MS);
  if (giveBack === undefined) throw noAnswer(hostname);
  return promisify(systemLookup)(hostname, { all: true }).finally(giveBack);
}

function withFamily(address: string): LookupAddress {
  return { address, family: isIP(address) };
}

function noAnswer(hostname: string): Error {
  return Object.assign(new Error(`the name servers give no answer for ${hostname}`), { code: 'EAI_AGAIN' });
}
