import type { MessageView } from '../core/views/message.ts';
import type { RealtimeContext } from './context.ts';
import { publicMessage } from './frames.ts';
import { noteReceipts } from './receipts.ts';
import type { RealtimeSocket } from './socket.ts';
import type { VisitorCatchUp } from './visitor-catch-up.ts';
import { findOwnConversation, listPublicMessages, type Visitor } from './visitor-conversations.ts';

interface Syncing {
  visitor: Visitor;
  catchUp: VisitorCatchUp;
  wanted: { conversation_id: string; after_seq: number; limit: number };
  hasAck: boolean;
}

interface SyncAnswer {
  messages: Record<string, unknown>[];
  last_seq: number;
  has_more: boolean;
}

/** Gives what was missed of a conversation, without notes and activity: in the ack, or else as `new_message`. */
export async function syncVisitor(
  socket: RealtimeSocket,
  { visitor, catchUp, wanted, hasAck }: Syncing,
  context: RealtimeContext,
): Promise<SyncAnswer> {
  const answer: SyncAnswer = { messages: [], last_seq: wanted.after_seq, has_more: false };
  await catchUp.during(async () => {
    const { id, thread_key } = await findOwnConversation(context.pool, visitor, wanted.conversation_id);
    const page = { afterSeq: wanted.after_seq, limit: wanted.limit };
    const { messages, hasMore } = await listPublicMessages(context.pool, id, page);
    const upToSeq = messages.at(-1)?.seq ?? 0;
    answer.messages = context.attachments.mintUrls({ messages }).messages.map(publicMessage);
    answer.last_seq = Math.max(upToSeq, wanted.after_seq);
    answer.has_more = hasMore;
    if (!hasAck) for (const message of answer.messages) socket.emit('new_message', message);
    const arrived = messages.filter(isOnItsWay).map((it) => ({ messageId: it.id, threadKey: thread_key }));
    noteReceipts(context, visitor.channelId, { status: 'delivered', messages: arrived });
    return { conversationId: id, upToSeq, hasMore };
  });
  return answer;
}

function isOnItsWay({ status }: MessageView): boolean {
  return status === 'sent';
}
