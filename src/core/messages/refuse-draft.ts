import { OPTED_OUT } from '../customers/consent.ts';
import type { Sql } from '../database/connect.ts';
import { AppError, invalidField } from '../errors.ts';
import { isUuid } from '../id.ts';
import type { ConversationRow } from '../views/conversation.ts';
import type { Draft, WritingTools } from './draft.ts';
import { refuseOutsideWindow } from './reply-window.ts';
import type { Standing } from './standing.ts';

/** Throws why this may not be written here, or not now. */
export async function refuseDraft(
  tx: Sql,
  conversation: Standing,
  { draft, tools }: { draft: Draft; tools: WritingTools },
): Promise<void> {
  refuseUntimely(conversation, draft);
  refuseOutOfTurn(conversation, draft);
  if (draft.replyToId !== undefined) await refuseForeignReply(tx, conversation, draft);
  if (draft.note !== true) {
    refuseUnreachable(conversation);
    if (draft.template === undefined) refuseOutsideWindow(conversation, draft.sendAt ?? new Date());
    if (conversation.opted_out) throw new AppError('opted_out', OPTED_OUT);
  }
  refuseForbiddenAddresses(draft, tools);
}

function refuseUntimely({ merged_into_id, last_public_seq }: Standing, { ifLastSeq }: Draft): void {
  if (merged_into_id !== null) {
    throw new AppError('conflict', 'The conversation is merged into another one; write there.', {
      extra: { merged_into_id },
    });
  }
  if (ifLastSeq !== undefined && last_public_seq > ifLastSeq) {
    throw new AppError('conflict', 'A newer message has come since.', {
      extra: { last_seq: last_public_seq },
    });
  }
}

/** A bot may be at work on its answer while somebody takes the conversation over. */
function refuseOutOfTurn({ assignee_id, team_id }: Standing, { ifAssigneeId }: Draft): void {
  if (ifAssigneeId === undefined) return;
  const holders = [assignee_id, team_id].filter((id) => id !== null);
  if (ifAssigneeId === 'none' ? holders.length === 0 : holders.includes(ifAssigneeId)) return;
  throw new AppError('conflict', 'The conversation is in other hands.', { extra: { assignee_id, team_id } });
}

/** What customers may see never refers to what they must not: only a note answers a note. */
async function refuseForeignReply(
  tx: Sql,
  conversation: ConversationRow,
  { replyToId: id = '', note = false }: Draft,
): Promise<void> {
  const rows = isUuid(id)
    ? await tx`
        select id from messages
        where id = ${id} and conversation_id = ${conversation.id} and seq is not null
          and (${note} or direction <> 'internal')`
    : [];
  if (rows.length === 0) throw invalidField('reply_to_id', 'is not a message of this conversation');
}

/** Without an address there is nobody to send to; web chat keeps the message until the visitor looks. */
function refuseUnreachable({ thread_key, channel_type }: ConversationRow): void {
  if (thread_key !== null || channel_type === 'webchat') return;
  throw new AppError('no_recipient', 'The customer has no address on this channel.');
}

function refuseForbiddenAddresses(draft: Draft, { attachments, egress }: WritingTools): void {
  for (const [index, { url }] of (draft.attachments ?? []).entries()) {
    if (url !== undefined && attachments.idOfUrl(url) === undefined) {
      egress.vetUrl(url, `attachments.${index}.url`);
    }
  }
}
