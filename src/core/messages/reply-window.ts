import { AppError } from '../errors.ts';
import type { ConversationRow } from '../views/conversation.ts';

/** Some channels let us answer freely only for a time after the customer wrote. */
export function refuseOutsideWindow(conversation: ConversationRow, at: Date): void {
  if (!isWindowClosed(conversation, at)) return;
  const extra = { reply_window_expires_at: conversation.reply_window_expires_at?.toISOString() };
  throw new AppError('window_closed', WINDOW_CLOSED, { extra });
}

/** What a message is told that comes after the window. */
export const WINDOW_CLOSED = 'The time to answer freely has passed; only a template may be sent.';

/** Whether the provider lets nobody answer freely any more at that time. */
export function isWindowClosed(
  { reply_window_expires_at }: Pick<ConversationRow, 'reply_window_expires_at'>,
  at: Date,
): boolean {
  return reply_window_expires_at !== null && reply_window_expires_at.getTime() < at.getTime();
}
