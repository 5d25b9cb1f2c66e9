import { newestInboundId } from '../core/conversations/show-read.ts';
import { findConversation } from '../core/conversations.ts';
import type { ConversationRow } from '../core/views/conversation.ts';
import type { RealtimeContext } from './context.ts';
import { businessRoom, conversationRoom, visitorRooms } from './rooms.ts';
import type { RealtimeSocket } from './socket.ts';
import { ownersOf } from './visitor-conversations.ts';

export interface AgentTyping {
  businessId: string;
  conversationId: string;
  userId: string;
  isTyping: boolean;
  /** The socket it came from, which need not hear itself. */
  from?: RealtimeSocket;
}

/** Shows the other agents and the customer that an agent types. Best effort, and never stored. */
export function announceAgentTyping(context: RealtimeContext, typing: AgentTyping): void {
  context.track(
    announce(context, typing).catch((error: unknown) => {
      context.log.warn(
        { err: error, conversation: typing.conversationId },
        'showing that somebody types failed',
      );
    }),
  );
}

async function announce(context: RealtimeContext, typing: AgentTyping): Promise<void> {
  const { io, pool } = context;
  const { businessId, conversationId } = typing;
  const payload = { conversation_id: conversationId, user_id: typing.userId, is_typing: typing.isTyping };
  const rooms = [businessRoom(businessId), conversationRoom(conversationId)];
  const others = io.to(rooms).except(typing.from?.id ?? []);
  others.emit('typing', payload);
  const conversation = await findConversation(pool, businessId, conversationId);
  if (conversation.channel_type !== 'webchat') return showCustomer(context, conversation, typing.isTyping);
  const owner = (await ownersOf(pool, [conversationId])).get(conversationId);
  const theirs = owner === undefined ? [] : visitorRooms(owner);
  if (theirs.length > 0) io.to(theirs).emit('typing', payload);
}

/** Providers show typing for some seconds; they have no way to end it. */
async function showCustomer(
  context: RealtimeContext,
  conversation: ConversationRow,
  isTyping: boolean,
): Promise<void> {
  if (!isTyping || conversation.thread_key === null) return;
  const loaded = await context.channels.load(conversation.channel_id);
  if (!loaded?.row.is_active || loaded.adapter.typing === undefined) return;
  const lastInboundId = await newestInboundId(context.pool, conversation.id);
  await loaded.adapter.typing(conversation.thread_key, loaded.channel, { lastInboundId });
}

/** Shows the agents that the visitor types. */
export function announceVisitorTyping({ io }: RealtimeContext, typing: Omit<AgentTyping, 'from'>): void {
  const { businessId, conversationId, userId, isTyping } = typing;
  const rooms = [businessRoom(businessId), conversationRoom(conversationId)];
  io.to(rooms).emit('typing', { conversation_id: conversationId, user_id: userId, is_typing: isTyping });
}
