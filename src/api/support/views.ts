import type { Attachments } from '../../core/attachments.ts';
import type { ListedConversation } from '../../core/conversations.ts';
import type { Sql } from '../../core/database/connect.ts';
import { conversationMessages } from '../../core/messages.ts';
import { assigneeNames } from '../../core/team/agents.ts';
import { type ConversationRow, viewConversation } from '../../core/views/conversation.ts';
import {
  type SupportConversation,
  supportConversationView,
  supportMessageView,
  viewSupportConversation,
  viewSupportMessage,
} from '../../core/views/support.ts';
import { viewWithCustomer } from '../views/conversation-detail.ts';

export const detailView = supportConversationView.extend({ messages: supportMessageView.array() });

/** Conversations of a list, without their messages. */
export async function viewListed(sql: Sql, rows: ListedConversation[]): Promise<SupportConversation[]> {
  const names = await assigneeNames(
    sql,
    rows.map(({ conversation }) => conversation.assignee_id ?? conversation.team_id),
  );
  return rows.map(({ conversation, customer }) =>
    viewSupportConversation(viewConversation(conversation, customer), names),
  );
}

/** One conversation, without its messages. */
export async function viewOne(sql: Sql, row: ConversationRow): Promise<SupportConversation> {
  const names = await assigneeNames(sql, [row.assignee_id ?? row.team_id]);
  return viewSupportConversation(await viewWithCustomer(sql, row), names);
}

/** One conversation with all its messages, oldest first. */
export async function viewDetail(sql: Sql, row: ConversationRow, attachments: Pick<Attachments, 'mintUrls'>) {
  const { messages } = attachments.mintUrls(await conversationMessages(sql, row.id));
  return { ...(await viewOne(sql, row)), messages: messages.map(viewSupportMessage) };
}
