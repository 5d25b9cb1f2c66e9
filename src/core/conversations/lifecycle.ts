import type { Sql } from '../database/connect.ts';
import type { Transact } from '../database/transact.ts';
import type { EventType } from '../events.ts';
import { type Author, systemIn } from '../messages/author.ts';
import type { ConversationRow, ConversationStatus } from '../views/conversation.ts';
import { changeConversation, sentence } from './change-conversation.ts';
import { NO_HANDOFF } from './handoff.ts';
import { leadThread } from './lead-thread.ts';

/** Brings a locked conversation into a status; one that it already has changes nothing. */
export async function changeStatus(
  tx: Sql,
  conversation: ConversationRow,
  { to, by, why }: { to: Exclude<ConversationStatus, 'snoozed'>; by: Author; why?: string },
): Promise<ConversationRow> {
  const from = conversation.status;
  if (from === to) return conversation;
  const changed = await changeConversation(tx, conversation, {
    by,
    set: { status: to, snoozed_until: null, ...timesOf(conversation, to) },
    activity: {
      content: sentence(why === undefined ? DONE[to] : `${DONE[to]} ${why}`, by),
      metadata: { activity: to === 'open' ? 'reopened' : to, from, to },
    },
    events: statusEvents(from, to),
    facts: { previous_status: from },
  });
  if (from === 'closed' || to === 'closed') await leadThread(tx, changed);
  return changed;
}

const DONE = {
  open: 'Reopened',
  pending: 'Set to pending',
  resolved: 'Resolved',
  closed: 'Closed',
} as const satisfies Record<Exclude<ConversationStatus, 'snoozed'>, string>;

/** Closing keeps the time of resolving; whatever makes the conversation active again clears both. Neither leaves anybody to wait for. */
function timesOf({ resolved_at, last_message_seq }: ConversationRow, to: ConversationStatus) {
  // What is asked after that is a new question, which the AI may answer again.
  const isOver = { ...NO_HANDOFF, ai_from_seq: last_message_seq };
  if (to === 'closed') return { resolved_at, closed_at: new Date(), ...isOver };
  if (to === 'resolved') return { resolved_at: new Date(), closed_at: null, ...isOver };
  return { resolved_at: null, closed_at: null };
}

/** The events of a transition: its own, where it has one, and `status_changed`. */
export function statusEvents(from: ConversationStatus, to: ConversationStatus): EventType[] {
  const own = ownEvent(from, to);
  return own === undefined ? ['conversation.status_changed'] : [own, 'conversation.status_changed'];
}

function ownEvent(from: ConversationStatus, to: ConversationStatus): EventType | undefined {
  if (to === 'resolved' || to === 'closed' || to === 'snoozed') return `conversation.${to}`;
  if (from === 'snoozed') return 'conversation.unsnoozed';
  return from === 'open' ? undefined : 'conversation.reopened';
}

/** Hides the conversation until a time; one that has passed wakes it at once. */
export async function snooze(
  tx: Sql,
  conversation: ConversationRow,
  { until, by }: { until: Date; by: Author },
): Promise<ConversationRow> {
  const from = conversation.status;
  if (from === 'snoozed' && conversation.snoozed_until?.getTime() === until.getTime()) return conversation;
  const snoozed = await changeConversation(tx, conversation, {
    by,
    set: { status: 'snoozed', snoozed_until: until, resolved_at: null, closed_at: null },
    activity: {
      content: sentence(`Snoozed until ${until.toISOString()}`, by),
      metadata: { activity: 'snoozed', from, to: 'snoozed', until: until.toISOString() },
    },
    events: from === 'snoozed' ? ['conversation.snoozed'] : statusEvents(from, 'snoozed'),
    facts: { previous_status: from },
  });
  if (from === 'closed') await leadThread(tx, snoozed);
  return until.getTime() <= Date.now() ? wake(tx, snoozed) : snoozed;
}

const WAKE_BATCH = 100;

/** Wakes the conversations whose snooze has ended, each exactly once however many processes do this. Resolves with how many. */
export async function wakeSnoozed(transact: Transact): Promise<number> {
  let total = 0;
  for (;;) {
    const woken = await transact(wakeBatch);
    total += woken;
    if (woken < WAKE_BATCH) return total;
  }
}

async function wakeBatch(tx: Sql): Promise<number> {
  const due = await tx<ConversationRow[]>`
    select * from conversations where id in (
      select id from conversations where status = 'snoozed' and snoozed_until <= now()
      order by snoozed_until limit ${WAKE_BATCH})
    and status = 'snoozed' order by id for update skip locked`;
  for (const conversation of due) await wake(tx, conversation);
  return due.length;
}

async function wake(tx: Sql, conversation: ConversationRow): Promise<ConversationRow> {
  return changeConversation(tx, conversation, {
    by: await systemIn(tx, conversation.id),
    set: { status: 'open', snoozed_until: null },
    activity: { content: 'Snooze ended', metadata: { activity: 'unsnoozed', from: 'snoozed', to: 'open' } },
    events: statusEvents('snoozed', 'open'),
    facts: { previous_status: 'snoozed' },
  });
}
