import { requestHandoff } from '../conversations/handoff.ts';
import type { Pool, Sql } from '../database/connect.ts';
import type { Transact } from '../database/transact.ts';
import { startReader } from '../events/reader.ts';
import { isInWindow, nextWindow, type Window } from '../events/window.ts';
import { newId } from '../id.ts';
import { laneKey } from '../lanes/lane-key.ts';
import { wakeLanes } from '../lanes.ts';
import type { Log } from '../log.ts';
import { SYSTEM } from '../messages/author.ts';
import type { ConversationRow } from '../views/conversation.ts';
import type { Wake } from '../wake.ts';
import { isTakenOver } from './silence.ts';

interface AiReaderOptions {
  pool: Pool;
  transact: Transact;
  wake: Wake;
  wakeQueue(laneKeys: readonly string[]): Promise<void>;
  log: Log;
}

/** Has what customers write answered where a business has an AI hook: a reader of events. */
export function startAiReader(options: AiReaderOptions): { stop(): Promise<void> } {
  const { pool } = options;
  return startReader({ ...options, name: 'ai' }, async (after) => {
    const window = await nextWindow(pool, after);
    // Asked after the window: what is written once a hook is there is not missed.
    const hooks = await pool`select 1 from ai_hooks limit 1`;
    if (hooks.length === 0) return { upTo: window.newest, hasMore: false, isIdle: true };
    const written = await readWritten(pool, window);
    if (written.length > 0) await options.wakeQueue(await giveTurns(pool, written));
    for (const id of await readUnsent(pool, window)) await options.transact((tx) => flagUnsent(tx, id));
    return { upTo: window.upTo, hasMore: window.hasMore };
  });
}

interface Written {
  business_id: string;
  conversation_id: string;
  message_id: string;
}

/** What people wrote since the hook is there: no machine is answered, or the two would never end. */
function readWritten(pool: Pool, window: Window): Promise<Written[]> {
  return pool<Written[]>`
    select e.business_id, m.conversation_id, m.id as message_id
    from events e
    join ai_hooks h on h.business_id = e.business_id and h.created_at < e.occurred_at
    join messages m on m.id = e.message_id
    where ${isInWindow(pool, window)}
      and e.type = 'message.received' and m.direction = 'inbound' and m.deleted_at is null
      and not m.metadata @> '{"automatic": true}'
    order by e.seq`;
}

/** A message that has its turn already, or had it, gets no second one. Resolves with the lanes to wake. */
async function giveTurns(pool: Pool, written: Written[]): Promise<string[]> {
  const rows = written.map(({ business_id, conversation_id, message_id }) => ({
    id: newId(),
    business_id,
    conversation_id,
    message_id,
    state: 'waiting',
  }));
  return pool.begin(async (tx) => {
    const given = await tx<{ conversation_id: string }[]>`
      insert into ai_turns ${tx(rows)} on conflict do nothing returning conversation_id`;
    const lanes = [...new Set(given.map(({ conversation_id }) => laneKey('ai', conversation_id)))];
    await wakeLanes(tx, lanes);
    return lanes;
  });
}

/** Answers of the AI that never left: their customers still wait. */
async function readUnsent(pool: Pool, window: Window): Promise<string[]> {
  const rows = await pool<{ conversation_id: string }[]>`
    select distinct m.conversation_id from events e join messages m on m.id = e.message_id
    where ${isInWindow(pool, window)}
      and e.type = 'message.failed' and m.sender_type = 'system' and m.metadata ? 'ai' and m.status = 'failed'`;
  return rows.map(({ conversation_id }) => conversation_id);
}

async function flagUnsent(tx: Sql, id: string): Promise<void> {
  const [conversation] = await tx<ConversationRow[]>`select * from conversations where id = ${id} for update`;
  if (conversation === undefined || conversation.needs_human_handoff || conversation.merged_into_id !== null)
    return;
  if (conversation.status !== 'open' && conversation.status !== 'pending') return;
  if (!(await isTakenOver(tx, conversation)))
    await requestHandoff(tx, conversation, { reason: 'ai_not_sent', by: SYSTEM });
}
