import type { Sql } from '../../database/connect.ts';
import type { Transact } from '../../database/transact.ts';
import { NO_ID } from '../../id.ts';
import type { Person } from './person.ts';
import { blankMessages } from './rows.ts';

const BATCH = 500;

/** Where in the order of its conversations a batch ended. */
interface Place {
  conversation_id: string;
  seq: number;
}

interface Said {
  erasureId: string;
  /** What the person wrote in conversations of others. */
  elsewhere: string[];
}

/**
 * Empties what was said with the person, some of it at a time: nobody who writes meanwhile waits for a long history. Their
 * files are noted on the erasure, which removes them.
 */
export async function blankSaid(
  transact: Transact,
  person: Person,
  { erasureId, elsewhere }: Said,
): Promise<void> {
  const empty = (tx: Sql, which: ReturnType<Sql>) => blankSome(tx, person, { which, erasureId });
  for (let n = 0; n < elsewhere.length; n += BATCH)
    await transact((tx) => empty(tx, tx`id = any(${elsewhere.slice(n, n + BATCH)})`));
  await transact((tx) => empty(tx, tx`conversation_id = any(${person.conversations}) and seq is null`));
  for (let after: Place | undefined = BEGINNING; after !== undefined; ) {
    const place: Place = after;
    after = await transact(async (tx) => {
      const rows = await messagesAfter(tx, person, place);
      await empty(tx, tx`id = any(${rows.map(({ id }) => id)})`);
      return rows.length < BATCH ? undefined : rows.at(-1);
    });
  }
}

interface Written {
  erasureId: string;
  messages: string[];
}

/** Empties again what was written to them by calls that had seen them before, and that have ended by now. */
export async function blankWritten(tx: Sql, person: Person, { erasureId, messages }: Written): Promise<void> {
  const which: ReturnType<Sql> = tx`id = any(${messages}) and deleted_at is not null
    and (content <> '' or external_id is not null or metadata <> '{}' or exists (
      select from message_parts p
      where p.message_id = messages.id and (p.external_id is not null or p.payload <> '{}')))`;
  await blankSome(tx, person, { which, erasureId });
}

const BEGINNING: Place = { conversation_id: NO_ID, seq: 0 };

function messagesAfter(tx: Sql, { conversations }: Person, after: Place) {
  return tx<(Place & { id: string })[]>`
    select id, conversation_id, seq from messages
    where conversation_id = any(${conversations}) and (conversation_id, seq) > (${after.conversation_id}, ${after.seq})
    order by conversation_id, seq limit ${BATCH}`;
}

interface Some {
  which: ReturnType<Sql>;
  erasureId: string;
}

/** What others wrote to a merged conversation is theirs. */
async function blankSome(tx: Sql, { customers, until }: Person, { which, erasureId }: Some): Promise<void> {
  const files = await blankMessages(
    tx,
    tx`${which} and created_at < ${until}
      and (direction <> 'inbound' or customer_id is null or customer_id = any(${customers}))`,
  );
  if (files.length > 0)
    await tx`update erasures set files = files || ${files}::text[] where customer_id = ${erasureId}`;
}
