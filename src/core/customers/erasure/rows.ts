import type { Sql } from '../../database/connect.ts';
import { blank } from './blank.ts';
import type { Person } from './person.ts';

// Times, numbers, places in an order and who of ours answered: columns that say nothing of the person.
const KEPT_OF_CUSTOMER = 'id business_id merged_into_id created_at'.split(' ');
const KEPT_OF_CONVERSATION = [
  'id business_id channel_id channel_type customer_id assignee_id team_id status priority tags snoozed_until',
  'last_message_seq last_public_seq unread_count agent_read_seq customer_read_seq last_message_at',
  'first_response_at resolved_at closed_at merged_into_id created_at',
].flatMap((names) => names.split(' '));
const KEPT_OF_MESSAGE = [
  'id business_id conversation_id channel_id customer_id seq direction sender_type sender_id type reply_to_id',
  'generation tries send_at skipped_at created_at sent_at delivered_at read_at edited_at',
].flatMap((names) => names.split(' '));
const KEPT_OF_ATTACHMENT = 'id business_id conversation_id message_id position created_at'.split(' ');

/** Leaves of the person's rows what counts and orders, and sends them nothing more. */
export async function blankPerson(tx: Sql, { customers, conversations }: Person): Promise<void> {
  await blank(tx, 'customers', {
    keep: KEPT_OF_CUSTOMER,
    set: { deleted_at: tx`coalesce(deleted_at, now())`, updated_at: tx`clock_timestamp()` },
    where: tx`id = any(${customers})`,
  });
  await blankConversations(tx, conversations);
  // Not by whom they were indexed for: of a merge that was undone these are another's.
  await tx`
    delete from search_documents where id = any(${customers}) or conversation_id = any(${conversations})`;
  await tx`
    update messages set status = 'canceled', next_attempt_at = null
    where conversation_id = any(${conversations}) and status in ('scheduled', 'queued', 'sending')`;
}

interface Keeping {
  keep: string[];
  set: Record<string, ReturnType<Sql>>;
}

/** Leaves of conversations what counts and orders, and what else is to be kept. */
export async function blankConversations(
  tx: Sql,
  ids: string[],
  { keep, set }: Keeping = { keep: [], set: {} },
): Promise<void> {
  await blank(tx, 'conversations', {
    keep: [...KEPT_OF_CONVERSATION, ...keep],
    set: { updated_at: tx`clock_timestamp()`, ...set },
    where: tx`id = any(${ids})`,
  });
  // What customers said of it; who has not answered yet could only say more.
  await tx`
    update ratings set comment = null, expires_at = least(expires_at, clock_timestamp())
    where conversation_id = any(${ids})`;
  // What was suggested to agents, and why the AI gave up.
  await tx`delete from ai_turns where conversation_id = any(${ids})`;
}

/** Empties messages with all that hangs on them; what still waited to be sent is canceled. Resolves with their files. */
export async function blankMessages(tx: Sql, where: ReturnType<Sql>): Promise<string[]> {
  const rows = await blank(tx, 'messages', {
    keep: KEPT_OF_MESSAGE,
    set: {
      content: tx`''`,
      sender_name: tx`case when direction <> 'inbound' then sender_name end`,
      status: tx`case when status in ('scheduled', 'queued', 'sending') then 'canceled' else status end`,
      // A provider's late edit writes to no deleted message.
      deleted_at: tx`coalesce(deleted_at, now())`,
    },
    where,
  });
  const ids = rows.map(({ id }) => id);
  await tx`update message_parts set payload = '{}', external_id = null where message_id = any(${ids})`;
  await tx`delete from provider_ids where message_id = any(${ids})`;
  await tx`delete from search_documents where id = any(${ids})`;
  return blankAttachments(tx, tx`message_id = any(${ids})`);
}

async function blankAttachments(tx: Sql, where: ReturnType<Sql>): Promise<string[]> {
  const files = await filesOf(tx, where);
  await blank(tx, 'attachments', {
    keep: KEPT_OF_ATTACHMENT,
    set: { name: tx`'file'`, content_type: tx`'application/octet-stream'`, state: tx`'expired'` },
    where,
  });
  return files;
}

/** Everything that an attachment keeps in storage: its columns that end in `_key`. */
async function filesOf(tx: Sql, where: ReturnType<Sql>): Promise<string[]> {
  const rows = await tx<{ value: string }[]>`
    select e.value from attachments a cross join jsonb_each_text(to_jsonb(a)) e
    where ${where} and right(e.key, 4) = '_key' and e.value is not null`;
  return rows.map(({ value }) => value);
}

/** Takes away what leads to the person: whoever writes from there again begins as somebody new. */
export async function forgetAddresses(tx: Sql, person: Person): Promise<void> {
  const { businessId, customers, conversations } = person;
  await tx`
    delete from visitor_sessions s using identities i
    where i.customer_id = any(${customers}) and s.channel_id = i.channel_id
      and s.visitor_id = case when i.address ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then i.address::uuid end`;
  await tx`
    delete from consents s using identities i
    where i.customer_id = any(${customers}) and s.channel_id = i.channel_id and s.address = i.address`;
  await tx`
    delete from blocked_senders b
    where business_id = ${businessId} and (customer_id = any(${customers}) or kind = 'address' and value in (
      select lower(address) from identities where customer_id = any(${customers})
      union select lower(address) from customer_addresses where customer_id = any(${customers})
      union select lower(email) from customers where id = any(${customers})
      union select phone from customers where id = any(${customers})))`;
  await tx`
    delete from threads t using conversations c
    where c.id = any(${conversations}) and t.channel_id = c.channel_id and t.thread_key = c.thread_key
      and (t.conversation_id is null or t.conversation_id = any(${conversations}))`;
  // Threads of others that a merge led here begin anew.
  await tx`
    update threads set conversation_id = null, merged_from = null where conversation_id = any(${conversations})`;
  await tx`delete from automatic_answers where customer_id = any(${customers})`;
  await tx`delete from identities where customer_id = any(${customers})`;
  await tx`delete from customer_addresses where customer_id = any(${customers})`;
}
