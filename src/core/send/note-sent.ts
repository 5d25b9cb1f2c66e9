import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from '../database/connect.ts';
import { isAway } from '../database/transact.ts';
import type { SentPart } from '../envelope.ts';
import { partSent } from '../messages/receipts.ts';
import { type Attempt, finishAttempt } from './attempt.ts';
import type { SendOptions } from './options.ts';
import { generationOf, isKept, type PartRow, type SendingMessage } from './parts.ts';

interface Taken {
  row: PartRow;
  attempt: Attempt;
  sent: SentPart;
}

/** Notes that the provider took a part, and what it calls it. */
export function noteSent(
  { transact }: SendOptions,
  message: SendingMessage,
  { row, attempt, sent }: Taken,
): Promise<void> {
  return transact(async (tx) => {
    const externalIds = [sent.externalId, ...(sent.alsoKnownAs ?? [])].filter((id) => id !== undefined);
    const [kept] = await Promise.all([isKept(tx, message), finishAttempt(tx, attempt, { outcome: 'sent' })]);
    if (!kept) return;
    if (sent.refused !== undefined) await noteRefused(tx, message, sent.refused);
    await partSent(tx, { ...generationOf(message), n: row.n, externalIds, status: sent.status ?? 'sent' });
    if (sent.newThreadKey !== undefined) await moveThread(tx, message, sent.newThreadKey);
  });
}

/** The message is sent, since somebody has it; who has not stands beside it. */
async function noteRefused(
  tx: Sql,
  { id }: SendingMessage,
  refused: NonNullable<SentPart['refused']>,
): Promise<void> {
  const note = { refused_recipients: refused };
  await tx`update messages set metadata = metadata || ${tx.json(note)} where id = ${id}`;
}

const WRITE_TRIES = 20;
const WRITE_PAUSE_MS = 500;

/** What came of a call must not be forgotten because the database was away just then; it may be written twice. */
export async function untilWritten(write: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await write();
    } catch (error) {
      if (tries === WRITE_TRIES || !isAway(error)) throw error;
      await sleep(WRITE_PAUSE_MS);
    }
  }
}

async function moveThread(tx: Sql, message: SendingMessage, to: string): Promise<void> {
  await tx`
    insert into threads (channel_id, thread_key, business_id, customer_id, conversation_id)
    select ${message.channel_id}, ${to}, business_id, customer_id, id from conversations
    where id = ${message.conversation_id}
    on conflict (channel_id, thread_key) do update
      set conversation_id = excluded.conversation_id, customer_id = excluded.customer_id
      where threads.conversation_id is null`;
  await tx`update conversations set thread_key = ${to} where id = ${message.conversation_id}`;
  // Where the thread is the address itself (a group), whoever writes there next is the customer we know.
  await tx`
    update identities set address = ${to}
    where channel_id = ${message.channel_id} and address = ${message.thread_key}
      and not exists (select 1 from identities where channel_id = ${message.channel_id} and address = ${to})`;
}
