import { fewIds, holds } from '../containing.ts';
import type { StoredCustomer } from '../customers.ts';
import type { Pool, Sql } from '../database/connect.ts';
import type { ListWindow } from '../list-window.ts';
import { phoneForms } from '../phone.ts';
import { partOfPhone } from '../search/fold.ts';
import type { AddressKind } from './customer-addresses.ts';

/** By what somebody is known for certain: all of it that is given. */
export interface KnownBy {
  email?: string | undefined;
  phone?: string | undefined;
  externalId?: string | undefined;
  /** Their address on a channel. */
  address?: string | undefined;
}

export interface CustomerFilter extends KnownBy {
  businessId: string;
  q?: string | undefined;
  channelId?: string | undefined;
  customAttributes?: [name: string, value: string][] | undefined;
  isBlocked?: boolean | undefined;
}

/** One window of the business's customers, newest first. Whoever was merged is found as whom they were merged into. */
export async function listCustomers(
  sql: Pool,
  filter: CustomerFilter,
  window: ListWindow,
): Promise<StoredCustomer[]> {
  const ids = await customersHolding(sql, filter);
  return sql<StoredCustomer[]>`
    select * from customers
    where business_id = ${filter.businessId} and deleted_at is null and merged_into_id is null
      ${addressConditions(sql, filter)}
      ${filter.q === undefined ? sql`` : textCondition(sql, { ...filter, q: filter.q }, ids)}
      ${filter.customAttributes === undefined ? sql`` : filter.customAttributes.map((one) => attributeCondition(sql, one))}
      ${filter.isBlocked === undefined ? sql`` : sql`and (blocked_at is not null) = ${filter.isBlocked}`}
      ${window.after === undefined ? sql`` : sql`and id < ${window.after[0] ?? ''}::uuid`}
    order by id desc limit ${window.fetch} offset ${window.offset}`;
}

/** Who is known by all of this; undefined where nobody is asked for. */
export async function customersKnownBy(
  sql: Sql,
  businessId: string,
  by: KnownBy,
): Promise<string[] | undefined> {
  if (Object.values(by).every((value) => value === undefined)) return undefined;
  const rows = await sql<{ id: string }[]>`
    select id from customers
    where business_id = ${businessId} and deleted_at is null and merged_into_id is null
      ${addressConditions(sql, { businessId, ...by })}`;
  return rows.map(({ id }) => id);
}

function addressConditions(sql: Sql, filter: CustomerFilter) {
  const { businessId, email, phone, externalId, address, channelId } = filter;
  const emails = [email?.toLowerCase() ?? ''];
  const phones = phone === undefined ? [] : phoneForms(phone);
  // As an array, which is looked up by id: as a join the newest customers would be searched for it.
  return sql`
    ${email === undefined ? sql`` : sql`and id = any(array(${known(sql, businessId, { column: sql`lower(email)`, kind: 'email', values: emails })}))`}
    ${phone === undefined ? sql`` : sql`and id = any(array(${known(sql, businessId, { column: sql`phone`, kind: 'phone', values: phones })}))`}
    ${externalId === undefined ? sql`` : sql`and id = any(array(${ofExternalId(sql, businessId, externalId)}))`}
    ${address === undefined ? sql`` : sql`and id = any(array(${onChannels(sql, businessId, [address])}))`}
    ${channelId === undefined ? sql`` : sql`and exists (select 1 from identities i where i.customer_id = customers.id and i.channel_id = ${channelId})`}`;
}

interface Known {
  column: ReturnType<Sql>;
  kind: AddressKind;
  values: string[];
}

/** Who is known by an address: on their row, among their further ones, or on a channel. What was merged leads on. */
function known(sql: Sql, businessId: string, { column, kind, values }: Known) {
  // Some channels write a number without its plus.
  const addresses =
    kind === 'phone' ? [...values, ...values.map((value) => value.replace(/^\+/, ''))] : values;
  return sql`
    select coalesce(merged_into_id, id) from customers
    where business_id = ${businessId} and ${column} = any(${values}) and deleted_at is null
    union all
    select coalesce(c.merged_into_id, c.id) from customer_addresses a join customers c on c.id = a.customer_id
    where a.business_id = ${businessId} and a.kind = ${kind} and lower(a.address) = any(${values})
    union all
    ${onChannels(sql, businessId, addresses)} and i.kind = ${kind}`;
}

function onChannels(sql: Sql, businessId: string, addresses: string[]) {
  return sql`
    select i.customer_id from channels ch join identities i on i.channel_id = ch.id
    where ch.business_id = ${businessId} and i.address = any(${addresses})`;
}

function ofExternalId(sql: Sql, businessId: string, externalId: string) {
  return sql`
    select coalesce(merged_into_id, id) from customers
    where business_id = ${businessId} and external_id = ${externalId} and deleted_at is null`;
}

/** Looked for before the list, by the index of parts of texts. */
async function customersHolding(sql: Pool, { businessId, q }: CustomerFilter): Promise<string[] | undefined> {
  if (q === undefined) return undefined;
  return fewIds(
    sql,
    sql`select id from customers
      where business_id = ${businessId} and deleted_at is null and (${rowHolds(sql, q)})
      union all ${holdersElsewhere(sql, businessId, q)}`,
  );
}

interface TextFilter {
  businessId: string;
  q: string;
}

function textCondition(sql: Sql, { businessId, q }: TextFilter, ids: string[] | undefined) {
  if (ids !== undefined) return sql`and id = any(${ids})`;
  return sql`and (${rowHolds(sql, q)} or id in (${holdersElsewhere(sql, businessId, q)}))`;
}

/** Whether a customer's own row holds the text. */
function rowHolds(sql: Sql, q: string) {
  return sql`${holds(sql, 'name', q)} or ${holds(sql, 'email', q)} or ${holds(sql, 'external_id', q)}
    or ${holds(sql, 'phone', partOfPhone(q))}`;
}

/** Those of whom somebody merged into them, a further address or an address on a channel holds it. */
function holdersElsewhere(sql: Sql, businessId: string, q: string) {
  return sql`
    select merged_into_id from customers
    where business_id = ${businessId} and merged_into_id is not null and (${rowHolds(sql, q)})
    union all
    select coalesce(c.merged_into_id, c.id) from customer_addresses a join customers c on c.id = a.customer_id
    where a.business_id = ${businessId} and ${holds(sql, 'a.address', partOfPhone(q))}
    union all
    ${onChannels(sql, businessId, [q])}`;
}

/** A query knows no types: `seats:3` is the number and the text. */
function attributeCondition(sql: Sql, [name, value]: [name: string, value: string]) {
  const forms = [{ [name]: value }, ...parsedForms(name, value)];
  return sql`and (false ${forms.map((form) => sql`or custom_attributes @> ${sql.json(form as never)}`)})`;
}

function parsedForms(name: string, value: string): Record<string, unknown>[] {
  try {
    return [{ [name]: JSON.parse(value) }];
  } catch {
    return [];
  }
}
