import type { Sql } from '../database/connect.ts';
import { snapshot } from '../events/snapshot.ts';
import { type EventType, record } from '../events.ts';
import { isUuid } from '../id.ts';
import type { MessageError, MessageRow } from '../views/message.ts';
import { unpark } from './parked.ts';

export interface ReceiptOf {
  channelId: string;
  externalId: string;
  status: 'sent' | 'delivered' | 'read' | 'failed';
  error: MessageError | null;
  /** Ours, where the provider gave back which one it is: it counts when the provider's answer never named it. */
  message?: { id: string; part: number } | undefined;
  at: Date;
}

/**
 * Notes what a provider says of a message we sent. A receipt that beats the provider's answer waits in provider_ids
 * until the send names the message; statuses only move forward, whatever order they arrive in. True when it changed one.
 */
export async function applyReceipt(tx: Sql, receipt: ReceiptOf): Promise<boolean> {
  const [row] = await tx<{ message_id: string | null }[]>`
    insert into provider_ids as p (channel_id, external_id, best_status, error, status_at)
    values (${receipt.channelId}, ${receipt.externalId}, ${receipt.status}, ${jsonOrNull(tx, receipt.error)}, ${receipt.at})
    on conflict (channel_id, external_id) do update set
      best_status = case when ${outranks(tx)} then excluded.best_status else p.best_status end,
      error = case when ${outranks(tx)} then excluded.error else p.error end,
      status_at = case when ${outranks(tx)} then excluded.status_at else p.status_at end
    returning message_id`;
  const messageId = row?.message_id ?? (await nameMessage(tx, receipt));
  if (!messageId) return false;
  const [, [raised]] = await Promise.all([raiseParts(tx, messageId), raiseMessage(tx, messageId)]);
  if (raised !== undefined) await recordStatus(tx, raised);
  return raised !== undefined;
}

/** Gives the message the provider's id that its lost answer would have given. */
async function nameMessage(
  tx: Sql,
  { channelId, externalId, message }: ReceiptOf,
): Promise<string | undefined> {
  if (message === undefined || !isUuid(message.id)) return undefined;
  const [named] = await tx<{ message_id: string }[]>`
    update message_parts p set external_id = ${externalId} from messages m
    where m.id = ${message.id} and m.channel_id = ${channelId} and m.deleted_at is null and p.message_id = m.id
      and p.generation = m.generation and p.n = ${message.part}
      and p.status in ('sending', 'failed') and p.external_id is null
    returning p.message_id`;
  if (named === undefined) return undefined;
  await tx`
    update provider_ids set message_id = ${named.message_id}, part = ${message.part}
    where channel_id = ${channelId} and external_id = ${externalId} and message_id is null`;
  return named.message_id;
}

function outranks(tx: Sql) {
  return tx`(p.best_status is null or status_rank(excluded.best_status) > status_rank(p.best_status))`;
}

interface PartSent {
  channelId: string;
  messageId: string;
  generation: number;
  n: number;
  externalIds: string[];
  status: 'sent' | 'delivered';
}

/** Notes that the provider took a part, and what receipts, reactions and replies already said of it. */
export async function partSent(tx: Sql, part: PartSent): Promise<void> {
  const { channelId, messageId } = part;
  // One behind the other, none waiting for another's answer.
  const [parked, [raised]] = await Promise.all([takePart(tx, part), raiseMessage(tx, messageId)]);
  if (raised !== undefined) await recordStatus(tx, raised);
  for (const { external_id: externalId } of parked) await unpark(tx, messageId, { channelId, externalId });
}

/** Names the part; what a receipt already said counts for more. Resolves with the ids for which something else has waited. */
function takePart(tx: Sql, { channelId, messageId, generation, n, externalIds, status }: PartSent) {
  const [externalId = null] = externalIds;
  return tx<{ external_id: string }[]>`
    with named as (
      insert into provider_ids as p (channel_id, external_id, message_id, part, best_status, status_at)
      select distinct ${channelId}::uuid, id, ${messageId}::uuid, ${n}::int, ${status}, now()
      from unnest(${externalIds}::text[]) as id order by id
      on conflict (channel_id, external_id) do update set message_id = excluded.message_id, part = excluded.part,
        best_status = coalesce(p.best_status, excluded.best_status), status_at = coalesce(p.status_at, excluded.status_at)
      returning external_id, best_status, parked
    ), said as (
      select status from (
        values (${status}::text) union all select best_status from named where external_id = ${externalId}) s(status)
      order by status_rank(status) desc limit 1
    ), taken as (
      update message_parts mp
      set status = said.status, external_id = ${externalId}, sent_at = coalesce(mp.sent_at, now())
      from said
      where mp.message_id = ${messageId} and mp.generation = ${generation} and mp.n = ${n}
        and (mp.status in ('queued', 'sending', 'failed') or status_rank(said.status) > status_rank(mp.status))
    )
    select external_id from named where parked is not null`;
}

/** Brings the parts of a message up to what their receipts say. */
function raiseParts(tx: Sql, messageId: string) {
  return tx`
    update message_parts mp set status = p.best_status
    from provider_ids p, messages m
    where m.id = ${messageId} and mp.message_id = m.id and mp.generation = m.generation
      and p.channel_id = m.channel_id and p.message_id = m.id and p.part = mp.n and p.external_id = mp.external_id
      and status_rank(p.best_status) > status_rank(mp.status)`;
}

/** Brings a message up to the least of its parts; resolves with the message where that is higher. */
function raiseMessage(tx: Sql, messageId: string) {
  return tx<MessageRow[]>`
    with reached as (
      select mp.status, p.error, coalesce(p.status_at, now()) as at from message_parts mp
      join messages m on m.id = mp.message_id and m.generation = mp.generation
      left join provider_ids p on p.channel_id = m.channel_id and p.external_id = mp.external_id
      where mp.message_id = ${messageId}
      order by (mp.status = 'failed') desc, status_rank(mp.status) limit 1)
    update messages m set
      status = r.status,
      error = case when r.status = 'failed' then r.error end,
      sent_at = coalesce(m.sent_at, case when r.status <> 'failed' then now() end),
      delivered_at = coalesce(m.delivered_at, case when r.status in ('delivered', 'read') then r.at end),
      read_at = coalesce(m.read_at, case when r.status = 'read' then r.at end),
      -- Over our own sockets the part bears the message's own id, which says nothing new.
      external_id = coalesce((
        select nullif(mp.external_id, m.id::text) from message_parts mp
        where mp.message_id = m.id and mp.generation = m.generation and mp.n = 0), m.external_id),
      next_attempt_at = null
    from reached r
    where m.id = ${messageId} and r.status in ('sent', 'failed', 'delivered', 'read')
      and (status_rank(r.status) > status_rank(m.status) or ${neverKnown(tx)})
    returning m.*`;
}

/** Any evidence is better than none: even `sent` raises a failure that only meant that nobody could know. */
function neverKnown(tx: Sql) {
  return tx`(m.status = 'failed' and m.error ->> 'code' = 'outcome_unknown' and r.status <> 'failed')`;
}

/** Records `message.sent`, `.delivered`, `.read` or `.failed`; a failure lets the lane look at what waits behind. */
export async function recordStatus(tx: Sql, message: MessageRow): Promise<void> {
  const data = await snapshot(tx, { message });
  await record(tx, [
    {
      type: `message.${message.status}` as EventType,
      businessId: message.business_id,
      conversationId: message.conversation_id,
      customerId: data.customer?.id ?? null,
      messageId: message.id,
      data,
    },
  ]);
}

function jsonOrNull(tx: Sql, value: MessageError | null) {
  return value === null ? null : tx.json(value);
}
