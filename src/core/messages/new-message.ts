import { newId } from '../id.ts';
import type { FilledTemplate } from '../template.ts';
import type { ConversationRow } from '../views/conversation.ts';
import type { MessageRow } from '../views/message.ts';
import type { Author } from './author.ts';
import type { Draft } from './draft.ts';

/** A draft whose template is found, filled and can be read. */
export type ReadyDraft = Draft & { filled?: FilledTemplate };

export interface NewMessageRow extends MessageRow {
  template: FilledTemplate | null;
  cancel_on_reply: boolean;
}

/** The row of what somebody on our side writes, queued where it goes to the customer. */
export function newMessage(
  conversation: ConversationRow,
  { draft, by }: { draft: ReadyDraft; by: Author },
): NewMessageRow {
  const now = new Date();
  return {
    id: newId(),
    business_id: conversation.business_id,
    conversation_id: conversation.id,
    channel_id: conversation.channel_id,
    customer_id: conversation.customer_id,
    sender_type: by.type,
    sender_id: by.id,
    sender_name: by.name,
    ...whenOf(draft, conversation, now),
    ...contentOf(draft, by),
    text_full: null,
    reactions: [],
    external_id: null,
    error: null,
    created_at: now,
    sent_at: null,
    delivered_at: null,
    read_at: null,
    edited_at: null,
    deleted_at: null,
  };
}

/** Where the message goes and when: a note nowhere, a scheduled one later, everything else as soon as it can. */
function whenOf(
  { note, sendAt, cancelOnReply = false }: Draft,
  { last_message_seq }: ConversationRow,
  now: Date,
) {
  const seq = last_message_seq + 1;
  const soon = { seq, send_at: null, cancel_on_reply: false };
  if (note === true) return { ...soon, direction: 'internal', status: null, next_attempt_at: null } as const;
  const outbound = { direction: 'outbound' } as const;
  if (sendAt === undefined || sendAt.getTime() <= now.getTime()) {
    return { ...soon, ...outbound, status: 'queued', next_attempt_at: now } as const;
  }
  const later = { seq: null, send_at: sendAt, cancel_on_reply: cancelOnReply, next_attempt_at: null };
  return { ...later, ...outbound, status: 'scheduled' } as const;
}

function contentOf(draft: ReadyDraft, { causedBy }: Author) {
  const { filled } = draft;
  return {
    type: typeOf(draft),
    content: draft.content,
    html: draft.html ?? null,
    card: draft.card ?? null,
    email: draft.email ?? null,
    template: filled ?? null,
    metadata: {
      ...draft.metadata,
      ...(filled === undefined ? {} : { template: { name: filled.name, language: filled.language } }),
      // What becomes of the message later is caused by it too.
      ...(causedBy === undefined ? {} : { caused_by: causedBy }),
    },
    reply_to_id: draft.replyToId ?? null,
    client_message_id: draft.clientMessageId ?? null,
  };
}

function typeOf({ note, card, attachments, filled }: ReadyDraft): MessageRow['type'] {
  if (note === true) return 'note';
  if (filled !== undefined) return 'template';
  if (card !== undefined) return 'card';
  return attachments === undefined || attachments.length === 0 ? 'text' : 'attachment';
}
