import type { ConversationRow } from '../views/conversation.ts';

export type Decision = 'open' | 'continue' | 'reopen';

interface Arrival {
  /** The channel's policy: `always`, `never` or `within_hours:N`. */
  reopen: string;
  automatic: boolean;
  now: Date;
}

/** Which conversation a customer's message goes to: its thread's newest, that one reopened, or one that it opens. */
export function decide(conversation: ConversationRow | undefined, arrival: Arrival): Decision {
  if (conversation === undefined) return 'open';
  if (conversation.status === 'open' || arrival.automatic) return 'continue';
  if (conversation.status === 'closed') return 'open';
  if (conversation.status !== 'resolved') return 'reopen';
  return mayReopen(conversation, arrival) ? 'reopen' : 'open';
}

const HOUR_MS = 3_600_000;

function mayReopen(conversation: ConversationRow, { reopen, now }: Arrival): boolean {
  if (reopen === 'always') return true;
  if (reopen === 'never') return false;
  const hours = Number(reopen.replace('within_hours:', ''));
  const resolvedAt = conversation.resolved_at ?? conversation.last_message_at;
  return now.getTime() - resolvedAt.getTime() <= hours * HOUR_MS;
}
