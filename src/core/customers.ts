import { mergeAttributes } from './custom-attributes.ts';
import {
  type AddressFields,
  primaryAddresses,
  storeAddresses,
  withSuccessors,
} from './customers/customer-addresses.ts';
import type { Sql } from './database/connect.ts';
import { refuseTaken } from './database/taken.ts';
import { AppError, invalidField } from './errors.ts';
import { type EventType, type NewEvent, record } from './events.ts';
import { isUuid, newId } from './id.ts';
import { type CustomerRow, viewCustomer } from './views/customer.ts';

/** An address by which a customer is known on a channel. */
export interface Identity {
  id: string;
  customer_id: string;
  channel_id: string;
  kind: string;
  address: string;
}

/** A customer's row with what became of the person. */
export interface StoredCustomer extends CustomerRow {
  blocked_at: Date | null;
  merged_into_id: string | null;
}

export interface CustomerFields extends AddressFields {
  name?: string | null | undefined;
  external_id?: string | null | undefined;
  custom_attributes?: Record<string, unknown> | undefined;
}

/** The business's customer. Throws `not_found` for any other id. */
export async function findCustomer(sql: Sql, businessId: string, id: string): Promise<StoredCustomer> {
  const [row] = isUuid(id)
    ? await sql<StoredCustomer[]>`
        select * from customers where id = ${id} and business_id = ${businessId} and deleted_at is null`
    : [];
  if (row === undefined) throw new AppError('not_found', 'There is no such customer.');
  return row;
}

/** The customer that a request names in `customer_id`, or whom they were merged into. Throws a refusal of that field for any other id. */
export async function namedCustomer(sql: Sql, businessId: string, id: string): Promise<StoredCustomer> {
  const [row] = isUuid(id)
    ? await sql<StoredCustomer[]>`
        select r.* from customers c join customers r on r.id = coalesce(c.merged_into_id, c.id)
        where c.id = ${id} and c.business_id = ${businessId} and c.deleted_at is null`
    : [];
  if (row === undefined) throw invalidField('customer_id', 'is not a customer of your business');
  return row;
}

/** Stores a new customer. An `external_id` that another one has is a `conflict`. */
export async function createCustomer(
  tx: Sql,
  businessId: string,
  fields: CustomerFields,
): Promise<StoredCustomer> {
  return insertCustomer(tx, { id: newId(), businessId, fields });
}

interface NewCustomer {
  id: string;
  businessId: string;
  fields: CustomerFields;
}

async function insertCustomer(tx: Sql, { id, businessId, fields }: NewCustomer): Promise<StoredCustomer> {
  const columns = columnsOf(fields);
  const custom_attributes = mergeAttributes({}, columns.custom_attributes ?? {});
  const row = { id, business_id: businessId, ...columns, custom_attributes };
  const [customer] = await tx<[StoredCustomer]>`
    insert into customers ${tx(row as unknown as Record<string, never>)} returning *`.catch(
    refuseTaken('external_id', 'customer'),
  );
  await storeAddresses(tx, customer, fields);
  await record(tx, [customerEvent('customer.created', customer)]);
  return customer;
}

/** Changes what is named; custom attributes are merged in, null takes one away. */
export async function updateCustomer(
  tx: Sql,
  before: StoredCustomer,
  { causedBy, ...named }: CustomerFields & Pick<NewEvent, 'causedBy'>,
): Promise<StoredCustomer> {
  refuseMerged(before);
  const fields = await withSuccessors(tx, before, named);
  const set = changesOf(before, columnsOf(fields, before));
  const lists = await storeAddresses(tx, { ...before, ...set }, fields);
  const changed = [...Object.keys(set), ...lists];
  if (changed.length === 0) return before;
  const [customer] = await tx<[StoredCustomer]>`
    update customers set ${tx({ ...set, updated_at: new Date() } as unknown as Record<string, never>)}
    where id = ${before.id} returning *`.catch(refuseTaken('external_id', 'customer'));
  const event = customerEvent('customer.updated', customer, { changed });
  await record(tx, [causedBy === undefined ? event : { ...event, causedBy }]);
  return customer;
}

/** Who was merged goes on as somebody else. */
export function refuseMerged({ merged_into_id }: StoredCustomer): void {
  if (merged_into_id === null) return;
  throw new AppError('conflict', 'The customer is merged into another one.', { extra: { merged_into_id } });
}

/** The customer, locked until the end of the transaction. */
export async function lockCustomer(tx: Sql, businessId: string, id: string): Promise<StoredCustomer> {
  const { id: known } = await findCustomer(tx, businessId, id);
  const [row] = await tx<[StoredCustomer]>`select * from customers where id = ${known} for update`;
  return row;
}

/** The columns to write; absent fields are left alone. */
function columnsOf(fields: CustomerFields, before?: CustomerRow): Partial<CustomerRow> {
  const { name, external_id, custom_attributes } = fields;
  return {
    ...(name === undefined ? {} : { name }),
    ...primaryAddresses(fields, before),
    ...(external_id === undefined ? {} : { external_id }),
    ...(custom_attributes === undefined ? {} : { custom_attributes }),
  };
}

function changesOf(before: CustomerRow, columns: Partial<CustomerRow>): Partial<CustomerRow> {
  const { custom_attributes, ...plain } = columns;
  const set: Partial<CustomerRow> = Object.fromEntries(
    Object.entries(plain).filter(([column, value]) => before[column as keyof CustomerRow] !== value),
  );
  if (custom_attributes === undefined) return set;
  const merged = mergeAttributes(before.custom_attributes, custom_attributes);
  if (JSON.stringify(merged) === JSON.stringify(before.custom_attributes)) return set;
  return { ...set, custom_attributes: merged };
}

/** An event of a customer, as they are now. */
export function customerEvent(
  type: EventType,
  customer: CustomerRow,
  facts: Record<string, unknown> = {},
): NewEvent {
  const data = { customer: viewCustomer(customer), ...facts };
  return { type, businessId: customer.business_id, customerId: customer.id, data };
}

/** The addresses of some customers. */
export async function identitiesOf(sql: Sql, customerIds: string[]): Promise<Map<string, Identity[]>> {
  if (customerIds.length === 0) return new Map();
  const rows = await sql<Identity[]>`
    select id, customer_id, channel_id, kind, address from identities
    where customer_id = any(${customerIds}) order by created_at, id`;
  return Map.groupBy(rows, (row) => row.customer_id);
}

/** The customers that were merged into some others, by the other. */
export async function mergedCustomersOf(sql: Sql, ids: string[]): Promise<Map<string, string[]>> {
  if (ids.length === 0) return new Map();
  const rows = await sql<{ id: string; merged_into_id: string }[]>`
    select id, merged_into_id from customers where merged_into_id = any(${ids}) order by id`;
  const byTarget = Map.groupBy(rows, (row) => row.merged_into_id);
  return new Map([...byTarget].map(([target, merged]) => [target, merged.map((row) => row.id)]));
}

interface AddressOwner {
  businessId: string;
  channelId: string;
  address: string;
  kind: string;
  fields: CustomerFields;
}

/** The customer behind an address of a channel; who is not known yet begins here. Concurrent callers agree on one. */
export async function customerAt(
  tx: Sql,
  { businessId, channelId, address, kind, fields }: AddressOwner,
): Promise<CustomerRow> {
  const proposedId = newId();
  const inserted = await tx`
    insert into identities (id, business_id, channel_id, customer_id, kind, address)
    values (${newId()}, ${businessId}, ${channelId}, ${proposedId}, ${kind}, ${address})
    on conflict (channel_id, address) do nothing returning id`;
  if (inserted.length === 1) {
    const known = kind === 'email' || kind === 'phone' ? { [kind]: address } : {};
    return insertCustomer(tx, { id: proposedId, businessId, fields: { ...known, ...fields } });
  }
  const [row] = await tx<[CustomerRow]>`
    select c.* from identities i join customers c on c.id = i.customer_id
    where i.channel_id = ${channelId} and i.address = ${address}`;
  return row;
}

/** Makes an address the customer's own, unless somebody else is known there. False then. */
export async function claimAddress(
  tx: Sql,
  customer: CustomerRow,
  owner: Omit<AddressOwner, 'fields'>,
): Promise<boolean> {
  await tx`
    insert into identities (id, business_id, channel_id, customer_id, kind, address)
    values (${newId()}, ${owner.businessId}, ${owner.channelId}, ${customer.id}, ${owner.kind}, ${owner.address})
    on conflict (channel_id, address) do nothing`;
  const rows = await tx`
    select id from identities
    where channel_id = ${owner.channelId} and address = ${owner.address} and customer_id = ${customer.id}`;
  return rows.length === 1;
}
