import type { EventBatch } from '../core/events/follow-events.ts';
import { type EventRow, encodeCursor, type Position, positionOf } from '../core/events.ts';
import type { RealtimeContext } from './context.ts';
import { agentFrames, visitorFrames } from './frames.ts';
import { prepareLive } from './live-publish.ts';
import { noteReceipts } from './receipts.ts';
import { businessRoom, conversationRoom, HELD_ROOM, type Owner, visitorRooms } from './rooms.ts';
import { ownersOf } from './visitor-conversations.ts';

/** Carries events to this process's own sockets, in their one order. */
export interface Broadcast {
  /** False when a socket of a business that the batch leaves out came meanwhile: it may have been promised these events. */
  publish(batch: EventBatch): Promise<boolean>;
  /** How far the sockets have heard: what joins now hears everything behind it. */
  position(): Position;
}

/** Begins after a position. A batch may come twice: what was published already is passed over. */
export function createBroadcast(context: RealtimeContext, from: Position): Broadcast {
  let position = from;

  return {
    async publish({ events, upTo, businesses }) {
      // Asked for beforehand: from here to the end nothing waits, so no socket joins between two events of a batch.
      const owners = await ownersIn(events, context);
      const live = await prepareLive(events, context);
      if (!live.isReady() || !isComplete(businesses, context)) return false;
      const reached: Reached[] = [];
      for (const event of events) {
        if (event.seq <= position.seq) continue;
        publishToAgents(event, context);
        live.publish(event);
        reached.push(...publishToVisitors(event, owners.get(event.conversation_id ?? ''), context));
        position = positionOf(event);
      }
      position = upTo;
      noteDelivered(reached, context);
      return true;
    },
    position: () => position,
  };
}

/** Whether the batch leaves out nobody who is connected now. */
function isComplete(batch: EventBatch['businesses'], { businesses }: RealtimeContext): boolean {
  return batch === undefined || businesses.keys().isSubsetOf(batch);
}

/** Whose the conversations are that visitors connected here could hear of. */
async function ownersIn(
  events: EventRow[],
  { pool, visitors }: RealtimeContext,
): Promise<Map<string, Owner>> {
  const ids = new Set<string>();
  for (const { conversation_id, data } of events) {
    const { conversation, message } = data;
    if (conversation_id === null || message === undefined || conversation?.channel_type !== 'webchat')
      continue;
    if (visitors.count(conversation.channel_id) > 0) ids.add(conversation_id);
  }
  return ids.size === 0 ? new Map() : ownersOf(pool, [...ids]);
}

function publishToAgents(event: EventRow, context: RealtimeContext): void {
  const { io, heldAgents, attachments, secrets } = context;
  const room = businessRoom(event.business_id);
  if (!io.of('/').adapter.rooms.has(room)) return;
  const data = attachments.mintUrls(event.data);
  const frames = agentFrames({ ...event, data }, encodeCursor(positionOf(event), secrets));
  const rooms = event.conversation_id === null ? [room] : [room, conversationRoom(event.conversation_id)];
  const live = io.local.to(rooms).except(HELD_ROOM);
  for (const frame of frames) live.emit(frame.event, frame.payload);
  for (const gate of heldAgents.of([event.business_id])) {
    for (const frame of frames) gate.pass(frame);
  }
}

interface Reached {
  channelId: string;
  threadKey: string | null;
  messageId: string;
}

/** Says which sent message has now reached a visitor's socket. */
function publishToVisitors(event: EventRow, owner: Owner | undefined, context: RealtimeContext): Reached[] {
  if (owner === undefined) return [];
  const peers = context.visitors.of(visitorRooms(owner));
  if (peers.size === 0) return [];
  const frames = visitorFrames({ ...event, data: context.attachments.mintUrls(event.data) });
  for (const peer of peers) {
    for (const frame of frames) peer.pass(frame);
  }
  if (event.type !== 'message.sent' || event.message_id === null) return [];
  return [{ channelId: owner.channelId, threadKey: owner.threadKey, messageId: event.message_id }];
}

function noteDelivered(reached: Reached[], context: RealtimeContext): void {
  for (const [channelId, messages] of Map.groupBy(reached, (it) => it.channelId)) {
    noteReceipts(context, channelId, { status: 'delivered', messages });
  }
}
