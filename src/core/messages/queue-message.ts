import type { Sql } from '../database/connect.ts';
import { record } from '../events.ts';
import type { ConversationRow } from '../views/conversation.ts';
import type { MessageView } from '../views/message.ts';
import type { Draft, Writing } from './draft.ts';
import { writeMessages } from './write-messages.ts';

export type { Draft, Writing } from './draft.ts';

/** Stores a message to be sent, or a note, in a conversation that this transaction has locked. */
export async function queueMessage(
  tx: Sql,
  { id: conversationId }: Pick<ConversationRow, 'id'>,
  { draft, by, ...tools }: Writing & { draft: Draft },
): Promise<MessageView> {
  const { views, events } = await writeMessages(tx, [{ conversationId, draft, by }], tools);
  await record(tx, events);
  return views[0] as MessageView;
}
