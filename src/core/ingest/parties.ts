import type { StoredCustomer } from '../customers.ts';
import type { Sql } from '../database/connect.ts';
import type { Inbound, Sender } from '../envelope.ts';
import { newId } from '../id.ts';
import { normalPhone } from '../phone.ts';
import type { CustomerRow } from '../views/customer.ts';
import { type IngestChannel, type Item, keyOf, sortedByKey } from './item.ts';

export interface PartyState {
  customer: CustomerRow & Partial<Pick<StoredCustomer, 'blocked_at'>>;
  /** The identity and its customer begin with this batch. */
  isNew: boolean;
}

export interface PartyRow {
  id: string;
  channel_id: string;
  business_id: string;
  customer_id: string;
  kind: string;
  address: string;
  external_id: string | null;
  profile: Record<string, unknown>;
  sender: Sender;
}

/** Everybody who writes in the items, and the groups they write in, in lock order. */
export function sortedParties(items: Item[]): PartyRow[] {
  const rows = new Map<string, PartyRow>();
  for (const { channel, inbound } of items) {
    for (const sender of writersOf(inbound)) {
      const { customer_id: customerId } = addParty(rows, channel, { sender });
      for (const alias of sender.aliases ?? [])
        addParty(rows, channel, { sender: { ...sender, ...alias }, customerId });
    }
  }
  return sortedByKey(rows);
}

/** Who writes or reacts, and the group it is in. */
export function writersOf(inbound: Inbound): Sender[] {
  if (inbound.kind === 'reaction') return [inbound.sender];
  if (inbound.kind !== 'message') return [];
  return inbound.group === undefined ? [inbound.sender] : [inbound.sender, inbound.group];
}

interface Writer {
  sender: Sender;
  /** Of another address of the same person: several of somebody new begin with one customer. */
  customerId?: string;
}

function addParty(
  rows: Map<string, PartyRow>,
  { id: channel_id, businessId: business_id }: IngestChannel,
  { sender, customerId }: Writer,
): PartyRow {
  const key = keyOf(channel_id, sender.address);
  const row = {
    id: newId(),
    channel_id,
    business_id,
    customer_id: customerId ?? rows.get(key)?.customer_id ?? newId(),
    kind: sender.kind,
    address: sender.address,
    external_id: sender.externalId ?? null,
    profile: sender.profile ?? {},
    sender,
  };
  rows.set(key, row);
  return row;
}

/** What the database knows of a party; no customer where its identity was inserted just now. */
export interface KnownParty {
  channel_id: string;
  address: string;
  customer_id: string;
  customer: CustomerRow | null;
}

/** The party with its customer: the one it has, or one that begins with this batch. */
export function partyState(party: PartyRow, known: KnownParty | undefined): PartyState {
  if (known !== undefined && known.customer !== null) return { customer: known.customer, isNew: false };
  return { customer: newCustomer(party, known?.customer_id ?? party.customer_id), isNew: true };
}

function newCustomer(party: PartyRow, id: string): CustomerRow {
  const now = new Date();
  return {
    id,
    business_id: party.business_id,
    name: party.sender.name ?? null,
    email: party.sender.email ?? null,
    phone: party.sender.phone === undefined ? null : normalPhone(party.sender.phone),
    external_id: party.external_id,
    custom_attributes: {},
    created_at: now,
    updated_at: now,
  };
}

/** Who did not write after all (a duplicate, a reaction) becomes nobody's customer. */
export async function forgetUnused(tx: Sql, parties: Map<string, PartyState>): Promise<void> {
  const unused = [...parties.values()].filter(({ isNew }) => isNew).map(({ customer }) => customer.id);
  if (unused.length > 0) await tx`delete from identities where customer_id = any(${unused})`;
}
