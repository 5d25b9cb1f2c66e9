import { statusEvents } from '../core/conversations/lifecycle.ts';
import type { EventRow } from '../core/events.ts';
import type { ConversationStatus } from '../core/views/conversation.ts';
import { viewSupportConversation, viewSupportMessage } from '../core/views/support.ts';

/** One text on its way to a plain WebSocket. */
export interface LiveFrame {
  type: 'conversation.created' | 'message.received' | 'conversation.updated' | 'draining';
  data: object;
}

/** What plain sockets hear of an event; agents are named by id. Attachments carry their URLs already. */
export function liveFrame(event: EventRow, names: ReadonlyMap<string, string>): LiveFrame | undefined {
  const { conversation, message } = event.data;
  if (conversation === undefined) return undefined;
  if (event.type === 'message.received') {
    if (message === undefined) return undefined;
    const data = { conversationId: conversation.id, ...viewSupportMessage(message) };
    return { type: 'message.received', data };
  }
  const data = viewSupportConversation(conversation, names);
  if (event.type === 'conversation.created') return { type: 'conversation.created', data };
  return isChange(event) ? { type: 'conversation.updated', data } : undefined;
}

/** What our side says is part of a conversation and changes it; how far a message got on its way does not. */
function isChange(event: EventRow): boolean {
  switch (event.type) {
    case 'message.created':
    case 'message.updated':
    case 'message.failed':
    case 'message.deleted':
      return event.data.message?.seq !== null;
    case 'conversation.status_changed':
      return !hasOwnEvent(event);
    default:
      return event.type.startsWith('conversation.');
  }
}

/** A transition with an event of its own is told of by that one: one change is one frame. */
function hasOwnEvent({ data }: EventRow): boolean {
  const from = data['previous_status'] as ConversationStatus | undefined;
  const to = data.conversation?.status;
  return from !== undefined && to !== undefined && statusEvents(from, to).length > 1;
}
