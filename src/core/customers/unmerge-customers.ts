import { type Auditor, audit } from '../audit.ts';
import { customerEvent, findCustomer, type StoredCustomer } from '../customers.ts';
import type { Sql } from '../database/connect.ts';
import { column } from '../database/recordset.ts';
import { refuseTaken } from '../database/taken.ts';
import { AppError } from '../errors.ts';
import { record } from '../events.ts';
import { NO_ID } from '../id.ts';
import { recountBlocks } from './blocked-senders.ts';
import { lockCustomers } from './lock-customers.ts';
import { type Moved, passThreads } from './merge-customers.ts';

interface Undo {
  businessId: string;
  id: string;
  by: Auditor;
}

/** Makes a merged customer stand on their own again, with what was theirs and what came to their addresses since. */
export async function unmergeCustomer(tx: Sql, { businessId, id, by }: Undo): Promise<StoredCustomer> {
  const before = await findCustomer(tx, businessId, id);
  const rootId = before.merged_into_id;
  if (rootId === null) return before;
  const locked = await lockCustomers(tx, [before.id, rootId]);
  const source = locked.get(before.id);
  if (source?.merged_into_id !== rootId)
    throw new AppError('conflict', 'The customer was merged elsewhere just now.');
  for (const note of await notesOf(tx, source.id))
    await giveBack(tx, { source, rootId, note, steps: await stepsOf(tx, note) });
  await tx`
    update customers set merged_into_id = null, external_id = coalesce(external_id, merged_external_id),
      merged_external_id = null, updated_at = clock_timestamp()
    where id = ${source.id}`.catch(refuseTaken('external_id', 'customer'));
  for (const one of [source.id, rootId]) await recountBlocks(tx, one);
  await audit(tx, by, { action: 'customer.unmerged', subjectId: source.id, detail: { from: rootId } });
  await tell(tx, { businessId, id: rootId, facts: { changed: ['merged_from'], unmerged: source.id } });
  return tell(tx, {
    businessId,
    id: source.id,
    facts: { changed: ['merged_into_id'], unmerged_from: rootId },
  });
}

interface MergeNote extends Omit<Moved, 'seqs'> {
  into: string;
  customers: string[];
  filled: string[];
  /** Of merges that rewrote messages, as they once did: those that were not theirs, and those elsewhere that were. */
  kept?: string[];
  taken?: string[];
  /** Not of those. */
  seqs?: number[] | undefined;
}

/** What the merge that stands moved: one note of it, and one for what came in during it. */
async function notesOf(tx: Sql, id: string): Promise<MergeNote[]> {
  const rows = await tx<{ id: string; detail: MergeNote }[]>`
    select id, detail from audit_log
    where subject_id = ${id} and action = 'customer.merged' and id > coalesce((
      select id from audit_log where subject_id = ${id} and action = 'customer.unmerged' order by id desc limit 1),
      ${NO_ID}::uuid)
    order by id`;
  return Promise.all(rows.map(async (row) => without(row.detail, await goneSince(tx, row))));
}

/** Those of whom the merge took along who were set free or merged elsewhere since, with all that ever moved with them. */
async function goneSince(tx: Sql, { id, detail }: { id: string; detail: MergeNote }): Promise<Set<string>> {
  if (detail.customers.length === 0) return new Set();
  const later = await tx<{ subject_id: string; detail: MergeNote }[]>`
    select subject_id, detail from audit_log l
    where subject_id = any(${detail.customers}) and action = 'customer.merged' and exists (
      select from audit_log o
      where o.subject_id = l.subject_id and o.id > ${id} and o.action in ('customer.merged', 'customer.unmerged'))`;
  return new Set(
    later.flatMap((one) => [
      one.subject_id,
      ...one.detail.customers,
      ...one.detail.identities,
      ...one.detail.conversations,
    ]),
  );
}

function without(note: MergeNote, gone: Set<string>): MergeNote {
  const isLeft = (id: string) => !gone.has(id);
  return {
    ...note,
    customers: note.customers.filter(isLeft),
    identities: note.identities.filter(isLeft),
    conversations: note.conversations.filter(isLeft),
    seqs: note.seqs?.filter((_, n) => isLeft(note.conversations[n] ?? '')),
  };
}

interface Giving {
  source: StoredCustomer;
  rootId: string;
  note: MergeNote;
  /** It, and the merges since of whoever the source became part of: as these the source wrote. */
  steps: MergeNote[];
}

/** What has gone on to somebody else since stays there. */
async function giveBack(tx: Sql, giving: Giving): Promise<void> {
  const { source, rootId, note, steps } = giving;
  const { identities, customers, taken = [] } = note;
  await tx`
    update identities set customer_id = ${source.id} where id = any(${identities}) and customer_id = ${rootId}`;
  await tx`
    update customers set merged_into_id = ${source.id} where id = any(${customers}) and merged_into_id = ${rootId}`;
  await conversationsBack(tx, giving);
  await tx`
    update messages set customer_id = ${source.id}
    where id = any(${taken}) and customer_id = any(${steps.map(({ into }) => into)})`;
  await unfill(tx, source, note);
  if (note.filled.includes('external_id')) await releaseExternalId(tx, giving);
}

/** With their messages those that moved, and those begun since in their threads or at their addresses, which of a mail its head tells. */
async function conversationsBack(tx: Sql, giving: Giving): Promise<void> {
  const { source, rootId, note } = giving;
  const rows = await tx<{ id: string }[]>`
    update conversations set customer_id = ${source.id}, updated_at = clock_timestamp()
    where customer_id = ${rootId} and (id = any(${note.conversations})
      or (channel_id, thread_key) in (
        select channel_id, thread_key from conversations where id = any(${note.conversations})
        union select channel_id, address from identities where id = any(${note.identities}))
      or channel_id in (select channel_id from identities where id = any(${note.identities}) and kind = 'email')
        and (channel_id, (
          select email ->> 'from' from messages
          where conversation_id = conversations.id and seq = 1 and direction = 'inbound')) in (
          select channel_id, address from identities where id = any(${note.identities})))
    returning id`;
  const conversations = rows.map(({ id }) => id);
  await passThreads(tx, conversations, { from: rootId, to: source.id });
  await messagesBack(tx, conversations, giving);
}

/** What was written in them since the merge was written from the source's addresses. */
async function messagesBack(tx: Sql, conversations: string[], { source, steps }: Giving): Promise<void> {
  const seqs = new Map(
    steps.flatMap((one) => one.conversations.map((id, n) => [`${one.into} ${id}`, one.seqs?.[n] ?? 0])),
  );
  const heirs = [...new Set(steps.map(({ into }) => into))];
  const back = conversations.flatMap((id) =>
    heirs.map((heir) => ({ id, heir, seq: seqs.get(`${heir} ${id}`) ?? 0 })),
  );
  await tx`
    update messages m set customer_id = ${source.id}
    from unnest(${column(back, 'id')}::uuid[], ${column(back, 'heir')}::uuid[], ${column(back, 'seq')}::bigint[])
      as back(id, heir, seq)
    where m.conversation_id = back.id and m.customer_id = back.heir and m.seq > back.seq
      and m.direction = 'inbound' and m.id <> all(${steps.flatMap(({ kept = [] }) => kept)})`;
}

/** The merge, and those that stand of whoever the source became part of. */
async function stepsOf(tx: Sql, note: MergeNote): Promise<MergeNote[]> {
  const rows = await tx<{ detail: MergeNote }[]>`
    with recursive step as (
      select ${tx.json({ ...note })}::jsonb as detail
      union
      select l.detail from step
      join audit_log l on l.subject_id = (step.detail ->> 'into')::uuid and l.action = 'customer.merged'
      where not exists (
        select from audit_log u where u.subject_id = l.subject_id and u.action = 'customer.unmerged' and u.id > l.id))
    select detail from step`;
  return rows.map(({ detail }) => detail);
}

/** Takes back what was filled in from the source, unless somebody has changed it since. */
async function unfill(tx: Sql, source: StoredCustomer, { into, filled }: MergeNote): Promise<void> {
  if (filled.length === 0) return;
  const has = (field: string) => filled.includes(field);
  const attributes = Object.fromEntries(
    Object.entries(source.custom_attributes).filter(([key]) => has(`custom_attributes.${key}`)),
  );
  await tx`
    update customers set
      name = case when ${has('name')} then nullif(name, ${source.name}) else name end,
      email = case when ${has('email')} then nullif(email, ${source.email}) else email end,
      phone = case when ${has('phone')} then nullif(phone, ${source.phone}) else phone end,
      custom_attributes = (
        select coalesce(jsonb_object_agg(key, value), '{}') from jsonb_each(custom_attributes)
        where ${tx.json(attributes as never)}::jsonb -> key is distinct from value),
      updated_at = clock_timestamp()
    where id = ${into}`;
}

/** Takes the source's external_id from whom it went to, and from whom that one was merged into since. */
async function releaseExternalId(tx: Sql, { source, rootId, note }: Giving): Promise<void> {
  const theirs = tx`(select merged_external_id from customers where id = ${source.id})`;
  await tx`
    update customers set external_id = nullif(external_id, ${theirs}),
      merged_external_id = nullif(merged_external_id, ${theirs})
    where id in (${note.into}, ${rootId})`;
}

interface Told {
  businessId: string;
  id: string;
  facts: Record<string, unknown>;
}

async function tell(tx: Sql, { businessId, id, facts }: Told): Promise<StoredCustomer> {
  const customer = await findCustomer(tx, businessId, id);
  await record(tx, [customerEvent('customer.updated', customer, facts)]);
  return customer;
}
