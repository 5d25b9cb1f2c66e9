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

/**
 * Who writes from a number or a proven mail address for the first time is the customer who has it, where exactly one
 * has it.
 */
export async function adoptKnownAddresses(tx: Sql, items: Item[], state: State): Promise<void> {
  const newcomers = newcomersOf(items, state);
  if (newcomers.length === 0) return;
  const owners = await findOwners(tx, newcomers);
  for (const { channel, sender, forms } of newcomers) {
    const own = owners.filter((row) => row.business_id === channel.businessId && forms.includes(row.address));
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
    if (inbound.kind !== 'message') continue;
    const { sender } = inbound;
    const key = keyOf(channel.id, sender.address);
    const forms = parties.get(key)?.isNew === true ? formsOf(sender) : [];
    if (forms.length > 0) found.set(key, { channel, sender, forms });
  }
  return [...found.values()];
}

/** Anybody can write any address into a mail: it counts where it is proven. */
function formsOf({ kind, address, isProven }: Sender): string[] {
  if (kind === 'phone') return phoneForms(address);
  return kind === 'email' && isProven === true ? [address.toLowerCase()] : [];
}

interface Owner {
  business_id: string;
  address: string;
  customer: CustomerRow;
}

async function findOwners(tx: Sql, newcomers: Newcomer[]): Promise<Owner[]> {
  const businesses = newcomers.map(({ channel }) => channel.businessId);
  const formsOfKind = (kind: string) =>
    newcomers.filter(({ sender }) => sender.kind === kind).flatMap(({ forms }) => forms);
  const [numbers, emails] = [formsOfKind('phone'), formsOfKind('email')];
  const rows = await Promise.all([
    numbers.length === 0 ? [] : ownersOfNumbers(tx, businesses, numbers),
    emails.length === 0 ? [] : ownersOfEmails(tx, businesses, emails),
  ]);
  return rows.flat().map(({ form, ...customer }) => {
    return { business_id: customer.business_id, address: form, customer };
  });
}

type OwnerRow = CustomerRow & { form: string };

function ownersOfNumbers(tx: Sql, businesses: string[], numbers: string[]) {
  return tx<OwnerRow[]>`
    select c.*, c.phone as form from customers c
    where c.business_id = any(${businesses}::uuid[]) and c.phone = any(${numbers})
      and c.deleted_at is null and c.merged_into_id is null
    union
    select c.*, a.address from customer_addresses a
    join customers o on o.id = a.customer_id and o.business_id = a.business_id
    join customers c on c.id = coalesce(o.merged_into_id, o.id)
    where a.business_id = any(${businesses}::uuid[]) and a.kind = 'phone' and lower(a.address) = any(${numbers})
      and c.deleted_at is null`;
}

/** An address that somebody only typed into a web chat is not theirs: its owner does not become them. */
function ownersOfEmails(tx: Sql, businesses: string[], emails: string[]) {
  return tx<OwnerRow[]>`
    select * from (
      select c.*, lower(c.email) as form from customers c
      where c.business_id = any(${businesses}::uuid[]) and lower(c.email) = any(${emails})
        and c.deleted_at is null and c.merged_into_id is null
      union
      select c.*, lower(a.address) from customer_addresses a
      join customers o on o.id = a.customer_id and o.business_id = a.business_id
      join customers c on c.id = coalesce(o.merged_into_id, o.id)
      where a.business_id = any(${businesses}::uuid[]) and a.kind = 'email' and lower(a.address) = any(${emails})
        and c.deleted_at is null) known
    where known.external_id is not null
      or not exists (select 1 from identities i where i.customer_id = known.id and i.kind = 'visitor')`;
}
