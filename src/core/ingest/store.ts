import type { Sql } from '../database/connect.ts';
import type { Announce, Place } from '../events/place.ts';
import type { TakeTurn } from '../events/turn.ts';
import { park } from '../messages/parked.ts';
import { partSent } from '../messages/receipts.ts';
import type { MessageRow } from '../views/message.ts';
import { linkAliases } from './aliases.ts';
import { addToStoredAlbum, applyChange } from './changes.ts';
import { type Accepted, BLOCKED, type IngestRequest, type Item } from './item.ts';
import { bringLargeBodies, keepRequests, type RequestOutcome } from './keep-requests.ts';
import { adoptKnownAddresses } from './known-addresses.ts';
import { leaveOutBlocked } from './leave-out.ts';
import { forgetUnused } from './parties.ts';
import { NOTHING_STORED, planMessages } from './plan.ts';
import { lockState, type State } from './state.ts';
import type { Plan, PlanContext } from './work.ts';
import { writePlan } from './write.ts';

interface Batch {
  requests: IngestRequest[];
  items: Item[];
  context: PlanContext;
  takeTurn: TakeTurn;
  place: Place;
}

export interface Stored {
  answers: Map<IngestRequest, Accepted[]>;
  announce: Announce;
  /** The businesses that block somebody who has an address which their block list may not know. */
  outdatedBlocks: Set<string>;
}

/** Stores a batch whole. Most wait for the database three times: for the locks, for what they write, for the commit. */
export async function storeBatch(
  tx: Sql,
  { requests, items, context, takeTurn, place }: Batch,
): Promise<Stored> {
  await bringLargeBodies(tx, requests);
  if (items.length === 0) {
    await keepRequests(tx, requests.map(ignored));
    return { answers: new Map(), announce: () => {}, outdatedBlocks: new Set() };
  }
  const state = await lockState(tx, items);
  await adoptKnownAddresses(tx, items, state);
  await linkAliases(tx, items, state);
  const leftOut = await leaveOutBlocked(tx, items, state);
  const letIn = items.filter((item) => !leftOut.has(item));
  const plan = planMessages(letIn, state, context);
  for (const item of leftOut) plan.accepted.set(item, BLOCKED);
  const writing = writePlan(tx, plan);
  if (isMoreThanMessages(letIn, state, plan)) {
    await writing;
    await writeTheRest(tx, { items: letIn, state, plan, context });
  }
  const ofRequest = Map.groupBy(items, (item) => item.request);
  const outcomes = requests.map((request) => outcomeOf(request, ofRequest.get(request) ?? [], plan));
  // A failure of it is met below, with the transaction still open: nothing is ever sent after its end.
  writing.catch(() => {});
  await takeTurn();
  const [, , announce] = await Promise.all([writing, keepRequests(tx, outcomes), place(tx, plan.events)]);
  return { answers: answersOf(items, plan), announce, outdatedBlocks: outdatedBlocks(items, state) };
}

/** Where somebody blocked was let in: the address became theirs just now, or they moved to it, and the list lacks it. */
function outdatedBlocks(items: Item[], { parties }: State): Set<string> {
  const known = [...parties.values()].filter(({ customer }) => customer.blocked_at != null);
  const moved = items.filter(
    ({ inbound }) => inbound.kind === 'identity_change' && inbound.address !== undefined,
  );
  return new Set([
    ...known.map(({ customer }) => customer.business_id),
    ...moved.map(({ channel }) => channel.businessId),
  ]);
}

function isMoreThanMessages(items: Item[], state: State, plan: Plan): boolean {
  return (
    plan.albumAdditions.length > 0 ||
    plan.parkedReplies.length > 0 ||
    plan.echoes.length > 0 ||
    [...plan.accepted.values()].some(isPartial) ||
    [...state.parties.values()].some((party) => party.isNew) ||
    items.some((item) => item.inbound.kind !== 'message')
  );
}

interface Rest {
  items: Item[];
  state: State;
  plan: Plan;
  context: PlanContext;
}

async function writeTheRest(tx: Sql, { items, state, plan, context }: Rest): Promise<void> {
  await forgetUnused(tx, state.parties);
  for (const addition of plan.albumAdditions) await addToStoredAlbum(tx, addition, context);
  for (const echo of plan.echoes) await partSent(tx, echoedPart(echo));
  for (const { messageId, ...id } of plan.parkedReplies) await park(tx, id, { kind: 'reply', messageId });
  for (const item of items) {
    if (item.inbound.kind === 'message') continue;
    const news = await applyChange(tx, item, state);
    plan.accepted.set(item, { ...NOTHING_STORED, duplicate: !news });
  }
  await completeDuplicates(tx, plan);
}

function echoedPart({ id, channel_id, external_id }: MessageRow) {
  const externalIds = external_id === null ? [] : [external_id];
  return { channelId: channel_id, messageId: id, generation: 1, n: 0, externalIds, status: 'sent' } as const;
}

function answersOf(items: Item[], plan: Plan): Map<IngestRequest, Accepted[]> {
  const answers = new Map<IngestRequest, Accepted[]>();
  for (const item of items) {
    const accepted = plan.accepted.get(item);
    if (accepted !== undefined) answers.set(item.request, [...(answers.get(item.request) ?? []), accepted]);
  }
  return answers;
}

/** A duplicate is answered like the original: with its conversation and seq. */
async function completeDuplicates(tx: Sql, plan: Plan): Promise<void> {
  const partial = [...plan.accepted.values()].filter(isPartial);
  if (partial.length === 0) return;
  const ids = partial.map((it) => it.messageId as string);
  const rows = await tx<{ id: string; conversation_id: string; seq: number }[]>`
    select id, conversation_id, seq from messages where id = any(${ids})`;
  for (const it of partial) {
    const row = rows.find(({ id }) => id === it.messageId);
    it.conversationId = row?.conversation_id;
    it.seq = row?.seq;
  }
}

function isPartial({ messageId, seq }: Accepted): boolean {
  return messageId !== undefined && seq === undefined;
}

function outcomeOf(request: IngestRequest, brought: Item[], plan: Plan): RequestOutcome {
  const own = brought.filter((item) => plan.accepted.get(item) !== BLOCKED);
  if (own.length === 0)
    return ignored({ ...request, isBlocked: request.isBlocked === true || brought.length > 0 });
  if (own.every((item) => plan.accepted.get(item) === NOTHING_STORED))
    return { request, status: 'ignored', reason: 'belongs to no conversation', customerId: null };
  const duplicate = own.every((item) => plan.accepted.get(item)?.duplicate === true);
  return {
    request,
    status: duplicate ? 'ignored' : 'processed',
    reason: duplicate ? 'a duplicate' : (request.leftOut ?? null),
    customerId: plan.customerOf.get(request.id) ?? null,
  };
}

function ignored(request: IngestRequest): RequestOutcome {
  const reason =
    request.isBlocked === true ? 'from a blocked sender' : (request.leftOut ?? 'nothing for us in it');
  return { request, status: 'ignored', reason, customerId: null };
}
