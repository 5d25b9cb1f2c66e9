import type { LoadedChannel } from '../channels.ts';
import { addressesOf } from '../customers/customer-addresses.ts';
import { type CustomerFields, claimAddress, customerAt, findCustomer, namedCustomer } from '../customers.ts';
import type { Sql } from '../database/connect.ts';
import { AppError } from '../errors.ts';
import { snapshot } from '../events/snapshot.ts';
import { record } from '../events.ts';
import { newId } from '../id.ts';
import { type Draft, queueMessage, type Writing } from '../messages/queue-message.ts';
import { assign } from '../team/assign.ts';
import type { ConversationRow } from '../views/conversation.ts';
import type { CustomerRow } from '../views/customer.ts';
import type { MessageView } from '../views/message.ts';

export interface Start {
  channel: LoadedChannel;
  customerId?: string | undefined;
  subject?: string | undefined;
  assigneeId?: string | undefined;
  /** The first message of an agent. */
  draft?: Draft | undefined;
}

/** Opens a conversation from our side, in a thread of its own or in the one of the customer's address. */
export async function startConversation(
  tx: Sql,
  { start, ...writing }: Writing & { start: Start },
): Promise<ConversationRow> {
  const { channel } = start;
  const customer =
    start.customerId === undefined
      ? null
      : await namedCustomer(tx, channel.row.business_id, start.customerId);
  const recipient = customer === null ? undefined : await recipientOf(tx, channel, customer);
  if (recipient === undefined) refuseWithoutRecipient(channel);
  else await takeThread(tx, channel, { recipient, customer });
  const subject = start.subject ?? start.draft?.email?.subject ?? null;
  const opened = await openConversation(tx, channel, {
    customer,
    threadKey: recipient?.threadKey ?? null,
    subject,
  });
  if (start.assigneeId !== undefined)
    await assign(tx, opened, { assigneeId: start.assigneeId, by: writing.by });
  if (start.draft !== undefined) await queueMessage(tx, opened, { draft: start.draft, ...writing });
  return reread(tx, opened);
}

interface Recipient {
  address: string;
  kind: string;
  threadKey: string;
}

/** The customer's address on the channel, else the email or phone that the channel can write to. */
async function recipientOf(
  tx: Sql,
  { row, adapter }: LoadedChannel,
  customer: CustomerRow,
): Promise<Recipient | undefined> {
  const identities = await tx<{ address: string; kind: string }[]>`
    select address, kind from identities
    where channel_id = ${row.id} and customer_id = ${customer.id}
    order by reachable desc, created_at desc, id desc`;
  const known = (await addressesOf(tx, [customer])).get(customer.id);
  const emails = (known?.emails ?? []).map((address) => ({ address, kind: 'email' }));
  // Only with its plus a number is nobody's id of another kind.
  const phones = (known?.phones ?? []).filter((one) => one.startsWith('+'));
  const others = [...emails, ...phones.map((address) => ({ address, kind: 'phone' }))];
  for (const candidate of [...identities, ...others]) {
    const threadKey = adapter.threadKeyFor?.(candidate.address);
    if (threadKey !== undefined) return { ...addressOf(candidate, threadKey), threadKey };
  }
  return undefined;
}

/** A number is kept as it is written to, however somebody typed it. */
function addressOf<Candidate extends { address: string }>(
  candidate: Candidate,
  threadKey: string,
): Candidate {
  return kindOf(threadKey) === 'phone' ? { ...candidate, address: threadKey } : candidate;
}

/** Where messages leave over our own sockets they are kept until somebody comes to read them. */
function refuseWithoutRecipient({ adapter }: LoadedChannel): void {
  if (adapter.send === undefined) return;
  throw new AppError('no_recipient', 'The customer has no address on this channel.');
}

/** Locks the thread; where the address is the thread, a conversation that goes on there already stays the only one. */
async function takeThread(
  tx: Sql,
  { row, adapter }: LoadedChannel,
  { recipient, customer }: { recipient: Recipient; customer: CustomerRow | null },
): Promise<void> {
  const { current, owner_id } = await lockThread(tx, row, recipient.threadKey);
  const owner = {
    businessId: row.business_id,
    channelId: row.id,
    address: recipient.address,
    kind: recipient.kind,
  };
  const isOthers = owner_id !== null && owner_id !== customer?.id && !adapter.opensThreads;
  if (isOthers || (customer !== null && !(await claimAddress(tx, customer, owner)))) {
    throw new AppError('conflict', 'The address belongs to another customer.');
  }
  const active = adapter.opensThreads || current === null ? undefined : await lockActive(tx, current);
  if (active === undefined) return;
  throw new AppError('conflict', 'A conversation goes on at this address already.', {
    extra: { conversation_id: active.id },
  });
}

interface LockedThread {
  current: string | null;
  /** A merge made it lead there. */
  wasMerged: boolean;
  /** Whose thread it is, also when the address was typed in another form than theirs. */
  owner_id: string | null;
}

/** The thread's conversation and customer, once nobody else can repoint the thread. */
async function lockThread(
  tx: Sql,
  channel: { id: string; business_id: string },
  threadKey: string,
): Promise<LockedThread> {
  await tx`
    insert into threads (channel_id, business_id, thread_key)
    values (${channel.id}, ${channel.business_id}, ${threadKey}) on conflict do nothing`;
  const [thread] = await tx<[LockedThread]>`
    select conversation_id as current, merged_from is not null as "wasMerged",
      (select coalesce(c.merged_into_id, c.id) from customers c
       where c.id = t.customer_id and t.merged_from is null and c.deleted_at is null) as owner_id
    from threads t
    where channel_id = ${channel.id} and thread_key = ${threadKey} for update of t`;
  return thread;
}

async function lockActive(tx: Sql, id: string): Promise<ConversationRow | undefined> {
  const [row] = await tx<ConversationRow[]>`select * from conversations where id = ${id} for update`;
  return row !== undefined && ['open', 'pending', 'snoozed'].includes(row.status) ? row : undefined;
}

interface Opening {
  customer: CustomerRow | null;
  threadKey: string | null;
  subject: string | null;
}

async function openConversation(
  tx: Sql,
  { row: channel, adapter }: LoadedChannel,
  opening: Opening,
): Promise<ConversationRow> {
  const isFree = adapter.replyWindowMs === undefined;
  const row = {
    id: newId(),
    business_id: channel.business_id,
    channel_id: channel.id,
    channel_type: channel.type,
    thread_key: opening.threadKey,
    customer_id: opening.customer?.id ?? null,
    subject: opening.subject,
    reply_window_expires_at: isFree ? null : await knownWindow(tx, channel.id, opening.customer),
  };
  const [conversation] = await tx<[ConversationRow]>`insert into conversations ${tx(row)} returning *`;
  if (opening.threadKey !== null) {
    await tx`
      update threads set conversation_id = ${row.id}, customer_id = ${row.customer_id}, updated_at = now()
      where channel_id = ${channel.id} and thread_key = ${opening.threadKey}`;
  }
  const data = await snapshot(tx, { conversationId: row.id });
  const ids = { businessId: row.business_id, conversationId: row.id, customerId: row.customer_id };
  await record(tx, [{ type: 'conversation.created', ...ids, data }]);
  return conversation;
}

/** What the customer wrote last, in whichever conversation, lets us answer for a time; before that only a template may. */
async function knownWindow(tx: Sql, channelId: string, customer: CustomerRow | null): Promise<Date> {
  const [row] = await tx<[{ expires_at: Date }]>`
    select coalesce(max(reply_window_expires_at), now()) as expires_at from conversations
    where channel_id = ${channelId} and customer_id = ${customer?.id ?? null}`;
  return row.expires_at;
}

async function reread(tx: Sql, { id }: ConversationRow): Promise<ConversationRow> {
  const [row] = await tx<[ConversationRow]>`select * from conversations where id = ${id}`;
  return row;
}

export interface Address {
  channel: LoadedChannel;
  to: string;
  customer: CustomerFields;
  draft: Draft;
}

/** Writes to an address: in the conversation that goes on there, else in a new one, to a new customer if need be. */
export async function writeToAddress(
  tx: Sql,
  { address, ...writing }: Writing & { address: Address },
): Promise<MessageView> {
  const { channel, to, draft } = address;
  const threadKey = channel.adapter.threadKeyFor?.(to);
  if (threadKey === undefined) throw unknownAddress();
  const { current, wasMerged, owner_id } = await lockThread(tx, channel.row, threadKey);
  const owner = {
    businessId: channel.row.business_id,
    channelId: channel.row.id,
    ...addressOf({ address: to, kind: kindOf(to) }, threadKey),
  };
  const known = owner_id === null || channel.adapter.opensThreads ? undefined : owner_id;
  const customer =
    known === undefined
      ? await customerAt(tx, { ...owner, fields: address.customer })
      : await findCustomer(tx, channel.row.business_id, known);
  const goesOn = current === null ? undefined : await lockActive(tx, current);
  // Of a merged conversation the messages go to its own address, which is another one.
  const active = wasMerged && goesOn?.thread_key !== threadKey ? undefined : goesOn;
  const subject = draft.email?.subject ?? null;
  const conversation = active ?? (await openConversation(tx, channel, { customer, threadKey, subject }));
  return queueMessage(tx, conversation, { draft, ...writing });
}

function unknownAddress(): AppError {
  const details = [{ field: 'to', message: 'is no address of this channel' }];
  return new AppError('no_recipient', 'Nobody can be reached at this address on this channel.', { details });
}

function kindOf(address: string): string {
  if (address.includes('@')) return 'email';
  return address.startsWith('+') ? 'phone' : 'id';
}
