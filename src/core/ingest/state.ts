import { visitorUploader } from '../customers/visitor-sessions.ts';
import type { Sql } from '../database/connect.ts';
import { column, recordset } from '../database/recordset.ts';
import type { ConversationRow } from '../views/conversation.ts';
import type { CustomerRow } from '../views/customer.ts';
import type { AttachmentRow } from '../views/message.ts';
import { type Item, keyOf } from './item.ts';
import { type KeyRow, sortedKeys } from './keys.ts';
import { type KnownParty, type PartyRow, type PartyState, partyState, sortedParties } from './parties.ts';
import { findPressedCards, type PressedCard } from './pressed-cards.ts';
import { externalRefs } from './references.ts';
import { sortedThreads, type ThreadState } from './threads.ts';

/** What the database knows of a batch, locked: nobody else can change it before our commit. */
export interface State {
  /** Keys that this batch was the first to bring. */
  fresh: Set<string>;
  /** Message ids of keys that were there before. */
  known: Map<string, string | null>;
  threads: Map<string, ThreadState>;
  parties: Map<string, PartyState>;
  conversations: Map<string, ConversationRow>;
  /** Message ids by the provider's id, for replies. */
  replies: Map<string, string>;
  /** The conversations of those messages, by the same key. */
  answered: Map<string, string>;
  /** Customers of locked conversations in which somebody else writes now. */
  owners: Map<string, CustomerRow>;
  uploads: Map<string, AttachmentRow>;
  /** The cards below which buttons were pressed. */
  cards: Map<string, PressedCard>;
}

/** Locks in the one order that every writer keeps, and reads what is locked: one call, which `lock_inbound` answers. */
export async function lockState(tx: Sql, items: Item[]): Promise<State> {
  const keys = sortedKeys(items);
  const parties = sortedParties(items);
  const locked = await lockInbound(tx, { items, keys, parties });
  const uploads = await lockUploads(tx, items);
  const cards = await findPressedCards(tx, items);
  const owners = await findOwners(tx, locked);
  const known = new Map(
    locked.known?.map((row) => [keyOf(row.channel_id, row.external_event_id), row.message_id]),
  );
  const partyOf = new Map(locked.parties?.map((row) => [keyOf(row.channel_id, row.address), row]));
  return {
    fresh: new Set(
      keys.map((row) => keyOf(row.channel_id, row.external_event_id)).filter((key) => !known.has(key)),
    ),
    known,
    threads: new Map(locked.threads?.map((row) => [keyOf(row.channel_id, row.thread_key), row])),
    parties: new Map(
      parties.map((party) => {
        const key = keyOf(party.channel_id, party.address);
        return [key, partyState(party, partyOf.get(key))];
      }),
    ),
    conversations: new Map(locked.conversations?.map((row) => [row.id, row])),
    replies: new Map(locked.replies?.map((row) => [keyOf(row.channel_id, row.external_id), row.message_id])),
    answered: new Map(
      locked.replies?.map((row) => [keyOf(row.channel_id, row.external_id), row.conversation_id]),
    ),
    owners,
    uploads: new Map(uploads.map((row) => [row.id, row])),
    cards,
  };
}

interface Locked {
  known: KeyRow[] | null;
  threads: ThreadState[] | null;
  parties: KnownParty[] | null;
  replies: { channel_id: string; external_id: string; message_id: string; conversation_id: string }[] | null;
  conversations: ConversationRow[] | null;
}

interface Touched {
  items: Item[];
  keys: KeyRow[];
  parties: PartyRow[];
}

async function lockInbound(tx: Sql, { items, keys, parties }: Touched): Promise<Locked> {
  const threads = sortedThreads(items);
  const refs = externalRefs(items);
  const identities = parties.map(({ sender, ...row }) => row);
  const [row] = await tx<[{ state: string }]>`
    select lock_inbound(
      ${column(keys, 'channel_id')}::uuid[], ${column(keys, 'external_event_id')}::text[],
      ${column(keys, 'message_id')}::uuid[],
      ${column(threads, 'channel_id')}::uuid[], ${column(threads, 'business_id')}::uuid[],
      ${column(threads, 'thread_key')}::text[],
      ${column(parties, 'channel_id')}::uuid[], ${column(parties, 'address')}::text[], ${recordset(tx, identities)},
      ${column(refs, 'channel_id')}::uuid[], ${column(refs, 'external_id')}::text[],
      ${namedConversations(items)}::uuid[])::text as state`;
  const locked: Locked = JSON.parse(row.state);
  for (const conversation of locked.conversations ?? []) reviveTimes(conversation, CONVERSATION_TIMES);
  for (const { customer } of locked.parties ?? [])
    if (customer !== null) reviveTimes(customer, CUSTOMER_TIMES);
  return locked;
}

const CUSTOMER_TIMES = ['created_at', 'updated_at'] as const;
const CONVERSATION_TIMES = [
  ...CUSTOMER_TIMES,
  'assign_at',
  'handoff_requested_at',
  'snoozed_until',
  'reply_window_expires_at',
  'last_message_at',
  'first_response_at',
  'resolved_at',
  'closed_at',
] as const;

/** A row that came as JSON has its times as text. */
function reviveTimes<Name extends string>(row: Record<Name, Date | null>, names: readonly Name[]): void {
  for (const name of names) if (row[name] !== null) row[name] = new Date(row[name]);
}

/** Whom the conversations belong to, where that is none of those who write; mostly it is, and nothing is asked. */
async function findOwners(tx: Sql, { conversations, parties }: Locked): Promise<Map<string, CustomerRow>> {
  const writers = new Set(parties?.map(({ customer_id }) => customer_id));
  const absent = (conversations ?? []).flatMap(({ customer_id: id }) =>
    id === null || writers.has(id) ? [] : [id],
  );
  if (absent.length === 0) return new Map();
  const rows = await tx<CustomerRow[]>`select * from customers where id = any(${absent})`;
  return new Map(rows.map((row) => [row.id, row]));
}

function namedConversations(items: Item[]): string[] {
  return items.flatMap(({ inbound }) =>
    inbound.kind === 'message' && typeof inbound.conversation === 'object' ? [inbound.conversation.id] : [],
  );
}

/** Uploads that the senders put into their messages: their own, and not used before. */
async function lockUploads(tx: Sql, items: Item[]): Promise<AttachmentRow[]> {
  const claims = items.flatMap(({ channel, inbound }) => {
    if (inbound.kind !== 'message') return [];
    const uploaded_by = visitorUploader(inbound.sender.address);
    return (inbound.attachments ?? []).flatMap(({ uploadId }) =>
      uploadId === undefined ? [] : [{ id: uploadId, business_id: channel.businessId, uploaded_by }],
    );
  });
  if (claims.length === 0) return [];
  return await tx<AttachmentRow[]>`
    select a.id, a.message_id, a.name, a.content_type, a.size_bytes, a.width, a.height, a.error, a.state from attachments a
    join json_to_recordset(${recordset(tx, claims)}) as r(id uuid, business_id uuid, uploaded_by text)
      using (id, business_id, uploaded_by)
    where a.state = 'uploaded' and a.storage_key is not null order by a.id for update of a`;
}
