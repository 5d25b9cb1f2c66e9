import type { PendingQuery, Row } from 'postgres';
import { customerEvent } from '../customers.ts';
import type { Sql } from '../database/connect.ts';
import { AppError, invalidField } from '../errors.ts';
import { record } from '../events.ts';
import { newId } from '../id.ts';
import type { ListWindow } from '../list-window.ts';
import type { CustomerRow } from '../views/customer.ts';

export type ConsentSource = 'customer' | 'provider' | 'agent';

/** Something that was said about being written to at an address. */
export interface Statement {
  businessId: string;
  channelId: string;
  address: string;
  consent: 'stop' | 'start' | 'help';
  source: ConsentSource;
  keyword?: string | undefined;
  agentId?: string | null | undefined;
  saidAt: Date;
  /** Counts only for somebody who had said stop before. */
  onlyAfterStop?: boolean | undefined;
}

/** One statement as it is kept. */
export interface ConsentRow {
  id: string;
  channel_id: string;
  address: string;
  consent: 'stop' | 'start' | 'help';
  source: ConsentSource;
  keyword: string | null;
  agent_id: string | null;
  said_at: Date;
}

/** A listed statement, with the microseconds of its time that a Date loses. */
export interface ListedConsent extends ConsentRow {
  said_text: string;
}

/**
 * Keeps a statement for all addresses that the person has on the channel, and tells of it when it changes whether they
 * may be written to.
 */
export async function noteConsent(tx: Sql, statement: Statement): Promise<ConsentRow[]> {
  const { channelId, address } = statement;
  const before = await isOptedOut(tx, channelId, address);
  if (statement.onlyAfterStop === true && !before) return [];
  const kept = await keep(tx, statement);
  const after = await isOptedOut(tx, channelId, address);
  if (before !== after) await recordChange(tx, statement, after);
  return kept;
}

async function keep(tx: Sql, statement: Statement): Promise<ConsentRow[]> {
  const rows = (await addressesBeside(tx, statement)).map((address) => ({
    id: newId(),
    business_id: statement.businessId,
    channel_id: statement.channelId,
    address,
    consent: statement.consent,
    source: statement.source,
    keyword: statement.keyword ?? null,
    agent_id: statement.agentId ?? null,
    said_at: statement.saidAt,
  }));
  return tx<ConsentRow[]>`insert into consents ${tx(rows)} returning *`;
}

/** Who hides their number on WhatsApp today may have shown it before: both lead to the same person. */
async function addressesBeside(tx: Sql, { channelId, address }: Statement): Promise<string[]> {
  const others = await tx<{ address: string }[]>`
    select o.address from identities i join identities o using (channel_id, customer_id)
    where i.channel_id = ${channelId} and i.address = ${address} and o.address <> ${address} order by o.address`;
  return [address, ...others.map((other) => other.address)];
}

async function recordChange(tx: Sql, statement: Statement, isOut: boolean): Promise<void> {
  const { channelId, address, source } = statement;
  const [customer] = await tx<CustomerRow[]>`
    select c.* from identities i join customers c on c.id = i.customer_id
    where i.channel_id = ${channelId} and i.address = ${address}`;
  if (customer === undefined) return;
  const consent = { channel_id: channelId, address, opted_out: isOut, source };
  await record(tx, [customerEvent('customer.updated', customer, { changed: ['consent'], consent })]);
}

type Fragment = PendingQuery<Row[]>;

/** An SQL condition: whoever reads at this address has forbidden us to write. */
export function optedOut(sql: Sql, at: { channelId: Fragment; address: Fragment }) {
  return sql`coalesce((
    select s.consent = 'stop' from consents s
    where s.channel_id = ${at.channelId} and s.address = ${at.address} and s.consent <> 'help'
    order by s.said_at desc, s.id desc limit 1), false)`;
}

async function isOptedOut(sql: Sql, channelId: string, address: string): Promise<boolean> {
  const at = { channelId: sql`${channelId}::uuid`, address: sql`${address}::text` };
  const [row] = await sql<[{ opted_out: boolean }]>`select ${optedOut(sql, at)} as opted_out`;
  return row.opted_out;
}

/** What a message is told whose reader has said stop. */
export const OPTED_OUT = 'The customer has asked not to be written to on this channel.';

/** Throws `opted_out` where the reader at the address has said stop. */
export async function refuseOptedOut(sql: Sql, channelId: string, address: string): Promise<void> {
  if (await isOptedOut(sql, channelId, address)) throw new AppError('opted_out', OPTED_OUT);
}

interface ConsentFilter {
  businessId: string;
  customerId: string;
  page: ListWindow;
}

/** What was said at the customer's addresses, newest first. */
export function consentsOf(sql: Sql, { businessId, customerId, page }: ConsentFilter) {
  const [saidAt, id] = page.after ?? [];
  return sql<ListedConsent[]>`
    select s.*, s.said_at::text as said_text
    from identities i join consents s on s.channel_id = i.channel_id and s.address = i.address
    where i.business_id = ${businessId} and i.customer_id = ${customerId}
      ${saidAt === undefined || id === undefined ? sql`` : sql`and (s.said_at, s.id) < (${saidAt}::text::timestamptz, ${id}::uuid)`}
    order by s.said_at desc, s.id desc limit ${page.fetch} offset ${page.offset}`;
}

interface Told {
  businessId: string;
  customerId: string;
  channelId: string;
  consent: 'stop' | 'start';
  agentId: string | null;
}

/** Keeps what the customer told one of the team. */
export async function noteTold(tx: Sql, { customerId, ...told }: Told): Promise<ConsentRow[]> {
  const [identity] = await tx<{ address: string }[]>`
    select address from identities
    where business_id = ${told.businessId} and customer_id = ${customerId} and channel_id = ${told.channelId}
    order by address limit 1`;
  if (identity === undefined)
    throw invalidField('channel_id', 'is no channel on which the customer has an address');
  const { address } = identity;
  return noteConsent(tx, { ...told, address, source: 'agent', saidAt: new Date() });
}
