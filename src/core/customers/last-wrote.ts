import type { Sql } from '../database/connect.ts';

/** When the customer wrote last, whoever was merged into them included; null while they have not. */
export async function lastWroteAt(sql: Sql, customerId: string): Promise<Date | null> {
  const [row] = await sql<[{ at: Date | null }]>`
    select max(m.created_at) as at from messages m
    where m.direction = 'inbound' and m.customer_id in (
      select id from customers where id = ${customerId} or merged_into_id = ${customerId})`;
  return row.at;
}
