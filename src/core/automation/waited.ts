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
