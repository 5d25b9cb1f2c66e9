import { countSoFar } from '../../analytics/count.ts';
import type { Files } from '../../attachments/files.ts';
import type { Pool, Sql } from '../../database/connect.ts';
import { untilRunningEnd } from '../../database/running.ts';
import type { Transact } from '../../database/transact.ts';
import { SYSTEM } from '../../messages/author.ts';
import { lockCustomers } from '../lock-customers.ts';
import { visitorUploader } from '../visitor-sessions.ts';
import { closeConversations } from './close.ts';
import { blankSaid, blankWritten } from './messages.ts';
import { type Person, personOf, type Traces } from './person.ts';
import { blankRecords, blankRequests } from './records.ts';
import { blankPerson, forgetAddresses } from './rows.ts';

interface SweepOptions {
  pool: Pool;
  transact: Transact;
  files: Pick<Files, 'remove'>;
}

interface ErasureRow {
  customer_id: string;
  business_id: string;
  requested_at: Date;
  addresses: string[];
  channel_ids: string[];
  swept_at: Date | null;
}

/**
 * Blanks what is left of an erased customer outside their own rows, and what was still being written when those went.
 * May run again: the second sweep, minutes later, finds what calls that were in flight have left.
 */
export async function sweepErasure(
  { pool, transact, files }: SweepOptions,
  customerId: string,
): Promise<void> {
  const [erasure] = await pool<ErasureRow[]>`select * from erasures where customer_id = ${customerId}`;
  if (erasure === undefined) return;
  await untilRunningEnd(pool);
  const { business_id: businessId, requested_at: requestedAt } = erasure;
  const person = await personOf(pool, { businessId, customerId, requestedAt });
  const traces = { addresses: erasure.addresses, channels: erasure.channel_ids };
  const elsewhere = await writtenElsewhere(pool, person);
  await blankSaid(transact, person, { erasureId: customerId, elsewhere });
  // What indexes a message may have read it before it was emptied.
  await untilRunningEnd(pool);
  const messages = [...elsewhere, ...(await writtenIn(pool, person))];
  await transact((tx) => blankWritten(tx, person, { erasureId: customerId, messages }));
  const leftFiles = await transact((tx) => blankRest(tx, person, { ...traces, elsewhere }));
  // What is blanked counts for nothing any more.
  await countSoFar(pool);
  await blankRecords(pool, person, messages);
  await blankRequests(pool, person, traces);
  for (const key of [...(await filesNoted(pool, customerId)), ...leftFiles]) await files.remove(key);
  await noteSwept(pool, erasure);
}

async function filesNoted(sql: Sql, customerId: string): Promise<string[]> {
  const [row] = await sql<
    { files: string[] }[]
  >`select files from erasures where customer_id = ${customerId}`;
  return row?.files ?? [];
}

/** What slipped in during the erasure, and what the person wrote in conversations of others. */
async function blankRest(
  tx: Sql,
  person: Person,
  traces: Traces & { elsewhere: string[] },
): Promise<string[]> {
  await lockCustomers(tx, person.customers);
  await forgetAddresses(tx, person);
  await blankPerson(tx, person);
  await closeConversations(tx, person, SYSTEM);
  await tx`delete from search_documents where id = any(${traces.elsewhere})`;
  await takeBackReactions(tx, person, traces);
  await forgetConsents(tx, traces);
  return forgetUploads(tx, traces);
}

/** Those that no message took; of one that still comes in, who brings it finds that its row is gone. */
async function forgetUploads(tx: Sql, { addresses }: Traces): Promise<string[]> {
  const rows = await tx<{ storage_key: string | null }[]>`
    delete from attachments
    where state = 'uploaded' and uploaded_by = any(${addresses.map(visitorUploader)}) returning storage_key`;
  return rows.flatMap(({ storage_key }) => storage_key ?? []);
}

/** What the person wrote in groups and in conversations that were merged: of messages only their conversation is indexed. */
async function writtenElsewhere(sql: Sql, person: Person): Promise<string[]> {
  const { businessId, customers, conversations, until } = person;
  const rows = await sql<{ id: string }[]>`
    select id from messages
    where business_id = ${businessId} and customer_id = any(${customers}) and direction = 'inbound'
      and created_at < ${until} and conversation_id <> all(${conversations})`;
  return rows.map(({ id }) => id);
}

async function writtenIn(sql: Sql, { conversations }: Person): Promise<string[]> {
  const rows = await sql<
    { id: string }[]
  >`select id from messages where conversation_id = any(${conversations})`;
  return rows.map(({ id }) => id);
}

async function takeBackReactions(tx: Sql, { businessId, customers }: Person, traces: Traces): Promise<void> {
  const senders = [...customers, ...traces.addresses];
  await tx`
    update messages m set reactions = (
      select coalesce(jsonb_agg(r), '[]') from jsonb_array_elements(m.reactions) r where r ->> 'sender' <> all(${senders}))
    where business_id = ${businessId} and reactions <> '[]' and exists (
      select 1 from jsonb_array_elements(m.reactions) r where r ->> 'sender' = any(${senders}))`;
  const isTheirs = tx`(p ->> 'sender' = any(${senders}) or p ->> 'address' = any(${senders}))`;
  await tx`
    update provider_ids set parked = (
      select jsonb_agg(p) from jsonb_array_elements(parked) p where ${isTheirs} is not true)
    where message_id is null and parked is not null and channel_id = any(${traces.channels}::uuid[])
      and exists (select 1 from jsonb_array_elements(parked) p where ${isTheirs})`;
}

/** What was said of their addresses while those went; whoever has one of them now goes on. */
async function forgetConsents(tx: Sql, { channels, addresses }: Traces): Promise<void> {
  await tx`
    delete from consents s
    where channel_id = any(${channels}::uuid[]) and address = any(${addresses}) and not exists (
      select from identities i where i.channel_id = s.channel_id and i.address = s.address)`;
}

/** After the first sweep nothing says any more who it was; the second one is the last. */
async function noteSwept(sql: Sql, { customer_id, swept_at }: ErasureRow): Promise<void> {
  if (swept_at !== null) await sql`delete from erasures where customer_id = ${customer_id}`;
  else
    await sql`
      update erasures set swept_at = now(), addresses = '{}', channel_ids = '{}', files = '{}',
        next_sweep_at = now() + interval '5 minutes'
      where customer_id = ${customer_id}`;
}

/** Sweeps what is due: what a process that died has left, and every erasure once more after its calls have ended. */
export async function sweepErasures(options: SweepOptions): Promise<void> {
  for (;;) {
    const [due] = await options.pool<{ customer_id: string }[]>`
      update erasures set next_sweep_at = now() + interval '1 minute'
      where customer_id = (
        select customer_id from erasures where next_sweep_at <= now() order by next_sweep_at limit 1
        for update skip locked)
      returning customer_id`;
    if (due === undefined) return;
    await sweepErasure(options, due.customer_id);
  }
}
