import type { Sql } from '../database/connect.ts';
import { snapshot } from '../events/snapshot.ts';
import { type EventType, record } from '../events.ts';
import { newId } from '../id.ts';
import { lockCustomers } from './lock-customers.ts';
import { absorb, passThreads } from './merge-customers.ts';

/** A person whom the business itself vouches for. */
export interface VerifiedPerson {
  businessId: string;
  channelId: string;
  externalId: string;
  name: string | undefined;
  email: string | undefined;
  /** The visitor they were so far in this browser, with its thread; undefined for a new browser. */
  visitor: { id: string; threadKey: string } | undefined;
}

interface KnownCustomer {
  id: string;
  external_id: string | null;
}

/**
 * Makes the visitor and the verified person one, and says as which visitor they go on. Who had written anonymously is
 * joined with the customer of that external id; a visitor who is somebody else already is left alone.
 */
export async function identifyVisitor(tx: Sql, person: VerifiedPerson): Promise<string> {
  const known = await customerOfExternalId(tx, person);
  const written =
    person.visitor === undefined ? undefined : await customerOfVisitor(tx, person, person.visitor.id);
  if (person.visitor === undefined || written === undefined) {
    return (await visitorOf(tx, person, known)) ?? person.visitor?.id ?? newId();
  }
  if (written.external_id === null) {
    if (known === undefined) await nameCustomer(tx, person, written.id);
    else await joinCustomers(tx, person.visitor, { person, from: written.id, to: known.id });
  } else if (written.external_id !== person.externalId) {
    return (await visitorOf(tx, person, known)) ?? newId();
  }
  return person.visitor.id;
}

async function customerOfExternalId(tx: Sql, person: VerifiedPerson): Promise<KnownCustomer | undefined> {
  const [row] = await tx<KnownCustomer[]>`
    select coalesce(merged_into_id, id) as id, external_id from customers
    where business_id = ${person.businessId} and external_id = ${person.externalId} and deleted_at is null`;
  return row;
}

async function customerOfVisitor(
  tx: Sql,
  person: VerifiedPerson,
  visitorId: string,
): Promise<KnownCustomer | undefined> {
  const [row] = await tx<KnownCustomer[]>`
    select c.id, c.external_id from identities i join customers c on c.id = i.customer_id
    where i.channel_id = ${person.channelId} and i.address = ${visitorId}`;
  return row;
}

/** The visitor that the person already is on this channel, from another browser. */
async function visitorOf(
  tx: Sql,
  person: VerifiedPerson,
  known: KnownCustomer | undefined,
): Promise<string | undefined> {
  if (known === undefined) return undefined;
  const [row] = await tx<{ address: string }[]>`
    select address from identities
    where channel_id = ${person.channelId} and customer_id = ${known.id} order by created_at, id limit 1`;
  return row?.address;
}

async function nameCustomer(tx: Sql, person: VerifiedPerson, customerId: string): Promise<void> {
  await tx`
    update customers set external_id = ${person.externalId}, name = coalesce(${person.name ?? null}, name),
      email = coalesce(${person.email ?? null}, email), updated_at = now()
    where id = ${customerId} and external_id is null`;
  await recordCustomer(tx, 'customer.updated', { businessId: person.businessId, customerId });
}

interface Join {
  person: VerifiedPerson;
  from: string;
  to: string;
}

/** All that the visitor's customer has, where that is only this visitor; else no more than this visitor's own rows. */
async function joinCustomers(tx: Sql, visitor: { id: string; threadKey: string }, join: Join): Promise<void> {
  const locked = await lockCustomers(tx, [join.from, join.to]);
  const [source, target] = [locked.get(join.from), locked.get(join.to)];
  // Signed in by another browser meanwhile: the next handshake looks again.
  if (source?.merged_into_id !== null || source.external_id !== null || target?.merged_into_id !== null)
    return;
  const { businessId, channelId } = join.person;
  const others = await tx`
    select id from identities
    where customer_id = ${source.id} and not (channel_id = ${channelId} and address = ${visitor.id})`;
  if (others.length > 0) return moveVisitor(tx, visitor, join);
  const by = { businessId, apiKeyId: null, agentId: null };
  await absorb(tx, { source, target, by, fills: false });
}

async function moveVisitor(tx: Sql, visitor: { id: string; threadKey: string }, join: Join): Promise<void> {
  const { from, to } = join;
  const { businessId, channelId } = join.person;
  await tx`
    update identities set customer_id = ${to} where channel_id = ${channelId} and address = ${visitor.id}`;
  const moved = await tx<{ id: string }[]>`
    update conversations set customer_id = ${to}, updated_at = now()
    where channel_id = ${channelId} and thread_key = ${visitor.threadKey} and customer_id = ${from}
    returning id`;
  const conversations = moved.map(({ id }) => id);
  await tx`
    update messages set customer_id = ${to}
    where conversation_id = any(${conversations})
      and customer_id in (select id from customers where id = ${from} or merged_into_id = ${from})`;
  await passThreads(tx, conversations, { from, to });
  await recordCustomer(tx, 'customer.updated', { businessId, customerId: to, changed: ['identities'] });
}

interface CustomerFact {
  businessId: string;
  customerId: string;
  changed?: string[];
}

async function recordCustomer(
  tx: Sql,
  type: EventType,
  { businessId, customerId, ...facts }: CustomerFact,
): Promise<void> {
  const data = await snapshot(tx, { customerId });
  await record(tx, [{ type, businessId, customerId, data: { ...data, ...facts } }]);
}
