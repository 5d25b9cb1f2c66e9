import type { LoadedChannel } from '../channels.ts';
import { OPTED_OUT } from '../customers/consent.ts';
import { isWindowClosed, WINDOW_CLOSED } from '../messages/reply-window.ts';
import type { SendingMessage } from './parts.ts';

export interface Refusal {
  code: string;
  message: string;
}

/** Why a message cannot go now that its turn has come; undefined when it can. */
export function refusalOf(loaded: LoadedChannel | undefined, message: SendingMessage): Refusal | undefined {
  if (loaded === undefined) return { code: 'channel_deleted', message: 'The channel is gone.' };
  if (!loaded.row.is_active) return { code: 'channel_inactive', message: 'The channel is switched off.' };
  // Every try would fail the same way until somebody mends the account.
  if (loaded.row.broken_at !== null) {
    return {
      code: 'channel_error',
      message: `The channel is refused: ${loaded.row.broken_reason ?? 'unknown'}`,
    };
  }
  if (message.thread_key === null && loaded.adapter.send !== undefined) {
    return { code: 'no_recipient', message: 'The conversation has no recipient.' };
  }
  if (message.opted_out) return { code: 'opted_out', message: OPTED_OUT };
  // It may have waited for its turn until the provider would refuse it.
  if (message.type !== 'template' && isWindowClosed(message, new Date())) {
    return { code: 'window_closed', message: WINDOW_CLOSED };
  }
  return undefined;
}

/** Why it cannot go with files in these states. */
export function attachmentRefusal(states: string[]): Refusal {
  return states.includes('too_large')
    ? { code: 'attachment_too_large', message: 'An attachment is larger than this channel takes.' }
    : { code: 'attachment_failed', message: 'An attachment could not be fetched.' };
}
