import type { EventRow } from '../core/events.ts';
import type { MessageView } from '../core/views/message.ts';
import type { Frame } from './protocol.ts';

/** What agents' sockets hear of an event: its own frames, then the event itself. Attachments carry their URLs already. */
export function agentFrames(event: EventRow, cursor: string): Frame[] {
  const { id, type, data } = event;
  const payload = { cursor, id, type, data, occurred_at: event.occurred_at.toISOString() };
  return [...ownFrames(event), { event: 'event' as const, payload }].map((frame) => ({
    ...frame,
    at: event.seq,
  }));
}

function ownFrames(event: EventRow): Frame[] {
  const { message } = event.data;
  if (message !== undefined && isNewMessage(event))
    return [{ event: 'new_message', payload: withContent(message) }];
  switch (event.type) {
    case 'message.delivered':
    case 'message.read':
      return receiptFrames(event);
    case 'conversation.assigned':
    case 'conversation.unassigned':
      return [{ event: 'conversation_assigned', payload: assignment(event) }];
    case 'agent.status_changed':
      return [
        {
          event: 'agent_status_changed',
          payload: { agent_id: event.data['agent_id'], status: event.data['status'] },
        },
      ];
    default:
      return [];
  }
}

/** A message begins when it has its place in the conversation: at once, or when its scheduled time has come. */
function isNewMessage({ type, data }: EventRow): boolean {
  if (data.message === undefined || data.message.seq === null) return false;
  if (type === 'message.received' || type === 'message.created') return true;
  return type === 'message.updated' && data['released'] === true;
}

function receiptFrames({ type, data: { message } }: EventRow): Frame[] {
  if (message === undefined) return [];
  const subject = { message_id: message.id, conversation_id: message.conversation_id };
  return type === 'message.read'
    ? [{ event: 'read', payload: { ...subject, read_at: message.read_at } }]
    : [{ event: 'delivered', payload: { ...subject, delivered_at: message.delivered_at } }];
}

function assignment({ conversation_id, data }: EventRow): Record<string, unknown> {
  return {
    conversation_id,
    assignee_id: data.conversation?.assignee_id ?? null,
    team_id: data.conversation?.team_id ?? null,
    assigned_by: data['assigned_by'] ?? null,
  };
}

/** What the visitor's sockets hear of an event: the public part of messages meant for them, and nothing else. */
export function visitorFrames(event: EventRow): Frame[] {
  const { message, conversation } = event.data;
  if (message === undefined || !isForVisitor(message) || isOfAnother(message, conversation)) return [];
  if (isNewMessage(event)) return [{ event: 'new_message', payload: publicMessage(message) }];
  switch (event.type) {
    case 'message.delivered':
    case 'message.read':
      return receiptFrames(event);
    case 'message.updated':
      return [
        isGone(message) ? deletion(message) : { event: 'message_updated', payload: publicMessage(message) },
      ];
    case 'message.deleted':
    case 'message.failed':
      return [deletion(message)];
    default:
      return [];
  }
}

/** Notes, activity and what has no place in the conversation yet stay on the agent side. */
function isForVisitor(message: MessageView): boolean {
  return message.seq !== null && message.direction !== 'internal' && !AGENT_SIDE.has(message.type);
}

/** A merged conversation may hold messages of somebody else. */
function isOfAnother(
  { direction, sender }: MessageView,
  conversation: EventRow['data']['conversation'],
): boolean {
  const customerId = conversation?.customer_id ?? null;
  return direction === 'inbound' && customerId !== null && sender.id !== null && sender.id !== customerId;
}

const AGENT_SIDE: ReadonlySet<string> = new Set(['note', 'activity']);

function isGone(message: MessageView): boolean {
  return message.status === 'canceled' || message.deleted_at !== null;
}

function deletion({ id, seq, conversation_id }: MessageView): Frame {
  return { event: 'message_deleted', payload: { message_id: id, conversation_id, seq } };
}

/** What a visitor may know of a message: named one by one, so that a new field stays inside until somebody decides. */
export function publicMessage(message: MessageView): Record<string, unknown> {
  return {
    id: message.id,
    seq: message.seq,
    conversation_id: message.conversation_id,
    direction: message.direction,
    sender_type: message.sender_type,
    sender_id: message.sender_id,
    sender: message.sender,
    type: message.type,
    content: contentOf(message),
    attachments: message.attachments.map((attachment) => ({ ...attachment, error: null })),
    card: message.card,
    choice: message.choice,
    reply_to_id: message.reply_to_id,
    client_message_id: message.client_message_id,
    status: message.status,
    created_at: message.created_at,
    delivered_at: message.delivered_at,
    read_at: message.read_at,
    edited_at: message.edited_at,
  };
}

function withContent(message: MessageView): Record<string, unknown> {
  return { ...message, content: contentOf(message) };
}

/** An attachment without text has its URL as content. */
function contentOf({ content, attachments }: MessageView): string {
  return content === '' ? (attachments[0]?.url ?? '') : content;
}
