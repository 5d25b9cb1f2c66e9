import { mergeCustomer } from '../customers/merge-customers.ts';
import type { Sql } from '../database/connect.ts';
import type { InboundMessage, Reaction } from '../envelope.ts';
import type { CustomerRow } from '../views/customer.ts';
import { type Item, keyOf } from './item.ts';
import type { PartyState } from './parties.ts';
import type { State } from './state.ts';
import { threadKeysOfMessage } from './threads.ts';

type Written = Item & { inbound: InboundMessage | Reaction };

/** Makes one customer of several addresses of one person, now that the provider names them together. */
export async function linkAliases(tx: Sql, items: Item[], state: State): Promise<void> {
  for (const item of items) {
    if (hasAliases(item)) await linkSender(tx, item, state);
  }
}

function hasAliases(item: Item): item is Written {
  const { inbound } = item;
  if (inbound.kind !== 'message' && inbound.kind !== 'reaction') return false;
  return inbound.sender.aliases !== undefined || inbound.threadAliases !== undefined;
}

async function linkSender(tx: Sql, item: Written, state: State): Promise<void> {
  const { sender } = item.inbound;
  const keys = [sender, ...(sender.aliases ?? [])].map(({ address }) => keyOf(item.channel.id, address));
  const parties = keys.flatMap((key) => state.parties.get(key) ?? []);
  const known = parties.find((party) => !party.isNew) ?? knownByThread(item, state) ?? parties[0];
  if (known === undefined) return;
  for (const key of keys) {
    const party = state.parties.get(key);
    if (party === undefined || areTwoAccounts(party.customer, known.customer)) continue;
    if (party.customer.id !== known.customer.id) await join(tx, state, { party, known, item });
    state.parties.set(key, known);
  }
}

/** Who has an external_id each is known to the business as two: only an agent makes them one. */
function areTwoAccounts({ external_id: one }: CustomerRow, { external_id: other }: CustomerRow): boolean {
  return one !== null && other !== null && one !== other;
}

interface Joining {
  party: PartyState;
  known: PartyState;
  item: Written;
}

async function join(tx: Sql, state: State, { party, known, item }: Joining): Promise<void> {
  const { customer } = party;
  if (!party.isNew) return merge(tx, state, { into: known.customer, from: customer });
  // Begun by this batch, and nobody's customer yet.
  await tx`
    update identities set customer_id = ${known.customer.id}
    where channel_id = ${item.channel.id} and customer_id = ${customer.id}`;
}

interface Merge {
  into: CustomerRow;
  from: CustomerRow;
}

/** Two customers turned out to be one person; the log keeps what an agent needs to undo it. */
async function merge(tx: Sql, state: State, { into, from }: Merge): Promise<void> {
  const by = { businessId: into.business_id, apiKeyId: null, agentId: null };
  await mergeCustomer(tx, { businessId: into.business_id, id: into.id, from: from.id, by });
  for (const row of [...state.conversations.values(), ...state.threads.values()])
    if (row.customer_id === from.id) row.customer_id = into.id;
  for (const [key, party] of state.parties)
    if (party.customer.id === from.id) state.parties.set(key, { customer: into, isNew: false });
}

/** Whoever is written to under another form of the same number is the same person. */
function knownByThread({ channel, inbound }: Written, state: State): PartyState | undefined {
  // Without aliases the thread is nobody's own (a group), or its one key was looked up already.
  const keys = inbound.threadAliases === undefined ? [] : threadKeysOfMessage(inbound);
  for (const key of keys) {
    const id = state.threads.get(keyOf(channel.id, key))?.conversation_id;
    const conversation = id ? state.conversations.get(id) : undefined;
    // A merged thread leads to a conversation with somebody else.
    const isTheirs = keys.includes(conversation?.thread_key ?? '');
    const customer = isTheirs ? customerOf(conversation?.customer_id ?? null, state) : undefined;
    if (customer !== undefined) return { customer, isNew: false };
  }
  return undefined;
}

function customerOf(id: string | null, { owners, parties }: State): CustomerRow | undefined {
  if (id === null) return undefined;
  return (
    owners.get(id) ??
    [...parties.values()].find((party) => !party.isNew && party.customer.id === id)?.customer
  );
}
