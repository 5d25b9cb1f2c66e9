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
  const addresses = [sender.address, ...(sender.aliases ?? []).map(({ address }) => address)];
  const parties = addresses.map((address) => state.parties.get(keyOf(item.channel.id, address)));
  const known = parties.find((party) => party?.isNew === false) ?? knownByThread(item, state) ?? parties[0];
  if (known === undefined) return;
  for (const [index, party] of parties.entries()) {
    if (party === known) continue;
    const address = addresses[index] ?? '';
    if (party?.customer.id !== known.customer.id) {
      await tx`
        update identities set customer_id = ${known.customer.id}
        where channel_id = ${item.channel.id} and address = ${address}`;
    }
    state.parties.set(keyOf(item.channel.id, address), known);
  }
}

/** Whoever is written to under another form of the same number is the same person. */
function knownByThread({ channel, inbound }: Written, state: State): PartyState | undefined {
  // Without aliases the thread is nobody's own (a group), or its one key was looked up already.
  const keys = inbound.threadAliases === undefined ? [] : threadKeysOfMessage(inbound);
  for (const key of keys) {
    const id = state.threads.get(keyOf(channel.id, key))?.conversation_id;
    const conversation = id ? state.conversations.get(id) : undefined;
    // A merged thread leads to a conversation with somebody else.
    const isTheirs = conversation?.thread_key !== undefined && keys.includes(conversation.thread_key ?? '');
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
