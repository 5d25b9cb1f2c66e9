import type { Pool } from '../database/connect.ts';
import { startReader } from '../events/reader.ts';
import { isInWindow, nextWindow, type Window } from '../events/window.ts';
import { type EventRow, unpacked } from '../events.ts';
import type { Wake } from '../wake.ts';
import { type ActiveRules, createActiveRules } from './active-rules.ts';
import { causeOf } from './cause.ts';
import { runDue } from './due.ts';
import { judgeAndRun } from './judge-and-run.ts';
import type { RuleRow } from './rules.ts';
import type { RunTools } from './run.ts';

interface AutomationOptions extends RunTools {
  pool: Pool;
  wake: Wake;
}

/** Conversations that are worked on at once; each event of one in its order. */
const AT_ONCE = 4;

/** Lets rules run for what happens, and for what does not: a reader of events with a place of its own. */
export function startAutomation(options: AutomationOptions): { stop(): Promise<void> } {
  const { pool } = options;
  const activeRules = createActiveRules(pool);
  return startReader({ ...options, name: 'automation' }, async (after) => {
    const window = await nextWindow(pool, after);
    // Asked after the window: a rule of before an event is one that this sees.
    const rules = await activeRules();
    if (rules.isEmpty) return { upTo: window.newest, hasMore: false, isIdle: true };
    await runAll(options, await readOccasions(pool, window), rules);
    const moreIsDue = rules.hasTimed && (await runDue(pool, options));
    return { upTo: window.upTo, hasMore: window.hasMore || moreIsDue };
  });
}

/** The events that set any rule of their business going; of whoever was erased nothing is left to do. */
async function readOccasions(pool: Pool, window: Window): Promise<EventRow[]> {
  const rows = await pool<EventRow[]>`
    select * from events e
    where ${isInWindow(pool, window)}
      and (caused_by is null or not caused_by ? 'erasure')
      and exists (
        select 1 from automation_rules r
        where r.business_id = e.business_id and r.trigger = e.type and r.is_active and r.active_since < e.created_at)
    order by seq`;
  return rows.map(unpacked);
}

async function runAll(tools: RunTools, events: EventRow[], rules: ActiveRules): Promise<void> {
  const queues = [
    ...Map.groupBy(events, ({ conversation_id, customer_id, id }) => conversation_id ?? customer_id ?? id),
  ];
  const workers = Array.from({ length: AT_ONCE }, async () => {
    for (let next = queues.shift(); next !== undefined; next = queues.shift()) {
      for (const event of next[1]) await runFor(tools, event, rules.of(event.business_id, event.type));
    }
  });
  await Promise.all(workers);
}

async function runFor(tools: RunTools, event: EventRow, rules: RuleRow[]): Promise<void> {
  if (event.data['erased'] === true) return;
  const fresh = rules.filter((rule) => rule.active_since <= event.created_at);
  await judgeAndRun(tools, fresh, {
    subjectId: event.id,
    businessId: event.business_id,
    conversationId: event.conversation_id,
    customerId: event.customer_id,
    cause: causeOf(event),
    data: event.data,
  });
}
