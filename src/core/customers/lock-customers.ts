import type { StoredCustomer } from '../customers.ts';
import type { Sql } from '../database/connect.ts';

/** Locks customers with all that leads to them, in the one order of every writer; resolves with the customers. */
export async function lockCustomers(tx: Sql, ids: readonly string[]): Promise<Map<string, StoredCustomer>> {
  await tx`
    with own as (
      select id, channel_id, thread_key from conversations where customer_id = any(${[...ids]})
    ), touched as (
      select channel_id, thread_key from own where thread_key is not null
      union select t.channel_id, t.thread_key from threads t join own on own.id = t.conversation_id)
    select 1 from threads join touched using (channel_id, thread_key)
    order by channel_id, thread_key for update of threads`;
  await tx`select id from identities where customer_id = any(${[...ids]}) order by id for update`;
  await tx`select id from conversations where customer_id = any(${[...ids]}) order by id for update`;
  const rows = await tx<StoredCustomer[]>`
    select * from customers where id = any(${[...ids]}) order by id for update`;
  return new Map(rows.map((row) => [row.id, row]));
}
