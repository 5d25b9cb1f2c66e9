import type { Pool, Sql } from '../database/connect.ts';
import { isAway, type Transact } from '../database/transact.ts';
import { startReader } from '../events/reader.ts';
import { isInWindow, nextWindow, type Window } from '../events/window.ts';
import type { EventType } from '../events.ts';
import type { Log } from '../log.ts';
import type { ConversationRow } from '../views/conversation.ts';
import type { Wake } from '../wake.ts';
import { assignByPolicy } from './assign-by-policy.ts';
import { givesAway } from './assignment.ts';

interface AssignerOptions {
  pool: Pool;
  transact: Transact;
  wake: Wake;
  log: Log;
}

const BATCH = 500;

/** Gives what customers begin to agents, by the policy of its channel or team: a reader of events, and of what waits. */
export function startAssigner(options: AssignerOptions): { stop(): Promise<void> } {
  const { pool } = options;
  return startReader({ ...options, name: 'assigner' }, async (after) => {
    const window = await nextWindow(pool, after);
    // Asked after the window: a policy of before an event is one that this sees.
    if (!(await isNeeded(pool))) return { upTo: window.newest, hasMore: false, isIdle: true };
    const signals = await readSignals(pool, window);
    for (const businessId of businessesOf(signals)) await lookAgain(pool, businessId);
    await assignEach(options, conversationsOf(signals));
    const due = await findDue(pool);
    await assignEach(options, due);
    return { upTo: window.upTo, hasMore: window.hasMore || due.length === BATCH };
  });
}

/** Whether any channel gives its conversations away, or any waits for somebody. */
async function isNeeded(pool: Pool): Promise<boolean> {
  const [row] = await pool<[{ is_needed: boolean }]>`
    select exists (select 1 from channels where ${givesAway(pool)})
      or exists (select 1 from conversations where assign_at is not null) as is_needed`;
  return row.is_needed;
}

interface Signal {
  type: EventType;
  business_id: string;
  conversation_id: string | null;
}

const SIGNALS: EventType[] = [
  'message.received',
  'conversation.reopened',
  'conversation.unsnoozed',
  'conversation.handoff_requested',
];

/** A customer wrote where nobody is assigned, a bot gave up, an agent came or went. */
function readSignals(pool: Pool, window: Window): Promise<Signal[]> {
  return pool<Signal[]>`
    select type, business_id, conversation_id from events e
    where ${isInWindow(pool, window)}
      and (type = 'agent.status_changed'
        or type = any(${SIGNALS}) and exists (
          select 1 from conversations c join channels on channels.id = c.channel_id
          where c.id = e.conversation_id and ${givesAway(pool)}
            and (c.assignee_id is null or c.needs_human_handoff)))
    order by seq`;
}

function businessesOf(signals: Signal[]): Set<string> {
  const changes = signals.filter(({ type }) => type === 'agent.status_changed');
  return new Set(changes.map((signal) => signal.business_id));
}

function conversationsOf(signals: Signal[]): Set<string> {
  return new Set(signals.flatMap(({ conversation_id }) => conversation_id ?? []));
}

/** What waits in the business may have found somebody: it is due now. In the order in which every writer locks. */
export async function lookAgain(sql: Sql, businessId: string): Promise<void> {
  await sql`
    update conversations set assign_at = now()
    where id in (
      select id from conversations where assign_at > now() and business_id = ${businessId} order by id for update)`;
}

/** The longest waiting first. */
async function findDue(pool: Pool): Promise<string[]> {
  const rows = await pool<{ id: string }[]>`
    select id from conversations where assign_at <= now() order by assign_at, last_message_at limit ${BATCH}`;
  return rows.map(({ id }) => id);
}

async function assignEach({ pool, transact, log }: AssignerOptions, ids: Iterable<string>): Promise<void> {
  for (const id of ids) {
    try {
      await transact(async (tx) => {
        const [conversation] = await tx<
          ConversationRow[]
        >`select * from conversations where id = ${id} for update`;
        if (conversation !== undefined) await assignByPolicy(tx, conversation, new Date());
      });
    } catch (error) {
      // One that cannot be assigned must not keep the others waiting.
      if (isAway(error)) throw error;
      log.error({ err: error, conversation: id }, 'assigning failed');
      await pool`update conversations set assign_at = now() + interval '1 minute' where id = ${id} and assign_at <= now()`;
    }
  }
}
