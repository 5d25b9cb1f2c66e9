import type { Sql } from '../database/connect.ts';
import { AppError, invalidField } from '../errors.ts';
import { recordUpdate } from '../messages.ts';
import type { MessageRow } from '../views/message.ts';
import { WAS_SENT } from './change-sent.ts';
import { refuseOutsideWindow } from './reply-window.ts';
import { lockOutbound } from './resend.ts';

/** What may be changed of a message that waits for its time. */
export interface ScheduledPatch {
  content?: string | undefined;
  html?: string | null | undefined;
  subject?: string | undefined;
  sendAt?: Date | undefined;
  cancelOnReply?: boolean | undefined;
}

interface Edit {
  businessId: string;
  id: string;
  patch: ScheduledPatch;
}

/** Changes a message while it is scheduled; a time in the past lets it go at once. */
export async function editScheduled(tx: Sql, { businessId, id, patch }: Edit): Promise<MessageRow> {
  const { conversation, message } = await lockOutbound(tx, businessId, id);
  if (WAS_SENT.has(message.status ?? ''))
    throw new AppError('conflict', 'It was sent just now: ask again to reword what the customer has.');
  if (message.status !== 'scheduled') {
    throw new AppError('conflict', `Only a scheduled message can be changed; this one is ${message.status}.`);
  }
  if (patch.content?.trim() === '' && message.type === 'text') throw invalidField('content', 'is required');
  if (patch.sendAt !== undefined) refuseOutsideWindow(conversation, patch.sendAt);
  const set = changedColumns(tx, message, patch);
  const changed = Object.keys(set);
  if (changed.length === 0) return message;
  const [edited] = await tx<[MessageRow]>`update messages set ${tx(set)} where id = ${id} returning *`;
  await recordUpdate(tx, edited, { facts: { changed } });
  return edited;
}

/** A text that is written anew leaves the formatted form of the old one behind. */
function changedColumns(tx: Sql, message: MessageRow, patch: ScheduledPatch): Record<string, never> {
  const { content = message.content, subject, sendAt, cancelOnReply } = patch;
  const { html = content === message.content ? message.html : null } = patch;
  const columns: Record<string, unknown> = {
    ...(content === message.content ? {} : { content }),
    ...(html === message.html ? {} : { html }),
    ...(sendAt === undefined || sendAt.getTime() === message.send_at?.getTime() ? {} : { send_at: sendAt }),
  };
  if (subject !== undefined && subject !== message.email?.subject)
    columns['email'] = tx.json({ ...message.email, subject });
  if (cancelOnReply !== undefined && cancelOnReply !== message.cancel_on_reply)
    columns['cancel_on_reply'] = cancelOnReply;
  return columns as Record<string, never>;
}
