import type { Pool, Sql } from '../database/connect.ts';
import { recordset } from '../database/recordset.ts';
import { newId } from '../id.ts';
import { type Lease, leaseHeld } from '../lanes.ts';
import type { SendOptions } from './options.ts';
import type { PartRow, SendingMessage } from './parts.ts';

export interface Attempt {
  id: string;
  startedAt: Date;
}

interface Beginning {
  message: SendingMessage;
  row: PartRow;
  /** All parts of the message where none is kept yet. */
  unkept: PartRow[];
  lease: Lease;
}

/** Writes down that the call is about to be made, so that a crash leaves a trace; undefined when it may not be made. */
export async function beginAttempt(
  { pool }: SendOptions,
  beginning: Beginning,
): Promise<Attempt | undefined> {
  const { message, row, unkept, lease } = beginning;
  const attempt = { id: newId(), startedAt: new Date() };
  const rows = await pool`
    with claimed as (
      update messages m set status = 'sending', next_attempt_at = null
      where m.id = ${message.id} and m.generation = ${message.generation} and m.status in ('queued', 'sending')
        and ${leaseHeld(pool, lease)}
      returning m.id
    ), kept as (
      insert into message_parts (message_id, generation, n, payload, status)
      select claimed.id, ${message.generation}, r.n, r.payload, case when r.n = ${row.n} then 'sending' else r.status end
      from claimed, json_to_recordset(${recordset(pool, unkept)}) as r(n int, payload jsonb, status text)
      on conflict do nothing
    ), part as (
      update message_parts p set status = 'sending' from claimed
      where p.message_id = claimed.id and p.generation = ${message.generation} and p.n = ${row.n}
    )
    insert into attempts (id, started_at, business_id, kind, subject_id, customer_id, number, part)
    select ${attempt.id}, ${attempt.startedAt}, ${message.business_id}, 'send', claimed.id, ${message.customer_id},
      (select count(*) + 1 from attempts a where a.subject_id = ${message.id} and a.started_at >= ${message.created_at}::timestamptz - interval '1 minute'),
      ${row.n}
    from claimed returning id`;
  return rows.length === 1 ? attempt : undefined;
}

interface AttemptResult {
  outcome: string;
  providerCode?: string | undefined;
  message?: string;
}

/** Notes how the call ended. A provider's words may name whom it was for: of who was erased meanwhile they are not kept. */
export async function finishAttempt(tx: Sql, attempt: Attempt, result: AttemptResult): Promise<void> {
  await tx`
    update attempts set finished_at = now(), outcome = ${result.outcome},
      provider_code = ${result.providerCode ?? null},
      message = (select ${result.message ?? null}::text from messages where id = subject_id and deleted_at is null),
      duration_ms = ${Date.now() - attempt.startedAt.getTime()}
    where id = ${attempt.id} and started_at = ${attempt.startedAt}`;
}

/** Attempts that a crash left open: nobody can know how they ended. */
export async function closeCutAttempts(pool: Pool, message: SendingMessage): Promise<void> {
  await pool`
    update attempts set finished_at = now(), outcome = 'unknown'
    where subject_id = ${message.id} and kind = 'send' and finished_at is null
      and started_at >= ${message.created_at}::timestamptz - interval '1 minute'`;
}
