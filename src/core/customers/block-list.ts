import type { Pool, Sql } from '../database/connect.ts';
import type { Inbound, Sender } from '../envelope.ts';
import { normalPhone, phoneForms } from '../phone.ts';
import type { Wake } from '../wake.ts';

/** Says whose messages are not let in. */
export interface BlockList {
  /** Tells of each item whether it comes from, or in a group of, somebody whom the business blocks. */
  of(businessId: string, inbound: readonly Inbound[]): Promise<(inbound: Inbound) => boolean>;
}

const KEEP_MS = 5_000;
const NOBODY = () => false;

/** Remembered for seconds, so that nothing is asked per message; a wake-up for `blocked` forgets it at once. */
export function createBlockList(pool: Pool, wake: Wake): BlockList {
  let known = { at: Number.NEGATIVE_INFINITY, blocked: Promise.resolve(new Map<string, Blocked>()) };
  wake.on('blocked', () => {
    known = { ...known, at: Number.NEGATIVE_INFINITY };
  });

  function current(): Promise<Map<string, Blocked>> {
    if (Date.now() - known.at < KEEP_MS) return known.blocked;
    const loading = { at: Date.now(), blocked: load(pool) };
    known = loading;
    loading.blocked.catch(() => {
      if (known === loading) known = { ...loading, at: Number.NEGATIVE_INFINITY };
    });
    return loading.blocked;
  }

  return {
    async of(businessId, inbound) {
      if (!inbound.some((one) => one.kind === 'message' || one.kind === 'reaction')) return NOBODY;
      const blocked = (await current()).get(businessId);
      if (blocked === undefined) return NOBODY;
      return (one) => sendersOf(one).some((sender) => isBlocked(blocked, sender));
    },
  };
}

interface Blocked {
  /** Addresses as they are compared. */
  keys: Set<string>;
  domains: Set<string>;
}

interface BlockedRow {
  business_id: string;
  kind: 'address' | 'domain';
  value: string;
  identity_kind: string | null;
}

/** Every block of every business: they are few, and a person counts by the addresses that channels vouch for. */
async function load(sql: Sql): Promise<Map<string, Blocked>> {
  const rows = await sql<BlockedRow[]>`
    select business_id, kind, value, null as identity_kind from blocked_senders where kind <> 'person'
    union all
    select b.business_id, 'address', i.address, i.kind from blocked_senders b
    join customers p on p.id = b.customer_id
    join identities i on i.customer_id = coalesce(p.merged_into_id, p.id)
    where b.kind = 'person'`;
  const blocked = new Map<string, Blocked>();
  for (const row of rows) {
    const own = blocked.get(row.business_id) ?? { keys: new Set(), domains: new Set() };
    if (row.kind === 'domain') own.domains.add(row.value);
    else for (const key of keysOfRow(row)) own.keys.add(key);
    blocked.set(row.business_id, own);
  }
  return blocked;
}

function keysOfRow({ value, identity_kind }: BlockedRow): string[] {
  return identity_kind === null ? formsOf(value) : keysOf(value, identity_kind);
}

/** An address as somebody blocked it: a number is compared in every form that networks write it in. */
function formsOf(value: string): string[] {
  return value.startsWith('+') ? phoneForms(value) : [value];
}

function sendersOf(inbound: Inbound): Sender[] {
  if (inbound.kind === 'reaction') return [inbound.sender];
  if (inbound.kind !== 'message') return [];
  return inbound.group === undefined ? [inbound.sender] : [inbound.sender, inbound.group];
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
