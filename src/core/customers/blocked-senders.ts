import { domainToASCII } from 'node:url';
import type { Actor } from '../actor.ts';
import { audit } from '../audit.ts';
import { customerEvent, namedCustomer, type StoredCustomer } from '../customers.ts';
import type { Sql } from '../database/connect.ts';
import { AppError, invalidField } from '../errors.ts';
import { record } from '../events.ts';
import { newId } from '../id.ts';
import type { ListWindow } from '../list-window.ts';
import { normalPhone } from '../phone.ts';

export const BLOCK_KINDS = ['person', 'address', 'domain'] as const;
export type BlockKind = (typeof BLOCK_KINDS)[number];

export interface BlockedSenderRow {
  id: string;
  business_id: string;
  kind: BlockKind;
  value: string;
  customer_id: string | null;
  reason: string | null;
  agent_id: string | null;
  created_at: Date;
}

/** Whom to block: exactly one of the three. */
export type Blocking = { customerId: string } | { address: string } | { domain: string };

interface BlockRequest {
  whom: Blocking;
  reason: string | null;
  actor: Actor;
}

/** Lets nothing of somebody in any more, on any channel. Who is blocked already stays so. */
export async function blockSender(tx: Sql, { whom, reason, actor }: BlockRequest): Promise<BlockedSenderRow> {
  const target = await targetOf(tx, actor.businessId, whom);
  const row = { id: newId(), business_id: actor.businessId, ...target, reason, agent_id: actor.agentId };
  const [blocked] = await tx<BlockedSenderRow[]>`
    insert into blocked_senders ${tx(row)} on conflict (business_id, kind, value) do nothing returning *`;
  if (blocked === undefined) return existing(tx, row);
  if (blocked.customer_id !== null) await markPerson(tx, blocked.customer_id);
  await audit(tx, actor, { action: 'sender.blocked', subjectId: blocked.id, detail: { kind: blocked.kind } });
  return blocked;
}

type Target = Pick<BlockedSenderRow, 'kind' | 'value' | 'customer_id'>;

async function targetOf(tx: Sql, businessId: string, whom: Blocking): Promise<Target> {
  if ('customerId' in whom) {
    const { id } = await namedCustomer(tx, businessId, whom.customerId);
    return { kind: 'person', value: id, customer_id: id };
  }
  if ('domain' in whom) return { kind: 'domain', value: domainOf(whom.domain), customer_id: null };
  return { kind: 'address', value: comparable(whom.address), customer_id: null };
}

function domainOf(text: string): string {
  const domain = domainToASCII(text.replace(/^(\*\.|@)/, ''));
  if (!/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(domain)) throw invalidField('domain', 'must be like example.com');
  return domain;
}

/** A mail address in lower case, a number in E.164, any other id as it is but in lower case. */
function comparable(address: string): string {
  if (address.includes('@')) return address.toLowerCase();
  return /^(\+|00)[\d\s().-]+$/.test(address) ? normalPhone(address) : address.toLowerCase();
}

async function existing(tx: Sql, { business_id, kind, value }: Target & { business_id: string }) {
  const [row] = await tx<[BlockedSenderRow]>`
    select * from blocked_senders where business_id = ${business_id} and kind = ${kind} and value = ${value}`;
  return row;
}

/** The person shows whether any of those who were merged into them is blocked. */
async function markPerson(tx: Sql, customerId: string): Promise<void> {
  const customer = await recountBlocks(tx, customerId);
  const facts = { changed: ['blocked_at'], blocked_at: customer.blocked_at?.toISOString() ?? null };
  await record(tx, [customerEvent('customer.updated', customer, facts)]);
}

/** Lets them in again; what they wrote meanwhile can be replayed. */
export async function unblockSender(tx: Sql, actor: Actor, id: string): Promise<void> {
  const [row] = await tx<BlockedSenderRow[]>`
    delete from blocked_senders where id = ${id} and business_id = ${actor.businessId} returning *`;
  if (row === undefined) throw new AppError('not_found', 'There is no such blocked sender.');
  if (row.customer_id !== null) await markPerson(tx, row.customer_id);
  await audit(tx, actor, { action: 'sender.unblocked', subjectId: id, detail: { kind: row.kind } });
}

/** Notes on the customer, or whom they were merged into, since when the person is blocked. */
export async function recountBlocks(tx: Sql, customerId: string): Promise<StoredCustomer> {
  const [customer] = await tx<[StoredCustomer]>`
    update customers p set updated_at = clock_timestamp(), blocked_at = (
      select min(b.created_at) from blocked_senders b join customers c on c.id = b.customer_id
      where b.business_id = p.business_id and b.kind = 'person' and coalesce(c.merged_into_id, c.id) = p.id)
    where p.id = (select coalesce(merged_into_id, id) from customers where id = ${customerId}) returning *`;
  return customer;
}

interface BlockFilter {
  businessId: string;
  kind: BlockKind | undefined;
  customerId: string | undefined;
}

/** Whom the business blocks, the last one first. */
export async function listBlockedSenders(
  sql: Sql,
  { businessId, kind, customerId }: BlockFilter,
  window: ListWindow,
): Promise<BlockedSenderRow[]> {
  return sql<BlockedSenderRow[]>`
    select * from blocked_senders
    where business_id = ${businessId}
      ${kind === undefined ? sql`` : sql`and kind = ${kind}`}
      ${customerId === undefined ? sql`` : sql`and customer_id = ${customerId}`}
      ${window.after === undefined ? sql`` : sql`and id < ${window.after[0] ?? ''}::uuid`}
    order by id desc limit ${window.fetch} offset ${window.offset}`;
}
