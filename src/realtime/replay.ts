import { AppError } from '../core/errors.ts';
import {
  type EventRow,
  encodeCursor,
  oldestPosition,
  type Position,
  positionOf,
  readEvents,
} from '../core/events.ts';
import type { RealtimeContext } from './context.ts';
import { agentFrames } from './frames.ts';
import type { RealtimeSocket } from './socket.ts';

const PAGE = 500;
const PAGES = 10;

interface Span {
  businessId: string;
  after: Position;
  until: Position;
}

/** Sends an agent's socket the events between two positions, and says how far it came: a very long way takes several. */
export async function replayEvents(
  socket: RealtimeSocket,
  { businessId, after, until }: Span,
  context: RealtimeContext,
): Promise<Position> {
  if (after.seq >= until.seq) return after;
  let at = after;
  for (let page = 0; page < PAGES; page += 1) {
    const events = await readEvents(context.pool, { businessId, after: at, limit: PAGE });
    const missed = events.filter((event) => event.seq <= until.seq);
    for (const event of missed) sendEvent(socket, event, context);
    const last = missed.at(-1);
    if (last === undefined || missed.length < PAGE) return until;
    at = positionOf(last);
  }
  return at;
}

function sendEvent(socket: RealtimeSocket, event: EventRow, { attachments, secrets }: RealtimeContext): void {
  const data = attachments.mintUrls(event.data);
  const cursor = encodeCursor(positionOf(event), secrets);
  for (const frame of agentFrames({ ...event, data }, cursor)) socket.emit(frame.event, frame.payload);
}

/** Throws `cursor_expired` when events behind the position were dropped already: what is left would have a hole. */
export async function refuseExpired({ pool }: RealtimeContext, after: Position): Promise<void> {
  const oldest = await oldestPosition(pool);
  if (after.seq >= oldest.seq) return;
  throw new AppError('cursor_expired', 'Events after this cursor are no longer kept: load the state anew.');
}
