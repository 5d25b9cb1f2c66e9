import { z } from 'zod';
import { addressesOf } from '../../core/customers/customer-addresses.ts';
import { identitiesOf, mergedCustomersOf, type StoredCustomer } from '../../core/customers.ts';
import type { Sql } from '../../core/database/connect.ts';
import { customerView, viewCustomer } from '../../core/views/customer.ts';
import { isoOrNull } from '../../core/views/time.ts';

export const customerDetail = customerView.extend({
  emails: z
    .array(z.string())
    .meta({ description: 'Every email that is known, the first one being `email`.' }),
  phones: z
    .array(z.string())
    .meta({ description: 'Every phone that is known, in E.164 where it is international.' }),
  identities: z
    .array(z.object({ channel_id: z.string(), kind: z.string(), address: z.string() }))
    .meta({ description: 'The addresses that the customer has on channels.' }),
  blocked_at: z
    .string()
    .nullable()
    .meta({ description: 'Since when what this person writes is kept raw only.' }),
  merged_into_id: z.string().nullable(),
  merged_from: z.array(z.string()).meta({ description: 'The customers that were merged into this one.' }),
});
export type CustomerDetail = z.infer<typeof customerDetail>;

/** Customers with all the addresses they are known by. */
export async function viewCustomers(sql: Sql, rows: readonly StoredCustomer[]): Promise<CustomerDetail[]> {
  const ids = rows.map((row) => row.id);
  const identities = await identitiesOf(sql, ids);
  const addresses = await addressesOf(sql, rows);
  const merged = await mergedCustomersOf(sql, ids);
  return rows.map((row) => ({
    ...viewCustomer(row),
    ...(addresses.get(row.id) ?? { emails: [], phones: [] }),
    identities: (identities.get(row.id) ?? []).map(({ channel_id, kind, address }) => ({
      channel_id,
      kind,
      address,
    })),
    blocked_at: isoOrNull(row.blocked_at),
    merged_into_id: row.merged_into_id,
    merged_from: merged.get(row.id) ?? [],
  }));
}

/** One customer with all the addresses they are known by. */
export async function viewCustomerDetail(sql: Sql, row: StoredCustomer): Promise<CustomerDetail> {
  const [view] = await viewCustomers(sql, [row]);
  if (view === undefined) throw new Error('a row has a view');
  return view;
}
