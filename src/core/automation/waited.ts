import type { MessageView } from '../views/message.ts';

interface Waiting {
  minutes: number;
  /** Until when who waits has waited; undefined where nobody waits any more. */
  until: Date | undefined;
}

/** The messages of customers that waited so long for an answer, as `due.ts` finds them when their time comes: pure. */
export function waitedSoLong(timeline: MessageView[], { minutes, until }: Waiting): MessageView[] {
  const waited = new Set<MessageView>();
  let waiting: MessageView | undefined;
  let since = 0;
  const noteWhoWaitedUntil = (at: number) => {
    if (waiting !== undefined && at - since >= minutes * 60_000) waited.add(waiting);
  };
  for (const line of timeline) {
    const at = Date.parse(line.created_at);
    const { from, to } = line.metadata;
    const sleeps = line.type === 'activity' && to === 'snoozed';
    if (isAnswer(line) || sleeps) noteWhoWaitedUntil(at);
    if (isAnswer(line)) waiting = undefined;
    else if (line.type === 'activity' && from === 'snoozed' && !sleeps) since = at;
    else if (isCustomers(line) && waiting === undefined) [waiting, since] = [line, at];
  }
  if (until !== undefined) noteWhoWaitedUntil(until.getTime());
  return [...waited];
}

function isCustomers({ direction, metadata }: MessageView): boolean {
  return direction === 'inbound' && metadata['automatic'] !== true;
}

function isAnswer({ type, direction, sender_type, status, metadata }: MessageView): boolean {
  if (type === 'activity') return metadata['activity'] === 'resolved' || metadata['activity'] === 'closed';
  const isOurs = sender_type === 'agent' || sender_type === 'bot' || 'ai' in metadata;
  return direction === 'outbound' && isOurs && status !== 'failed' && status !== 'canceled';
}

interface Left {
  minutes: number;
  /** Since when the conversation is there; undefined where the timeline begins later. */
  since: Date | undefined;
  /** Until when nobody has had it; undefined where somebody has, or it is over. */
  until: Date | undefined;
}

const ASLEEP_OR_OVER: unknown[] = ['snoozed', 'resolved', 'closed'];

/** Whether nobody had the conversation for so long at a time, as `due.ts` finds those: pure. */
export function wasLeftSoLong(timeline: MessageView[], { minutes, since, until }: Left): boolean {
  const isLong = (from: number | undefined, to: number) =>
    from !== undefined && to - from >= minutes * 60_000;
  let isTaken = false;
  let isActive = true;
  let left = since?.getTime();
  for (const { created_at, metadata } of timeline.filter(tellsWhoHasIt)) {
    const at = Date.parse(created_at);
    if (isAssignment(metadata['activity'])) isTaken = metadata['to'] !== null;
    else isActive = !ASLEEP_OR_OVER.includes(metadata['to']);
    if (isActive && !isTaken) left ??= at;
    else if (isLong(left, at)) return true;
    else left = undefined;
  }
  return until !== undefined && isLong(left, until.getTime());
}

function tellsWhoHasIt({ type, metadata }: MessageView): boolean {
  const { activity, to } = metadata;
  const isOfStatus = typeof to === 'string' && (isAwake(to) || ASLEEP_OR_OVER.includes(to));
  return type === 'activity' && (isAssignment(activity) || isOfStatus);
}

function isAssignment(activity: unknown): boolean {
  return activity === 'assigned' || activity === 'unassigned';
}

/** Whether somebody is to answer in a conversation of this status. */
export function isAwake(status: string): boolean {
  return status === 'open' || status === 'pending';
}
