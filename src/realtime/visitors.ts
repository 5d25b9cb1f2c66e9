import { revokeVisitorSession, sealVisitorToken } from '../core/customers/visitor-sessions.ts';
import { encodeCursor } from '../core/events.ts';
import { announceVisitorTyping } from './announce-typing.ts';
import type { Broadcast } from './broadcast.ts';
import { receiveClientMessage } from './client-message.ts';
import type { RealtimeContext } from './context.ts';
import * as protocol from './protocol.ts';
import { noteReceipts } from './receipts.ts';
import { readRequests, refusalOf } from './requests.ts';
import { visitorRooms } from './rooms.ts';
import { type RealtimeSocket, refuse, type VisitorParty } from './socket.ts';
import { createTyping, type Typing } from './typing.ts';
import { createVisitorCatchUp, type VisitorCatchUp } from './visitor-catch-up.ts';
import {
  advanceVisitorRead,
  findOwnConversation,
  listOwnConversations,
  type Visitor,
} from './visitor-conversations.ts';
import { syncVisitor } from './visitor-sync.ts';

interface Serving {
  party: VisitorParty;
  broadcast: Broadcast;
}

/** Serves a socket of a web-chat visitor, who reaches its own conversations and nothing else. */
export function serveVisitor(
  socket: RealtimeSocket,
  { party, broadcast }: Serving,
  context: RealtimeContext,
): void {
  const { visitor } = party;
  const catchUp = createVisitorCatchUp(socket, context.limits.maxWaiting);
  const rooms = visitorRooms({ ...visitor, externalId: visitor.externalId ?? null });
  const leave = context.visitors.add([...rooms, visitor.channelId], catchUp);
  void socket.join(rooms);
  context.track(greet(socket, { party, broadcast }, context));
  const typing = answerVisitor(socket, { party, catchUp }, context);

  socket.on('disconnect', () => {
    leave();
    typing.stop();
    catchUp.close();
  });
}

/** Who the visitor is from now on, and the token that resumes it. */
async function greet(
  socket: RealtimeSocket,
  { party: { session, visitor }, broadcast }: Serving,
  { pool, secrets, log }: RealtimeContext,
): Promise<void> {
  try {
    socket.emit('session', {
      visitor_token: sealVisitorToken(secrets, session),
      visitor_id: session.visitorId,
      channel_id: session.channelId,
      expires_at: session.expiresAt.toISOString(),
      conversations: await listOwnConversations(pool, visitor),
    });
    socket.emit('ready', { cursor: encodeCursor(broadcast.position(), secrets) });
  } catch (error) {
    refuse(socket, { event: 'connect', refusal: refusalOf(error, log) });
    socket.disconnect(true);
  }
}

interface Asking {
  party: VisitorParty;
  catchUp: VisitorCatchUp;
}

function answerVisitor(socket: RealtimeSocket, { party, catchUp }: Asking, context: RealtimeContext): Typing {
  const { visitor, session } = party;
  const { pool } = context;
  const own = (id: string) => findOwnConversation(pool, visitor, id);
  // Agents know the customer, not the visitor: until there is one, nobody could tell them apart anyway.
  let userId = visitor.visitorId;
  const typing = createTyping((conversationId, isTyping) => {
    announceVisitorTyping(context, { businessId: visitor.businessId, conversationId, userId, isTyping });
  });

  const requests = readRequests(socket, context);
  requests.answer('client_message', protocol.clientMessage, async (message) => {
    const stored = await receiveClientMessage(context, party, message);
    if (stored.conversation_id !== undefined) typing.set(stored.conversation_id, false);
    return stored;
  });
  requests.answer('join_conversation', protocol.join, async ({ conversation_id }) => {
    // Its own conversations reach a visitor without joining; the rooms are the agents'.
    await own(conversation_id);
  });
  requests.answer('typing', protocol.typing, async ({ conversation_id, is_typing }) => {
    userId = (await own(conversation_id)).customer_id ?? visitor.visitorId;
    typing.set(conversation_id, is_typing);
  });
  requests.answer('read', protocol.readUpTo, ({ conversation_id, up_to_seq }) =>
    noteRead(context, visitor, { conversationId: conversation_id, upToSeq: up_to_seq }),
  );
  requests.answer('sync', protocol.visitorSync, (wanted, { hasAck }) =>
    syncVisitor(socket, { visitor, catchUp, wanted, hasAck }, context),
  );
  requests.answer('end_session', protocol.nothing, () =>
    revokeVisitorSession(pool, context.wake, session.id),
  );
  return typing;
}

/** Notes how far the visitor has read, and tells of each message that this makes read. */
async function noteRead(
  context: RealtimeContext,
  visitor: Visitor,
  { conversationId, upToSeq }: { conversationId: string; upToSeq: number },
): Promise<void> {
  const conversation = await findOwnConversation(context.pool, visitor, conversationId);
  const read = await advanceVisitorRead(context.pool, conversation, upToSeq);
  const messages = read.map(({ id }) => ({ messageId: id, threadKey: conversation.thread_key }));
  noteReceipts(context, visitor.channelId, { status: 'read', messages });
}
