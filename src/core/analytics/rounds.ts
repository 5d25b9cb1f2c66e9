import type { EventRow, EventType } from '../events.ts';
import { secondsWithin, type WorkingHours } from '../team/working-hours.ts';
import type { ConversationView } from '../views/conversation.ts';
import type { MessageView } from '../views/message.ts';

/** What passes in a conversation from its beginning, or a reopening, to its end. */
export interface Round {
  conversation_id: string;
  number: number;
  business_id: string;
  channel_id: string;
  channel_type: string;
  agent_id: string | null;
  tags: string[];
  is_merged: boolean;
  began_at: Date;
  asked_at: Date | null;
  responded_at: Date | null;
  responded_by: string | null;
  answered_at: Date | null;
  snoozed_at: Date | null;
  snoozed_seconds: number;
  snoozed_worked: number;
  ended_at: Date | null;
  ending: 'resolved' | 'closed' | null;
  first_response: number | null;
  first_response_worked: number | null;
  resolution: number | null;
  resolution_worked: number | null;
  handle: number | null;
  handle_worked: number | null;
}

// These are written under the conversation's lock: they come in the order in which it changed, and show it as it was then.
const LOCKED: ReadonlySet<EventType> = new Set<EventType>([
  'conversation.created',
  'conversation.updated',
  'conversation.assigned',
  'conversation.unassigned',
  'conversation.status_changed',
  'conversation.tags_changed',
  'conversation.handoff_requested',
  'conversation.merged',
  'message.received',
  'message.created',
  'message.updated',
]);

/** What an event says of a conversation; undefined where nothing is counted. */
export interface Happening {
  at: Date;
  isBeginning: boolean;
  conversation: ConversationView;
  message: MessageView | undefined;
  /** A customer wrote, an agent did, or something of ours went out by itself. */
  wrote: 'customer' | 'agent' | 'machine' | undefined;
}

/** Pure: what of an event counts. */
export function happeningOf(event: EventRow): Happening | undefined {
  const { conversation, message } = event.data;
  if (conversation?.id === undefined || !LOCKED.has(event.type)) return undefined;
  const wrote = writerOf(event);
  if (event.type === 'message.updated' && wrote === undefined) return undefined;
  const isBeginning = event.type === 'conversation.created';
  return { at: event.occurred_at, isBeginning, conversation, message, wrote };
}

/** A scheduled message is written when its time has come. */
function writerOf({ type, data }: EventRow): Happening['wrote'] {
  const { message } = data;
  if (message === undefined) return undefined;
  if (type === 'message.received') return message.metadata?.['automatic'] === true ? undefined : 'customer';
  const isWritten = type === 'message.created' ? message.status !== 'scheduled' : data['released'] === true;
  if (!isWritten || message.direction !== 'outbound') return undefined;
  return message.sender_type === 'agent' ? 'agent' : 'machine';
}

/** Pure: the round after what happened; another one where the conversation begins again. Without hours every hour counts. */
export function advance(
  before: Round | undefined,
  happening: Happening,
  hours: WorkingHours | undefined,
): Round {
  const round = roundFor(before, happening);
  const { at, conversation, message, wrote } = happening;
  const { status } = conversation;
  round.tags = conversation.tags;
  round.is_merged = conversation.merged_into_id !== null;
  const writer = wrote === 'agent' ? (message?.sender_id ?? null) : null;
  round.agent_id = conversation.assignee_id ?? writer ?? round.agent_id;
  if (round.ended_at !== null) return round;
  if (wrote === 'customer') round.asked_at ??= at;
  if (wrote === 'agent') answer(round, { at, writer, hours });
  if (status === 'snoozed') round.snoozed_at ??= at;
  else wakeUp(round, at, hours);
  if (status === 'resolved' || status === 'closed') end(round, { at, ending: status, hours });
  return round;
}

function roundFor(before: Round | undefined, { at, conversation, isBeginning }: Happening): Round {
  const isActive = conversation.status !== 'resolved' && conversation.status !== 'closed';
  if (before !== undefined && (before.ended_at === null || !isActive)) return { ...before };
  const isFirst = before === undefined;
  const known = isFirst && !isBeginning ? timeOf(conversation.first_response_at) : null;
  return {
    conversation_id: conversation.id,
    number: (before?.number ?? 0) + 1,
    business_id: conversation.business_id,
    channel_id: conversation.channel_id,
    channel_type: conversation.channel_type,
    agent_id: conversation.assignee_id,
    tags: conversation.tags,
    is_merged: false,
    began_at: isFirst ? new Date(conversation.created_at) : at,
    ...NOTHING_YET,
    // Of what was before the oldest event only this is known: it was answered.
    responded_at: known,
    answered_at: known,
  };
}

const NOTHING_YET = {
  asked_at: null,
  responded_by: null,
  snoozed_at: null,
  snoozed_seconds: 0,
  snoozed_worked: 0,
  ended_at: null,
  ending: null,
  first_response: null,
  first_response_worked: null,
  resolution: null,
  resolution_worked: null,
  handle: null,
  handle_worked: null,
} as const;

function timeOf(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}

interface Answered {
  at: Date;
  writer: string | null;
  hours: WorkingHours | undefined;
}

/** The first answer to the customer is a response; what we write to somebody who asked nothing is none. */
function answer(round: Round, { at, writer, hours }: Answered): void {
  round.answered_at ??= at;
  if (round.asked_at === null || round.responded_at !== null) return;
  round.responded_at = at;
  round.responded_by = writer;
  round.first_response = secondsBetween(round.asked_at, at);
  round.first_response_worked = secondsWithin(hours, round.asked_at, at);
}

/** What it slept after the first answer is no time of handling it. */
function wakeUp(round: Round, at: Date, hours: WorkingHours | undefined): void {
  const { snoozed_at, answered_at } = round;
  round.snoozed_at = null;
  if (snoozed_at === null || answered_at === null) return;
  const from = snoozed_at > answered_at ? snoozed_at : answered_at;
  round.snoozed_seconds += secondsBetween(from, at);
  round.snoozed_worked += secondsWithin(hours, from, at);
}

interface Ended {
  at: Date;
  ending: 'resolved' | 'closed';
  hours: WorkingHours | undefined;
}

function end(round: Round, { at, ending, hours }: Ended): void {
  round.ended_at = at;
  round.ending = ending;
  round.resolution = secondsBetween(round.began_at, at);
  round.resolution_worked = secondsWithin(hours, round.began_at, at);
  if (round.answered_at === null) return;
  round.handle = secondsBetween(round.answered_at, at) - round.snoozed_seconds;
  round.handle_worked = secondsWithin(hours, round.answered_at, at) - round.snoozed_worked;
}

/** Clocks may step back. */
function secondsBetween(from: Date, to: Date): number {
  return Math.max(0, to.getTime() - from.getTime()) / 1000;
}
