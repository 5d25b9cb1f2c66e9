import type { PendingQuery, Row } from 'postgres';
import type { Sql } from './database/connect.ts';
import { AppError } from './errors.ts';
import { record } from './events.ts';
import { newId } from './id.ts';
import { snapshot } from './snapshot.ts';

export type ConsentSource = 'customer' | 'provider' | 'agent';

/** Something that was said about being written to at an address. */
export interface Statement {
  businessId: string;
  channelId: string;
  address: string;
  consent: 'stop' | 'start' | 'help';
  source: ConsentSource;
  keyword?: string | undefined;
  agentId?: string | undefined;
  saidAt: Date;
  /** Counts only for somebody who had said stop before. */
  onlyAfterStop?: boolean | undefined;
}

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

/** Keeps a statement, and tells of it when it changes whether the customer may be written to. */
export async function noteConsent(tx: Sql, statement: Statement): Promise<void> {
  const { channelId, address } = statement;
  const before = await isOptedOut(tx, channelId, address);
  if (statement.onlyAfterStop === true && !before) return;
  const row = {
    id: newId(),
    business_id: statement.businessId,
    channel_id: channelId,
    address,
    consent: statement.consent,
    source: statement.source,
    keyword: statement.keyword ?? null,
    agent_id: statement.agentId ?? null,
    said_at: statement.saidAt,
  };
  await tx`insert into consents ${tx(row)}`;
  const after = await isOptedOut(tx, channelId, address);
  if (before !== after) await recordChange(tx, statement, after);
}

async function recordChange(tx: Sql, statement: Statement, optedOut: boolean): Promise<void> {
  const { businessId, channelId, address, source } = statement;
  const [identity] = await tx<{ customer_id: string }[]>`
    select customer_id from identities where channel_id = ${channelId} and address = ${address}`;
  if (identity === undefined) return;
  const data = await snapshot(tx, { customerId: identity.customer_id });
  const consent = { channel_id: channelId, address, opted_out: optedOut, source };
  await record(tx, [
    {
      type: 'customer.updated',
      businessId,
      customerId: identity.customer_id,
      data: { ...data, changed: ['consent'], consent },
    },
  ]);
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

/** All that was said at the customer's addresses, newest first. */
export function consentsOf(sql: Sql, businessId: string, customerId: string) {
  return sql<ConsentRow[]>`
    select s.* from identities i join consents s on s.channel_id = i.channel_id and s.address = i.address
    where i.business_id = ${businessId} and i.customer_id = ${customerId}
    order by s.said_at desc, s.id desc limit 1000`;
}
