import type { Pool, Sql } from '../database/connect.ts';
import type { Transact } from '../database/transact.ts';
import { startReader } from '../events/reader.ts';
import { isInWindow, nextWindow, type Window } from '../events/window.ts';
import type { Log } from '../log.ts';
import { recordUpdate } from '../messages.ts';
import type { MessageRow } from '../views/message.ts';
import type { Wake } from '../wake.ts';

interface CancelerOptions {
  pool: Pool;
  transact: Transact;
  wake: Wake;
  log: Log;
}

/** Cancels what was scheduled only in case the customer writes nothing, as soon as they write. */
export function startCanceler(options: CancelerOptions): { stop(): Promise<void> } {
  const { pool, transact } = options;
  return startReader({ ...options, name: 'canceler' }, async (after) => {
    const window = await nextWindow(pool, after);
    const [waiting] =
      await pool`select id from messages where status = 'scheduled' and cancel_on_reply limit 1`;
    if (waiting === undefined) return { upTo: window.newest, hasMore: false, isIdle: true };
    for (const id of await findAnswered(pool, window)) await transact((tx) => cancelAnswered(tx, id));
    return { upTo: window.upTo, hasMore: window.hasMore };
  });
}

async function findAnswered(pool: Pool, window: Window): Promise<string[]> {
  const rows = await pool<{ id: string }[]>`
    select distinct m.id from events e join messages m on m.conversation_id = e.conversation_id
    where ${isInWindow(pool, window)}
      and e.type = 'message.received'
      -- What is scheduled has no seq yet, by which the index finds it.
      and m.seq is null and m.status = 'scheduled' and m.cancel_on_reply and ${wasAnswered(pool)}`;
  return rows.map(({ id }) => id);
}

/** Whether a customer wrote since; a machine that answers for them is nobody. */
export function wasAnswered(sql: Sql) {
  return sql`exists (
    select 1 from messages i
    where i.conversation_id = m.conversation_id and i.direction = 'inbound' and i.created_at > m.created_at
      and not i.metadata @> '{"automatic": true}')`;
}

const REPLIED = {
  code: 'customer_replied',
  provider_code: null,
  message: 'The customer wrote before its time.',
  retryable: false,
};

/** The conversation first, then the message: the order of every writer. */
async function cancelAnswered(tx: Sql, id: string): Promise<void> {
  await tx`
    select c.id from messages m join conversations c on c.id = m.conversation_id
    where m.id = ${id} for update of c`;
  await cancelScheduled(tx, id);
}

/** Cancels a message of a locked conversation since the customer wrote, and says so. */
export async function cancelScheduled(tx: Sql, id: string): Promise<void> {
  const [message] = await tx<MessageRow[]>`
    update messages set status = 'canceled', error = ${tx.json(REPLIED)}
    where id = ${id} and status = 'scheduled' and cancel_on_reply returning *`;
  if (message !== undefined) await recordUpdate(tx, message, { facts: { reason: 'the customer replied' } });
}
