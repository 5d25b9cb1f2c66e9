import { optedOut } from '../customers/consent.ts';
import type { Sql } from '../database/connect.ts';
import type { ConversationRow } from '../views/conversation.ts';
import type { CustomerRow } from '../views/customer.ts';

/** A conversation with all that decides what may be written in it, and what has to wait. */
export interface Standing extends ConversationRow {
  customer: CustomerRow | null;
  /** Whoever reads there has forbidden us to write. */
  opted_out: boolean;
  /** The first message that still has to go: what is written now goes after it. */
  blocker: { id: string; next_attempt_at: Date | null } | null;
}

/** Conversations that this transaction has locked, as they stand, by id. */
export async function standingsOf(tx: Sql, ids: readonly string[]): Promise<Map<string, Standing>> {
  const rows = await tx<StandingJson[]>`
    select c.*, to_json(u) as customer, b.blocker,
      ${optedOut(tx, { channelId: tx`c.channel_id`, address: tx`c.thread_key` })} as opted_out
    from conversations c
    left join customers u on u.id = c.customer_id
    left join lateral (
      select json_build_object('id', m.id, 'next_attempt_at', m.next_attempt_at) as blocker from messages m
      where m.conversation_id = c.id and m.status in ('queued', 'sending') and m.skipped_at is null
      order by m.seq limit 1) b on true
    where c.id = any(${[...ids]}::uuid[])`;
  return new Map(rows.map((row) => [row.id, revived(row)]));
}

type Json<Row, Times extends keyof Row> = Omit<Row, Times> & { [Time in Times]: string };

interface StandingJson extends ConversationRow {
  customer: Json<CustomerRow, 'created_at' | 'updated_at'> | null;
  opted_out: boolean;
  blocker: { id: string; next_attempt_at: string | null } | null;
}

function revived(row: StandingJson): Standing {
  const { customer, blocker } = row;
  return {
    ...row,
    customer: customer && revivedCustomer(customer),
    blocker: blocker && revivedBlocker(blocker),
  };
}

function revivedCustomer(customer: NonNullable<StandingJson['customer']>): CustomerRow {
  return {
    ...customer,
    created_at: new Date(customer.created_at),
    updated_at: new Date(customer.updated_at),
  };
}

function revivedBlocker({ id, next_attempt_at: at }: NonNullable<StandingJson['blocker']>) {
  return { id, next_attempt_at: at === null ? null : new Date(at) };
}
