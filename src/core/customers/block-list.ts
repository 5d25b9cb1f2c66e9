import type { Pool, Sql } from '../database/connect.ts';
import type { Inbound, Sender } from '../envelope.ts';
import { writersOf } from '../ingest/parties.ts';
import { normalPhone, phoneForms } from '../phone.ts';
import type { Wake } from '../wake.ts';

/** Says whose messages are not let in. */
export interface BlockList {
  /** Tells of each item whether it comes from, or in a group of, somebody whom the business blocks. */
  of(businessId: string, inbound: readonly Inbound[]): Promise<(inbound: Inbound) => boolean>;
}

// A wake-up tells of changes at once; this is for those that got lost.
const KEEP_MS = 30_000;
const NOBODY = () => false;

interface Known {
  at: number;
  blocked: Promise<Blocked>;
}

/** Remembered by business while its customers write, so that nothing is asked per message; a wake-up for `blocked` forgets it. */
export function createBlockList(pool: Pool, wake: Wake): BlockList {
  const known = new Map<string, Known>();
  wake.on('blocked', (businessId) => (businessId === undefined ? known.clear() : known.delete(businessId)));

  function current(businessId: string): Promise<Blocked> {
    const now = Date.now();
    const found = known.get(businessId);
    if (found !== undefined && now - found.at < KEEP_MS) return found.blocked;
    for (const [id, { at }] of known) if (now - at >= KEEP_MS) known.delete(id);
    const loading = { at: now, blocked: load(pool, businessId) };
    known.set(businessId, loading);
    loading.blocked.catch(() => {
      if (known.get(businessId) === loading) known.delete(businessId);
    });
    return loading.blocked;
  }

  return {
    async of(businessId, inbound) {
      if (!inbound.some((one) => one.kind === 'message' || one.kind === 'reaction')) return NOBODY;
      const blocked = await current(businessId);
      if (blocked.keys.size + blocked.domains.size === 0) return NOBODY;
      return (one) => writersOf(one).some((sender) => isBlocked(blocked, sender));
    },
  };
}

interface Blocked {
  /** Addresses as they are compared. */
  keys: Set<string>;
  domains: Set<string>;
}

interface BlockedRow {
  kind: 'address' | 'domain';
  value: string;
  identity_kind: string | null;
}

/** The business's blocks: a person counts by the addresses that channels vouch for. */
async function load(sql: Sql, businessId: string): Promise<Blocked> {
  const rows = await sql<BlockedRow[]>`
    select kind, value, null as identity_kind from blocked_senders
    where business_id = ${businessId} and kind <> 'person'
    union all
    select 'address', i.address, i.kind from blocked_senders b
    join customers p on p.id = b.customer_id
    join identities i on i.customer_id = coalesce(p.merged_into_id, p.id)
    where b.business_id = ${businessId} and b.kind = 'person'`;
  const domains = rows.filter(({ kind }) => kind === 'domain');
  const addresses = rows.filter(({ kind }) => kind === 'address');
  return {
    keys: new Set(addresses.flatMap(keysOfRow)),
    domains: new Set(domains.map(({ value }) => value)),
  };
}

function keysOfRow({ value, identity_kind }: BlockedRow): string[] {
  return identity_kind === null ? formsOf(value) : keysOf(value, identity_kind);
}

/** An address as somebody blocked it: a number is compared in every form that networks write it in. */
function formsOf(value: string): string[] {
  return value.startsWith('+') ? phoneForms(value) : [value];
}

function isBlocked({ keys, domains }: Blocked, sender: Sender): boolean {
  const addresses = [{ address: sender.address, kind: sender.kind }, ...(sender.aliases ?? [])];
  const own = addresses.flatMap(({ address, kind }) => [...keysOf(address, kind), address.toLowerCase()]);
  if (own.some((key) => keys.has(key))) return true;
  if (sender.phone !== undefined && keys.has(normalPhone(sender.phone))) return true;
  const emails = [sender.email, sender.address].filter((one) => one?.includes('@'));
  return emails.some((one) => one !== undefined && (keys.has(one.toLowerCase()) || isOfDomain(domains, one)));
}

/** The address as it is the same on every channel: mails and numbers are, other ids only where they are of one kind. */
function keysOf(address: string, kind: string): string[] {
  if (address.includes('@')) return [address.toLowerCase()];
  if (kind === 'phone') return phoneForms(address.startsWith('+') ? address : `+${address}`);
  return [`${kind}:${address}`];
}

/** A domain stands for those below it too. */
function isOfDomain(domains: Set<string>, email: string): boolean {
  if (domains.size === 0) return false;
  const labels = (email.toLowerCase().split('@').at(-1) ?? '').split('.');
  return labels.some((_, n) => domains.has(labels.slice(n).join('.')));
}
