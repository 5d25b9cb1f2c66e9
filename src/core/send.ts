import { optedOut } from './customers/consent.ts';
import type { Pool } from './database/connect.ts';
import type { LaneKind } from './lanes.ts';
import { type SendOutcome, sendMessage } from './send/message.ts';
import type { SendOptions } from './send/options.ts';
import type { SendingMessage } from './send/parts.ts';

// An attachment that is still being fetched wakes the lane when it is ready; this is for a wake-up that was lost.
const ATTACHMENT_POLL_MS = 5_000;

/** Sends a conversation's messages one after the other: the next when the previous was accepted or finally failed. */
export function createSendLane(options: SendOptions): LaneKind {
  return {
    name: 'send',
    async work(conversationId, lease) {
      let outcome: SendOutcome = 'settled';
      while (outcome === 'settled') {
        if (lease.draining || lease.signal.aborted) return new Date();
        const next = await nextMessage(options.pool, conversationId);
        if (next === undefined) return null;
        if (isLater(next.next_attempt_at)) return nextTry(options.pool, conversationId);
        outcome = await sendMessage(options, next, lease);
      }
      return outcome === 'lost' ? null : new Date(Date.now() + ATTACHMENT_POLL_MS);
    },
  };
}

/** The first message that still has to go, or before it one that was let pass and whose own time has come. */
async function nextMessage(pool: Pool, conversationId: string): Promise<SendingMessage | undefined> {
  const [message] = await pool<SendingMessage[]>`
    select m.*, (
        select json_agg(json_build_object('n', n, 'status', status, 'payload', payload) order by n) from message_parts
        where message_id = m.id and generation = m.generation) as parts,
      c.thread_key, c.channel_type, c.reply_window_expires_at, ${optedOut(pool, { channelId: pool`m.channel_id`, address: pool`c.thread_key` })} as opted_out
    from messages m join conversations c on c.id = m.conversation_id
    where m.conversation_id = ${conversationId} and m.status in ('queued', 'sending')
    order by (m.skipped_at is not null and coalesce(m.next_attempt_at > now(), false)), (m.skipped_at is null), m.seq
    limit 1`;
  return message;
}

function isLater(time: Date | null): boolean {
  return time !== null && time.getTime() > Date.now();
}

/** What waits behind the first message waits as long as that one. */
async function nextTry(pool: Pool, conversationId: string): Promise<Date | null> {
  const [row] = await pool<{ next: Date | null }[]>`
    select min(next_attempt_at) as next from messages m
    where conversation_id = ${conversationId} and status in ('queued', 'sending') and (skipped_at is not null
      or seq = (
        select min(seq) from messages
        where conversation_id = m.conversation_id and status in ('queued', 'sending') and skipped_at is null))`;
  return row?.next ?? null;
}
