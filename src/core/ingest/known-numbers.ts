import type { Sql } from '../database/connect.ts';
import type { Sender } from '../envelope.ts';
import { phoneForms } from '../phone.ts';
import type { CustomerRow } from '../views/customer.ts';
import { type IngestChannel, type Item, keyOf } from './item.ts';
import type { State } from './state.ts';

interface Newcomer {
  channel: IngestChannel;
  sender: Sender;
  forms: string[];
}

/** Who writes from a number for the first time is the customer who has it, where exactly one has it. */
export async function adoptKnownNumbers(tx: Sql, items: Item[], state: State): Promise<void> {
  const newcomers = newcomersOf(items, state);
  if (newcomers.length === 0) return;
  const owners = await findOwners(tx, newcomers);
  for (const { channel, sender, forms } of newcomers) {
    const own = owners.filter((row) => row.business_id === channel.businessId && forms.includes(row.number));
    const [customer, ...others] = new Map(own.map((row) => [row.customer.id, row.customer])).values();
    if (customer === undefined || others.length > 0) continue;
    await tx`
      update identities set customer_id = ${customer.id}
      where channel_id = ${channel.id} and address = ${sender.address}`;
    state.parties.set(keyOf(channel.id, sender.address), { customer, isNew: false });
  }
}

function newcomersOf(items: Item[], { parties }: State): Newcomer[] {
  const found = new Map<string, Newcomer>();
  for (const { channel, inbound } of items) {
    if (inbound.kind !== 'message' || inbound.sender.kind !== 'phone') continue;
    const key = keyOf(channel.id, inbound.sender.address);
    if (parties.get(key)?.isNew !== true) continue;
    found.set(key, { channel, sender: inbound.sender, forms: phoneForms(inbound.sender.address) });
  }
  return [...found.values()];
}

interface Owner {
  business_id: string;
  number: string;
  customer: CustomerRow;
}

async function findOwners(tx: Sql, newcomers: Newcomer[]): Promise<Owner[]> {
  const numbers = newcomers.flatMap(({ forms }) => forms);
  const businesses = newcomers.map(({ channel }) => channel.businessId);
  const rows = await tx<(CustomerRow & { number: string })[]>`
    select c.*, c.phone as number from customers c
    where c.business_id = any(${businesses}::uuid[]) and c.phone = any(${numbers})
      and c.deleted_at is null and c.merged_into_id is null
    union
    select c.*, a.address from customer_addresses a
    join customers o on o.id = a.customer_id and o.business_id = a.business_id
    join customers c on c.id = coalesce(o.merged_into_id, o.id)
    where a.business_id = any(${businesses}::uuid[]) and a.kind = 'phone' and lower(a.address) = any(${numbers})
      and c.deleted_at is null`;
  return rows.map(({ number, ...customer }) => ({ business_id: customer.business_id, number, customer }));
}
