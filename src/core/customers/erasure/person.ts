import type { Sql } from '../../database/connect.ts';
import { phoneForms } from '../../phone.ts';

/** Who is erased: one customer with all who were merged into them, and where they left something. */
export interface Person {
  businessId: string;
  customers: string[];
  conversations: string[];
  /** What was written later is about somebody who was gone by then. */
  until: Date;
}

interface Erased {
  businessId: string;
  customerId: string;
  requestedAt: Date;
}

// What was under way at the request may be written a little later.
const UNDER_WAY_MS = 30_000;

/** The person of a customer, as far as their own rows say. */
export async function personOf(sql: Sql, { businessId, customerId, requestedAt }: Erased): Promise<Person> {
  const customers = await sql<{ id: string }[]>`
    select id from customers where business_id = ${businessId} and (id = ${customerId} or merged_into_id = ${customerId})`;
  const ids = customers.map(({ id }) => id);
  const conversations = await sql<
    { id: string }[]
  >`select id from conversations where customer_id = any(${ids})`;
  return {
    businessId,
    customers: ids,
    conversations: conversations.map(({ id }) => id),
    until: new Date(requestedAt.getTime() + UNDER_WAY_MS),
  };
}

/** What the raw requests of some channels are searched for. */
export interface Traces {
  channels: string[];
  addresses: string[];
}

/** Every address of a person, in the forms that providers write it in, and the channels that they wrote over. */
export async function tracesOf(sql: Sql, { customers, conversations }: Person): Promise<Traces> {
  const identities = await sql<{ channel_id: string; kind: string; address: string }[]>`
    select channel_id, kind, address from identities where customer_id = any(${customers})`;
  const others = await sql<{ kind: string; address: string }[]>`
    select kind, address from customer_addresses where customer_id = any(${customers})
    union select 'email', email from customers where id = any(${customers}) and email is not null
    union select 'phone', phone from customers where id = any(${customers}) and phone is not null`;
  const channels = await sql<{ channel_id: string }[]>`
    select distinct channel_id from conversations where id = any(${conversations})`;
  const addresses = [...identities, ...others].flatMap(({ kind, address }) => formsOf(kind, address));
  return {
    channels: [...new Set([...identities, ...channels].map(({ channel_id }) => channel_id))],
    addresses: [...new Set(addresses)],
  };
}

function formsOf(kind: string, address: string): string[] {
  if (kind !== 'phone') return [address];
  return [address, ...phoneForms(address)].flatMap((form) => [form, form.replace(/^\+/, '')]);
}
