import type { Window } from './conversations.ts';
import { containing } from './conversations.ts';
import type { Sql } from './database/connect.ts';
import { sqlState } from './database/transact.ts';
import { AppError } from './errors.ts';
import { type EventType, record } from './events.ts';
import { isUuid, newId } from './id.ts';
import { mergeAttributes } from './triage.ts';
import { type CustomerRow, viewCustomer } from './views/customer.ts';

/** An address by which a customer is known on a channel. */
export interface Identity {
  id: string;
  customer_id: string;
  channel_id: string;
  kind: string;
  address: string;
}

export interface CustomerFields {
  name?: string | null | undefined;
  email?: string | null | undefined;
  phone?: string | null | undefined;
  external_id?: string | null | undefined;
  custom_attributes?: Record<string, unknown> | undefined;
}

export interface CustomerFilter {
  businessId: string;
  q?: string | undefined;
  email?: string | undefined;
  phone?: string | undefined;
  externalId?: string | undefined;
}

/** The business's customer. Throws `not_found` for any other id. */
export async function findCustomer(sql: Sql, businessId: string, id: string): Promise<CustomerRow> {
  const [row] = isUuid(id)
    ? await sql<CustomerRow[]>`
        select * from customers where id = ${id} and business_id = ${businessId} and deleted_at is null`
    : [];
  if (row === undefined) throw new AppError('not_found', 'There is no such customer.');
  return row;
}

/** One window of the business's customers, newest first. */
export async function listCustomers(
  sql: Sql,
  filter: CustomerFilter,
  window: Window,
): Promise<CustomerRow[]> {
  const { businessId, q, email, phone, externalId } = filter;
  const pattern = containing(q ?? '');
  return sql<CustomerRow[]>`
    select * from customers
    where business_id = ${businessId} and deleted_at is null and merged_into_id is null
      ${email === undefined ? sql`` : sql`and lower(email) = ${email.toLowerCase()}`}
      ${phone === undefined ? sql`` : sql`and phone = ${normalPhone(phone)}`}
      ${externalId === undefined ? sql`` : sql`and external_id = ${externalId}`}
      ${q === undefined ? sql`` : sql`and (name ilike ${pattern} or email ilike ${pattern} or phone ilike ${pattern} or external_id ilike ${pattern})`}
      ${window.after === undefined ? sql`` : sql`and id < ${window.after[0] ?? ''}::uuid`}
    order by id desc limit ${window.fetch} offset ${window.offset}`;
}

/** Stores a new customer. An `external_id` that another one has is a `conflict`. */
export async function createCustomer(
  tx: Sql,
  businessId: string,
  fields: CustomerFields,
): Promise<CustomerRow> {
  return insertCustomer(tx, { id: newId(), business_id: businessId, ...columnsOf(fields) });
}

async function insertCustomer(tx: Sql, row: Partial<CustomerRow> & { id: string }): Promise<CustomerRow> {
  const stored = { ...row, custom_attributes: mergeAttributes({}, row.custom_attributes ?? {}) };
  const [customer] = await tx<[CustomerRow]>`
    insert into customers ${tx(stored as unknown as Record<string, never>)} returning *`.catch(refuseTakenId);
  await recordCustomer(tx, 'customer.created', customer);
  return customer;
}

/** Changes what is named; custom attributes are merged in, null takes one away. */
export async function updateCustomer(
  tx: Sql,
  before: CustomerRow,
  fields: CustomerFields,
): Promise<CustomerRow> {
  const set = changesOf(before, columnsOf(fields));
  if (Object.keys(set).length === 0) return before;
  const [customer] = await tx<[CustomerRow]>`
    update customers set ${tx(set as unknown as Record<string, never>)}, updated_at = clock_timestamp()
    where id = ${before.id} returning *`.catch(refuseTakenId);
  await recordCustomer(tx, 'customer.updated', customer, { changed: Object.keys(set) });
  return customer;
}

/** The customer, locked until the end of the transaction. */
export async function lockCustomer(tx: Sql, businessId: string, id: string): Promise<CustomerRow> {
  const { id: known } = await findCustomer(tx, businessId, id);
  const [row] = await tx<[CustomerRow]>`select * from customers where id = ${known} for update`;
  return row;
}

/** The columns to write; absent fields are left alone. */
function columnsOf({
  name,
  email,
  phone,
  external_id,
  custom_attributes,
}: CustomerFields): Partial<CustomerRow> {
  return {
    ...(name === undefined ? {} : { name }),
    ...(email === undefined ? {} : { email }),
    ...(phone === undefined ? {} : { phone: phone === null ? null : normalPhone(phone) }),
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

/** A number as it is compared: digits, and the plus that says it is international. */
function normalPhone(phone: string): string {
  return phone
    .replaceAll(/[^\d+]/g, '')
    .replace(/(?!^)\+/g, '')
    .replace(/^00/, '+');
}

function refuseTakenId(error: unknown): never {
  if (sqlState(error) !== '23505') throw error;
  const details = [{ field: 'external_id', message: 'belongs to another customer' }];
  throw new AppError('conflict', 'Another customer has this external_id.', { details, cause: error });
}

async function recordCustomer(
  tx: Sql,
  type: EventType,
  customer: CustomerRow,
  facts: Record<string, unknown> = {},
): Promise<void> {
  const data = { customer: viewCustomer(customer), ...facts };
  await record(tx, [{ type, businessId: customer.business_id, customerId: customer.id, data }]);
}

/** The addresses of some customers. */
export async function identitiesOf(sql: Sql, customerIds: string[]): Promise<Map<string, Identity[]>> {
  if (customerIds.length === 0) return new Map();
  const rows = await sql<Identity[]>`
    select id, customer_id, channel_id, kind, address from identities
    where customer_id = any(${customerIds}) order by created_at, id`;
  return Map.groupBy(rows, (row) => row.customer_id);
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
  if (inserted.length === 1)
    return insertCustomer(tx, { id: proposedId, business_id: businessId, ...columnsOf(fields) });
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
