import type { Sql } from '../database/connect.ts';
import { fewRows, recordset } from '../database/recordset.ts';
import type { ConversationRow } from '../views/conversation.ts';
import type { CustomerRow } from '../views/customer.ts';
import type { MessageRow } from '../views/message.ts';
import type { PlannedAttachment } from './rows.ts';
import type { ThreadState } from './threads.ts';
import type { Plan } from './work.ts';

/** Writes what was planned but its events: one statement a table, none waiting for another's answer. */
export async function writePlan(tx: Sql, plan: Plan): Promise<void> {
  await Promise.all([
    ...ifAny(plan.newCustomers, (rows) => insertCustomers(tx, rows)),
    ...ifAny([...plan.filledCustomers], (rows) => fillCustomers(tx, rows)),
    ...ifAny(plan.newConversations, (rows) => insertConversations(tx, rows)),
    ...ifAny(
      [...plan.touchedConversations].filter((it) => !plan.newConversations.includes(it)),
      (rows) => updateConversations(tx, rows),
    ),
    ...ifAny([...plan.touchedThreads], (rows) => pointThreads(tx, rows)),
    ...ifAny([...plan.readdressed], (rows) => readdress(tx, rows)),
    ...ifAny(plan.messages, (rows) => insertMessages(tx, rows)),
    ...ifAny(plan.echoes, (rows) => insertEchoes(tx, rows)),
    ...ifAny(plan.attachments, (rows) => insertAttachments(tx, rows)),
    ...ifAny(plan.claimedUploads, (rows) => claimUploads(tx, rows)),
    ...ifAny([...plan.answered], (rows) => closeCards(tx, rows)),
    ...ifAny(plan.albumIds, (rows) => nameAlbumItems(tx, rows)),
  ]);
}

function ifAny<T>(rows: T[], write: (rows: T[]) => PromiseLike<unknown>): PromiseLike<unknown>[] {
  return rows.length === 0 ? [] : [write(rows)];
}

function insertCustomers(tx: Sql, rows: CustomerRow[]) {
  return tx`
    insert into customers (id, business_id, name, email, phone, external_id, created_at, updated_at)
    select id, business_id, name, email, phone, external_id, created_at, updated_at
    from json_to_recordset(${recordset(tx, rows)}) as r(id uuid, business_id uuid, name text, email text,
      phone text, external_id text, created_at timestamptz, updated_at timestamptz)`;
}

function fillCustomers(tx: Sql, rows: CustomerRow[]) {
  return tx`
    update customers c set name = coalesce(c.name, r.name), email = coalesce(c.email, r.email),
      phone = coalesce(c.phone, r.phone), updated_at = r.updated_at
    from ${fewRows(tx, rows, tx`id uuid, name text, email text, phone text, updated_at timestamptz`)}
    where c.id = r.id`;
}

/** The columns of a conversation that ingest sets; the others begin with their defaults. */
function insertConversations(tx: Sql, rows: ConversationRow[]) {
  return tx`
    insert into conversations (id, business_id, channel_id, channel_type, thread_key, customer_id, subject,
      last_message_seq, last_public_seq, unread_count, reply_window_expires_at, last_message_at, created_at, updated_at)
    select id, business_id, channel_id, channel_type, thread_key, customer_id, subject,
      last_message_seq, last_public_seq, unread_count, reply_window_expires_at, last_message_at, created_at, updated_at
    from json_to_recordset(${recordset(tx, rows)}) as r(id uuid, business_id uuid, channel_id uuid,
      channel_type text, thread_key text, customer_id uuid, subject text, last_message_seq bigint,
      last_public_seq bigint, unread_count int, reply_window_expires_at timestamptz, last_message_at timestamptz,
      created_at timestamptz, updated_at timestamptz)`;
}

function updateConversations(tx: Sql, conversations: ConversationRow[]) {
  const rows = conversations.map((it) => ({
    id: it.id,
    status: it.status,
    snoozed_until: it.snoozed_until,
    resolved_at: it.resolved_at,
    closed_at: it.closed_at,
    last_message_seq: it.last_message_seq,
    last_public_seq: it.last_public_seq,
    unread_count: it.unread_count,
    reply_window_expires_at: it.reply_window_expires_at,
    last_message_at: it.last_message_at,
    updated_at: it.updated_at,
  }));
  const columns = tx`
    id uuid, status text, snoozed_until timestamptz, resolved_at timestamptz, closed_at timestamptz,
    last_message_seq bigint, last_public_seq bigint, unread_count int, reply_window_expires_at timestamptz,
    last_message_at timestamptz, updated_at timestamptz`;
  return tx`
    update conversations c set status = r.status, snoozed_until = r.snoozed_until, resolved_at = r.resolved_at,
      closed_at = r.closed_at, last_message_seq = r.last_message_seq, last_public_seq = r.last_public_seq,
      unread_count = r.unread_count, reply_window_expires_at = r.reply_window_expires_at,
      last_message_at = r.last_message_at, updated_at = r.updated_at
    from ${fewRows(tx, rows, columns)}
    where c.id = r.id`;
}

function pointThreads(tx: Sql, rows: ThreadState[]) {
  return tx`
    update threads t set conversation_id = r.conversation_id, customer_id = r.customer_id, updated_at = now()
    from ${fewRows(tx, rows, tx`channel_id uuid, thread_key text, conversation_id uuid, customer_id uuid`)}
    where t.channel_id = r.channel_id and t.thread_key = r.thread_key`;
}

function readdress(tx: Sql, rows: ConversationRow[]) {
  return tx`
    update conversations c set thread_key = r.thread_key
    from ${fewRows(tx, rows, tx`id uuid, thread_key text`)} where c.id = r.id`;
}

/** What was written elsewhere is a message of one part, so that receipts and replies find it. */
function insertEchoes(tx: Sql, rows: MessageRow[]) {
  return tx`
    with echoes as (
      insert into messages (id, business_id, conversation_id, channel_id, customer_id, seq, direction, sender_type,
        type, content, reply_to_id, external_id, metadata, status, created_at, sent_at)
      select id, business_id, conversation_id, channel_id, customer_id, seq, direction, sender_type,
        type, content, reply_to_id, external_id, metadata, status, created_at, sent_at
      from json_to_recordset(${recordset(tx, rows)}) as r(id uuid, business_id uuid, conversation_id uuid,
        channel_id uuid, customer_id uuid, seq bigint, direction text, sender_type text, type text, content text,
        reply_to_id uuid, external_id text, metadata jsonb, status text, created_at timestamptz, sent_at timestamptz)
      returning id, conversation_id, external_id, sent_at
    ), answered as (
      update conversations c set first_response_at = coalesce(first_response_at, now())
      from echoes e where c.id = e.conversation_id
    )
    insert into message_parts (message_id, generation, n, payload, external_id, status, sent_at)
    select id, 1, 0, '{}', external_id, 'sent', sent_at from echoes`;
}

function insertMessages(tx: Sql, rows: MessageRow[]) {
  return tx`
    insert into messages (id, business_id, conversation_id, channel_id, customer_id, seq, direction, sender_type,
      sender_name, type, content, html, text_full, card, email, reply_to_id, client_message_id, external_id, metadata,
      created_at)
    select id, business_id, conversation_id, channel_id, customer_id, seq, direction, sender_type,
      sender_name, type, content, html, text_full, card, email, reply_to_id, client_message_id, external_id, metadata,
      created_at
    from json_to_recordset(${recordset(tx, rows)}) as r(id uuid, business_id uuid, conversation_id uuid,
      channel_id uuid, customer_id uuid, seq bigint, direction text, sender_type text, sender_name text, type text,
      content text, html text, text_full text, card jsonb, email jsonb, reply_to_id uuid, client_message_id text,
      external_id text, metadata jsonb, created_at timestamptz)`;
}

/** Stores attachments as pending; their bytes are fetched after the commit. */
export function insertAttachments(tx: Sql, rows: PlannedAttachment[]) {
  return tx`
    insert into attachments (id, business_id, conversation_id, message_id, position, name, content_type, size_bytes,
      state, source, error, next_attempt_at)
    select id, business_id, conversation_id, message_id, position, name, content_type, size_bytes,
      state, decode(source, 'base64'), error, case when state = 'pending' then now() end
    from json_to_recordset(${recordset(tx, rows)}) as r(id uuid, business_id uuid, conversation_id uuid,
      message_id uuid, position int, name text, content_type text, size_bytes bigint, state text, source text, error text)`;
}

function closeCards(tx: Sql, rows: ConversationRow[]) {
  return tx`update conversations set open_card = null where id = any(${rows.map((row) => row.id)}::uuid[])`;
}

function nameAlbumItems(tx: Sql, rows: Plan['albumIds']) {
  return tx`
    insert into provider_ids (channel_id, external_id, message_id)
    select channel_id, external_id, message_id
    from json_to_recordset(${recordset(tx, rows)}) as r(channel_id uuid, external_id text, message_id uuid)
    order by channel_id, external_id
    on conflict (channel_id, external_id) do update set message_id = excluded.message_id
      where provider_ids.message_id is null`;
}

function claimUploads(tx: Sql, rows: PlannedAttachment[]) {
  return tx`
    update attachments a set message_id = r.message_id, conversation_id = r.conversation_id, position = r.position,
      state = 'ready'
    from ${fewRows(tx, rows, tx`id uuid, message_id uuid, conversation_id uuid, position int`)}
    where a.id = r.id`;
}
