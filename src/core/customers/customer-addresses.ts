import type { Sql } from '../database/connect.ts';
import { normalPhone } from '../phone.ts';
import type { CustomerRow } from '../views/customer.ts';

export type AddressKind = 'email' | 'phone';

/** All emails and phones of a customer, the first of each being the one on their row. */
export interface Addresses {
  emails: string[];
  phones: string[];
}

interface AddressRow {
  customer_id: string;
  kind: AddressKind;
  address: string;
}

/** The emails and phones of some customers, with those of customers merged into them. */
export async function addressesOf(
  sql: Sql,
  customers: readonly CustomerRow[],
): Promise<Map<string, Addresses>> {
  const further = Map.groupBy(await furtherRows(sql, customers), (row) => row.customer_id);
  return new Map(
    customers.map((customer) => {
      const rows = further.get(customer.id) ?? [];
      const of = (kind: AddressKind) => rows.filter((row) => row.kind === kind).map((row) => row.address);
      return [
        customer.id,
        {
          emails: distinct([customer.email, ...of('email')]),
          phones: distinct([customer.phone, ...of('phone')]),
        },
      ];
    }),
  );
}

async function furtherRows(sql: Sql, customers: readonly CustomerRow[]): Promise<AddressRow[]> {
  if (customers.length === 0) return [];
  const ids = customers.map(({ id }) => id);
  return sql<AddressRow[]>`
    select customer_id, kind, address from (
      select customer_id, kind, address, 0 as merged, position from customer_addresses where customer_id = any(${ids})
      union all
      select c.merged_into_id, a.kind, a.address, 1, a.position
      from customers c
      cross join lateral (
        values ('email', c.email, -1), ('phone', c.phone, -1)
        union all select kind, address, position from customer_addresses where customer_id = c.id) a(kind, address, position)
      where c.merged_into_id = any(${ids}) and a.address is not null
    ) found
    order by merged, position, address`;
}

/** Each once, however it is capitalised. */
function distinct(addresses: (string | null)[]): string[] {
  const seen = new Map<string, string>();
  for (const address of addresses) {
    if (address !== null && !seen.has(address.toLowerCase())) seen.set(address.toLowerCase(), address);
  }
  return [...seen.values()];
}

export interface AddressFields {
  email?: string | null | undefined;
  phone?: string | null | undefined;
  emails?: string[] | undefined;
  phones?: string[] | undefined;
}

/** The fields as they are meant: an address that is taken away gives its place to the next that is known. */
export async function withSuccessors<Fields extends AddressFields>(
  tx: Sql,
  { id }: CustomerRow,
  fields: Fields,
): Promise<Fields> {
  const isTaken = {
    email: fields.email === null && !fields.emails,
    phone: fields.phone === null && !fields.phones,
  };
  if (!isTaken.email && !isTaken.phone) return fields;
  const rows = await tx<AddressRow[]>`
    select kind, address from customer_addresses where customer_id = ${id} order by position`;
  const of = (kind: AddressKind) => rows.filter((row) => row.kind === kind).map((row) => row.address);
  return {
    ...fields,
    ...(isTaken.email ? { email: undefined, emails: of('email') } : {}),
    ...(isTaken.phone ? { phone: undefined, phones: of('phone') } : {}),
  };
}

/** What stands on the customer's own row: the one named, else the first of the list, where the list lacks the present one. */
export function primaryAddresses(fields: AddressFields, before?: CustomerRow): Partial<CustomerRow> {
  return {
    ...primary('email', { named: fields.email, list: fields.emails, present: before?.email }),
    ...primary('phone', {
      named: typeof fields.phone === 'string' ? normalPhone(fields.phone) : fields.phone,
      list: fields.phones?.map(normalPhone),
      present: before?.phone,
    }),
  };
}

interface Choice {
  named: string | null | undefined;
  list: string[] | undefined;
  present: string | null | undefined;
}

function primary(kind: AddressKind, { named, list, present }: Choice): Partial<CustomerRow> {
  if (named !== undefined) return { [kind]: named };
  if (list === undefined) return {};
  const stays = list.some((address) => address.toLowerCase() === present?.toLowerCase());
  return stays ? {} : { [kind]: list[0] ?? null };
}

/** Stores the lists that are given, beside the first of each; says which of them changed. */
export async function storeAddresses(
  tx: Sql,
  customer: CustomerRow,
  { emails, phones }: AddressFields,
): Promise<string[]> {
  const changed: string[] = [];
  if (emails !== undefined && (await storeList(tx, customer, { kind: 'email', list: emails })))
    changed.push('emails');
  if (
    phones !== undefined &&
    (await storeList(tx, customer, { kind: 'phone', list: phones.map(normalPhone) }))
  )
    changed.push('phones');
  return changed;
}

async function storeList(
  tx: Sql,
  customer: CustomerRow,
  { kind, list }: { kind: AddressKind; list: string[] },
): Promise<boolean> {
  const further = distinct([customer[kind], ...list]).slice(customer[kind] === null ? 0 : 1);
  const before = await tx<{ address: string }[]>`
    select address from customer_addresses where customer_id = ${customer.id} and kind = ${kind} order by position`;
  if (JSON.stringify(before.map((row) => row.address)) === JSON.stringify(further)) return false;
  await tx`delete from customer_addresses where customer_id = ${customer.id} and kind = ${kind}`;
  await tx`
    insert into customer_addresses (customer_id, business_id, kind, address, position)
    select ${customer.id}, ${customer.business_id}, ${kind}, address, position
    from unnest(${further}::text[]) with ordinality as l(address, position)`;
  return true;
}
