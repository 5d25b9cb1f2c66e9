import { type Auditor, audit } from '../audit.ts';
import { customerEvent, findCustomer, type StoredCustomer } from '../customers.ts';
import type { Sql } from '../database/connect.ts';
import { AppError, invalidField } from '../errors.ts';
import { record } from '../events.ts';
import { isUuid } from '../id.ts';
import { recountBlocks } from './blocked-senders.ts';
import { lockCustomers } from './lock-customers.ts';

export interface CustomerMerge {
  businessId: string;
  /** Who stays. */
  id: string;
  /** Who becomes part of them. */
  from: string;
  by: Auditor;
}

/** Makes two customers one person: addresses and conversations move, and the log keeps what an undo needs. */
export async function mergeCustomer(tx: Sql, merge: CustomerMerge): Promise<StoredCustomer> {
  const { businessId, id, from, by } = merge;
  const { id: targetId } = await findCustomer(tx, businessId, id);
  if (targetId === from) throw invalidField('from', 'is the customer itself');
  await refuseForeign(tx, businessId, from);
  const { source, target } = await lockPair(tx, from, targetId);
  // Who was erased meanwhile is nobody any more.
  await findCustomer(tx, businessId, targetId);
  await refuseForeign(tx, businessId, from);
  if (source.merged_into_id === target.id) return target;
  refuseMerged(source, target);
  return absorb(tx, { source, target, by, fills: true });
}

async function refuseForeign(tx: Sql, businessId: string, from: string): Promise<void> {
  const rows = isUuid(from)
    ? await tx`select id from customers where id = ${from} and business_id = ${businessId} and deleted_at is null`
    : [];
  if (rows.length === 0) throw invalidField('from', 'is not a customer of your business');
}

interface Pair {
  source: StoredCustomer;
  target: StoredCustomer;
}

async function lockPair(tx: Sql, sourceId: string, targetId: string): Promise<Pair> {
  const locked = await lockCustomers(tx, [sourceId, targetId]);
  const [source, target] = [locked.get(sourceId), locked.get(targetId)];
  if (source === undefined || target === undefined) throw new Error('a customer is never deleted');
  return { source, target };
}

/** Only who stands on their own is merged, and only into whom does: so no circle can come about. */
function refuseMerged(source: StoredCustomer, target: StoredCustomer): void {
  const merged = source.merged_into_id === null ? target : source;
  if (merged.merged_into_id === null) return;
  const message =
    merged === source
      ? 'The other customer is merged into somebody already; undo that first.'
      : 'This customer is itself merged into another one; merge into that.';
  throw new AppError('conflict', message, { extra: { merged_into_id: merged.merged_into_id } });
}

interface Absorption extends Pair {
  by: Auditor;
  /** Whether what the target lacks is taken over from the source. */
  fills: boolean;
}

/** The merge itself, of two customers that this transaction has locked with `lockCustomers`. */
export async function absorb(tx: Sql, { source, target, by, fills }: Absorption): Promise<StoredCustomer> {
  const moved = await moveRows(tx, source.id, target.id);
  const filled = fills ? await fill(tx, source, target) : [];
  await tx`
    update customers set merged_into_id = ${target.id}, updated_at = clock_timestamp() where id = ${source.id}`;
  const customers = await ids(
    tx`update customers set merged_into_id = ${target.id} where merged_into_id = ${source.id} returning id`,
  );
  await noteMerge(tx, by, { source: source.id, into: target.id, ...moved, customers, filled });
  await recountBlocks(tx, target.id);
  const merged = await findCustomer(tx, target.business_id, target.id);
  await record(tx, [customerEvent('customer.merged', merged, { merged_from: [source.id] })]);
  return merged;
}

/** What the merge moved. Ids only: the log outlives an erasure. */
export interface Moved {
  identities: string[];
  conversations: string[];
  /** How far each of them had come: what was written later was written by the one who stays. */
  seqs: number[];
}

/** Messages stay as they are, however many: who wrote them is who their writer became part of. */
async function moveRows(tx: Sql, source: string, target: string): Promise<Moved> {
  const identities = await ids(
    tx`update identities set customer_id = ${target} where customer_id = ${source} returning id`,
  );
  const moved = await tx<{ id: string; last_message_seq: number }[]>`
    update conversations set customer_id = ${target}, updated_at = clock_timestamp()
    where customer_id = ${source} returning id, last_message_seq`;
  const conversations = moved.map(({ id }) => id);
  await passThreads(tx, conversations, { from: source, to: target });
  return { identities, conversations, seqs: moved.map((row) => row.last_message_seq) };
}

interface Passing {
  from: string;
  to: string;
}

/** Makes the threads of moved conversations somebody else's. */
export async function passThreads(tx: Sql, conversations: string[], { from, to }: Passing): Promise<void> {
  await tx`
    update threads t set customer_id = ${to}
    from conversations c
    where c.id = any(${conversations}) and t.channel_id = c.channel_id and t.thread_key = c.thread_key
      and t.customer_id = ${from}`;
}

const PLAIN = ['name', 'email', 'phone'] as const;

/** What the target lacks comes from the source; says what. */
async function fill(tx: Sql, source: StoredCustomer, target: StoredCustomer): Promise<string[]> {
  const plain = PLAIN.filter((field) => target[field] === null && source[field] !== null);
  const attributes = Object.keys(source.custom_attributes).filter(
    (key) => !(key in target.custom_attributes),
  );
  const takesId = target.external_id === null && source.external_id !== null;
  // An external_id is one customer's at a time; the source remembers its own for the undo.
  if (takesId)
    await tx`
      update customers set merged_external_id = external_id, external_id = null where id = ${source.id}`;
  await tx`
    update customers set name = coalesce(name, ${source.name}), email = coalesce(email, ${source.email}),
      phone = coalesce(phone, ${source.phone}), external_id = coalesce(external_id, ${takesId ? source.external_id : null}),
      custom_attributes = ${tx.json(source.custom_attributes as never)}::jsonb || custom_attributes,
      updated_at = clock_timestamp()
    where id = ${target.id}`;
  return [
    ...plain,
    ...(takesId ? ['external_id'] : []),
    ...attributes.map((key) => `custom_attributes.${key}`),
  ];
}

interface MergeNote extends Moved {
  source: string;
  into: string;
  customers: string[];
  filled: string[];
}

async function noteMerge(tx: Sql, by: Auditor, { source, ...detail }: MergeNote): Promise<void> {
  await audit(tx, by, { action: 'customer.merged', subjectId: source, detail: { ...detail } });
}

async function ids(rows: PromiseLike<readonly { id?: string }[]>): Promise<string[]> {
  return (await rows).flatMap(({ id }) => id ?? []);
}

/** Moves what a message that was coming in during the merge may still have given the source. */
export async function moveLeftovers(tx: Sql, { id, from, by }: CustomerMerge): Promise<void> {
  const { source, target } = await lockPair(tx, from, id);
  if (source.merged_into_id !== target.id) return;
  const moved = await moveRows(tx, source.id, target.id);
  if (moved.identities.length + moved.conversations.length === 0) return;
  await noteMerge(tx, by, { source: source.id, into: target.id, ...moved, customers: [], filled: [] });
}
