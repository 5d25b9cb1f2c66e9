import { z } from 'zod';
import { CONVERSATION_STATUSES, type ConversationView } from './conversation.ts';
import type { CustomerView } from './customer.ts';
import { type AttachmentView, attachmentView, MESSAGE_STATUSES, type MessageView } from './message.ts';

// The second dialect's names for what the native views show. It begins where those end, so that both say the same.

const supportAttachmentView = attachmentView
  .omit({ thumbnail_url: true })
  .extend({ thumbnailUrl: attachmentView.shape.thumbnail_url })
  .meta({ id: 'SupportAttachment' });

export const supportMessageView = z
  .object({
    id: z.string(),
    type: z
      .enum(['visitor', 'agent', 'system', 'note'])
      .meta({ description: 'Who speaks; a bot is `system`.' }),
    content: z
      .union([z.string(), z.record(z.string(), z.unknown())])
      .meta({ description: 'The text; of a card the card itself.' }),
    attachments: z.array(supportAttachmentView),
    author: z.object({ id: z.string().nullable(), name: z.string().nullable() }),
    status: z.enum(MESSAGE_STATUSES).nullable(),
    createdAt: z.string(),
  })
  .meta({ id: 'SupportMessage' });
export type SupportMessage = z.infer<typeof supportMessageView>;

export const supportConversationView = z
  .object({
    id: z.string(),
    status: z.enum(CONVERSATION_STATUSES),
    inboxId: z.string(),
    visitor: z
      .object({ id: z.string(), name: z.string().nullable(), email: z.string().nullable() })
      .nullable(),
    assignee: z.object({ id: z.string(), name: z.string().nullable() }).nullable(),
    tags: z.array(z.string()),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: 'SupportConversation' });
export type SupportConversation = z.infer<typeof supportConversationView>;

export const supportVisitorView = z
  .object({
    id: z.string(),
    userId: z
      .string()
      .nullable()
      .meta({ description: "The person's id at the business, where it is known." }),
    name: z.string().nullable(),
    email: z.string().nullable(),
    phone: z.string().nullable(),
    attributes: z.record(z.string(), z.unknown()),
    firstSeenAt: z.string(),
    lastSeenAt: z.string().nullable().meta({ description: 'When they wrote last.' }),
    updatedAt: z.string(),
  })
  .meta({ id: 'SupportVisitor' });
export type SupportVisitor = z.infer<typeof supportVisitorView>;

/** The conversation without its messages; agents and teams are named by id. */
export function viewSupportConversation(
  conversation: ConversationView,
  names: ReadonlyMap<string, string>,
): SupportConversation {
  const { customer } = conversation;
  // While nobody of a team has it yet, the team has.
  const assigneeId = conversation.assignee_id ?? conversation.team_id;
  return {
    id: conversation.id,
    status: conversation.status,
    inboxId: conversation.channel_id,
    visitor: customer === null ? null : { id: customer.id, name: customer.name, email: customer.email },
    assignee: assigneeId === null ? null : { id: assigneeId, name: names.get(assigneeId) ?? null },
    tags: conversation.tags,
    createdAt: conversation.created_at,
    updatedAt: conversation.updated_at,
  };
}

/** The message, its attachments with whatever addresses they have in the native view. */
export function viewSupportMessage(message: MessageView): SupportMessage {
  return {
    id: message.id,
    type: speakerOf(message),
    content: message.card ?? message.content,
    attachments: message.attachments.map(viewSupportAttachment),
    author: message.sender,
    status: message.status,
    createdAt: message.created_at,
  };
}

function viewSupportAttachment({ thumbnail_url, ...attachment }: AttachmentView) {
  return { ...attachment, thumbnailUrl: thumbnail_url };
}

/** Who speaks: here a message's type says that, not what it holds. */
export function speakerOf({
  type,
  sender_type,
}: Pick<MessageView, 'type' | 'sender_type'>): SupportMessage['type'] {
  if (type === 'note') return 'note';
  switch (sender_type) {
    case 'customer':
      return 'visitor';
    case 'agent':
      return 'agent';
    case 'bot':
    case 'system':
      return 'system';
  }
}

/** A customer as the support dialect shows one. */
export function viewSupportVisitor(customer: CustomerView, lastSeenAt: Date | null): SupportVisitor {
  return {
    id: customer.id,
    userId: customer.external_id,
    name: customer.name,
    email: customer.email,
    phone: customer.phone,
    attributes: customer.custom_attributes,
    firstSeenAt: customer.created_at,
    lastSeenAt: lastSeenAt?.toISOString() ?? null,
    updatedAt: customer.updated_at,
  };
}
