import { showRead } from '../core/conversations/show-read.ts';
import { markRead } from '../core/conversations/triage.ts';
import { findConversation, lockConversation } from '../core/conversations.ts';
import { decodeCursor, encodeCursor } from '../core/events.ts';
import { authorOf } from '../core/messages/author.ts';
import { type AgentCatchUp, createAgentCatchUp } from './agent-catch-up.ts';
import { announceAgentTyping } from './announce-typing.ts';
import type { Broadcast } from './broadcast.ts';
import type { RealtimeContext } from './context.ts';
import * as protocol from './protocol.ts';
import { readRequests, refusalOf } from './requests.ts';
import { businessRoom, conversationRoom } from './rooms.ts';
import { type AgentParty, type RealtimeSocket, refuse } from './socket.ts';
import { createTyping, type Typing } from './typing.ts';

interface Serving {
  party: AgentParty;
  broadcast: Broadcast;
}

/** Serves a socket of the agent side: everything of its business, and nothing of any other. */
export function serveAgent(
  socket: RealtimeSocket,
  { party, broadcast }: Serving,
  context: RealtimeContext,
): void {
  const catchUp = createAgentCatchUp(socket, { party, broadcast, context });
  void socket.join(businessRoom(party.actor.businessId));
  const begun = begin(socket, { party, broadcast, catchUp }, context);
  context.track(begun);
  const typing = answerAgent(socket, { party, catchUp, begun }, context);

  socket.on('disconnect', () => {
    typing.stop();
    catchUp.close();
  });
}

/** A client that says where it was hears what it missed before `ready`; any other begins here. */
async function begin(
  socket: RealtimeSocket,
  { party, broadcast, catchUp }: Serving & { catchUp: AgentCatchUp },
  { secrets, log }: RealtimeContext,
): Promise<void> {
  const here = { cursor: encodeCursor(broadcast.position(), secrets), has_more: false };
  try {
    socket.emit('ready', party.after === undefined ? here : await catchUp.sync(party.after));
  } catch (error) {
    refuse(socket, { event: 'connect', refusal: refusalOf(error, log) });
    socket.emit('ready', here);
  }
}

interface Asking {
  party: AgentParty;
  catchUp: AgentCatchUp;
  /** Resolves when the socket has caught up with what its handshake asked for. */
  begun: Promise<void>;
}

function answerAgent(
  socket: RealtimeSocket,
  { party: { actor }, catchUp, begun }: Asking,
  context: RealtimeContext,
): Typing {
  const own = (id: string) => findConversation(context.pool, actor.businessId, id);
  const typing = createTyping((conversationId, isTyping) => {
    const userId = actor.agentId ?? actor.apiKeyId;
    announceAgentTyping(context, { ...actor, conversationId, userId, isTyping, from: socket });
  });

  const requests = readRequests(socket, context);
  requests.answer('join_conversation', protocol.join, async ({ conversation_id }) => {
    await socket.join(conversationRoom((await own(conversation_id)).id));
  });
  requests.answer('leave_conversation', protocol.join, async ({ conversation_id }) => {
    await socket.leave(conversationRoom(conversation_id));
  });
  requests.answer('typing', protocol.typing, async ({ conversation_id, is_typing }) => {
    typing.set((await own(conversation_id)).id, is_typing);
  });
  requests.answer('read', protocol.readUpTo, async ({ conversation_id, up_to_seq }) => {
    await context.transact(async (tx) => {
      const conversation = await lockConversation(tx, actor.businessId, conversation_id);
      await markRead(tx, conversation, { upToSeq: up_to_seq, by: await authorOf(tx, actor) });
    });
    context.track(showRead(context, conversation_id));
  });
  requests.answer('sync', protocol.agentSync, async ({ after }) => {
    await begun;
    return catchUp.sync(decodeCursor(after, context.secrets));
  });
  return typing;
}
