import { Resolver } from 'node:dns/promises';
import type { authenticate } from 'mailauth';
import type { Verdict } from './authentication.ts';

/** Where a mail came in; without it only its signatures can be checked. */
export interface Arrival {
  ip: string;
  helo: string;
  /** The envelope's sender. */
  sender: string;
}

export type Authenticator = (raw: Uint8Array, arrival?: Arrival) => Promise<Verdict>;

/** Asks the DNS, as `dns.promises.resolve` does. */
export type Resolve = (name: string, type: string) => Promise<string[] | string[][]>;

const DEADLINE_MS = 4_000;
const REMEMBERED_MS = 300_000;
const MOST_REMEMBERED = 5_000;
const ASKS_AGAIN_AFTER_MS = 30_000;
const NOBODY_CAN_TELL = { spf: 'temperror', dkim: 'temperror', dmarc: 'temperror' };

/** Checks SPF, DKIM and DMARC of mails. A DNS that does not answer makes a mail neither late nor lost, only unchecked. */
export function createAuthenticator(
  us: string,
  resolve: Resolve = systemResolver(),
  { deadlineMs = DEADLINE_MS } = {},
): Authenticator {
  const resolver = remembering(resolve);
  let unreachableUntil = 0;

  return async function verdictOf(raw, arrival) {
    if (Date.now() < unreachableUntil) return { ...NOBODY_CAN_TELL, by: us };
    const { authenticate } = await import('mailauth');
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      unreachableUntil = Date.now() + ASKS_AGAIN_AFTER_MS;
      reject(new Error('the DNS did not answer in time'));
    }, deadlineMs);
    try {
      const checks = { mta: us, resolver, disableArc: true, disableBimi: true };
      const result = await Promise.race([
        authenticate(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength), { ...checks, ...arrival }),
        late,
      ]);
      return { ...read(result), ...(arrival === undefined ? { spf: 'none' } : {}), by: us };
    } catch {
      return { ...NOBODY_CAN_TELL, by: us };
    } finally {
      clearTimeout(timer);
    }
  };
}

type Result = Awaited<ReturnType<typeof authenticate>>;

function read({ spf, dkim, dmarc }: Result): Omit<Verdict, 'by'> {
  const signatures = (dkim?.results ?? []).map(({ status }) => status.result);
  return {
    spf: spf ? spf.status.result : 'none',
    dkim: signatures.includes('pass') ? 'pass' : (signatures[0] ?? 'none'),
    dmarc: dmarc ? dmarc.status.result : 'none',
  };
}

function systemResolver(): Resolve {
  const resolver = new Resolver({ timeout: 1_500, tries: 2 });
  return (name, type) => resolver.resolve(name, type) as Promise<string[] | string[][]>;
}

/** Names that RFC 6761 keeps out of the DNS are not asked for; an answer is good for some minutes. */
function remembering(resolve: Resolve): Resolve {
  const known = new Map<string, { at: number; answer: ReturnType<Resolve> }>();
  return (name, type) => {
    if (/(^|\.)(test|invalid|localhost|example|local|internal)\.?$/i.test(name))
      return Promise.reject(notFound(name));
    const key = `${type} ${name.toLowerCase()}`;
    const before = known.get(key);
    if (before !== undefined && Date.now() - before.at < REMEMBERED_MS) return before.answer;
    if (known.size >= MOST_REMEMBERED) known.clear();
    const answer = resolve(name, type);
    known.set(key, { at: Date.now(), answer });
    answer.catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTFOUND' && error.code !== 'ENODATA') known.delete(key);
    });
    return answer;
  };
}

function notFound(name: string): Error {
  return Object.assign(new Error(`${name} is no name of the DNS`), { code: 'ENOTFOUND' });
}
