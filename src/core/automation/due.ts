import type { Pool, Sql } from '../database/connect.ts';
import { snapshot } from '../events/snapshot.ts';
import { firstIdAt } from '../id.ts';
import { causeOf } from './cause.ts';
import { judgeAndRun } from './judge-and-run.ts';
import type { RuleRow } from './rules.ts';
import type { RunTools } from './run.ts';
import { TIME_TRIGGERS, type TimeTrigger } from './triggers.ts';

const EVERY_MS = 5_000;
/** A transaction that began before we looked may commit after it. */
const OVERLAP_MS = 10_000;
const MINUTE_MS = 60_000;
const BATCH = 500;

type TimeRule = RuleRow & { trigger: TimeTrigger; after_minutes: number };

/** Runs the rules whose time has come since it was last looked at. True while there is more. */
export async function runDue(pool: Pool, tools: RunTools): Promise<boolean> {
  const rules = await pool<TimeRule[]>`
    select * from automation_rules
    where is_active and trigger = any(${Object.keys(TIME_TRIGGERS)})
      and checked_at < now() - make_interval(secs => ${EVERY_MS / 1000})
    order by id`;
  let hasMore = false;
  for (const rule of rules) hasMore = (await runOne(pool, { rule, tools })) || hasMore;
  return hasMore;
}

interface Due {
  /** The line of the timeline, or the conversation, that the time runs from. */
  subject_id: string;
  conversation_id: string;
  /** The message that waits for an answer. */
  message_id: string | null;
  caused_by: Record<string, unknown> | null;
}

/** The window of ids that were made as long ago as the rule waits: what began in it has waited just so long. */
async function runOne(pool: Pool, { rule, tools }: { rule: TimeRule; tools: RunTools }): Promise<boolean> {
  const now = new Date();
  const since = Math.max(rule.checked_at.getTime() - OVERLAP_MS, rule.active_since.getTime());
  const waitMs = rule.after_minutes * MINUTE_MS;
  const window = {
    from: firstIdAt(new Date(since - waitMs)),
    to: firstIdAt(new Date(now.getTime() - waitMs)),
  };
  const due = await FIND_DUE[rule.trigger](pool, rule.business_id, window);
  for (const one of due) await runFor(pool, { rule, tools, one });
  const last = due.length === BATCH ? due.at(-1) : undefined;
  // Past the overlap: where many began at once it would lead back to the first of them.
  const checked = last === undefined ? now : new Date(timeOfId(last.subject_id) + waitMs + OVERLAP_MS);
  await pool`
    update automation_rules set checked_at = ${checked}
    where id = ${rule.id} and updated_at = ${rule.updated_at}`;
  return last !== undefined;
}

async function runFor(pool: Pool, { rule, tools, one }: { rule: TimeRule; tools: RunTools; one: Due }) {
  const { conversation_id: conversationId, subject_id: subjectId, message_id: messageId } = one;
  const data = await snapshot(pool, { conversationId, messageId });
  await judgeAndRun(tools, [rule], {
    subjectId,
    businessId: rule.business_id,
    conversationId,
    customerId: data.customer?.id ?? null,
    cause: causeOf({ caused_by: one.caused_by, data: {} }),
    data,
  });
}

interface Window {
  from: string;
  to: string;
}

const FIND_DUE: Record<TimeTrigger, (sql: Sql, businessId: string, window: Window) => Promise<Due[]>> = {
  'conversation.unanswered': findUnanswered,
  'conversation.unassigned_for': findUnassigned,
};

/**
 * The first messages of customers since somebody answered last: who writes again has waited as long. Where it slept meanwhile
 * the time runs from its awakening.
 */
function findUnanswered(sql: Sql, businessId: string, { from, to }: Window): Promise<Due[]> {
  return sql<Due[]>`
    select b.id as subject_id, b.conversation_id, w.id as message_id, b.metadata -> 'caused_by' as caused_by
    from messages b join conversations c on c.id = b.conversation_id
    cross join lateral (
      select id, seq from messages w
      where w.conversation_id = b.conversation_id and ${isCustomers(sql, 'w')} and w.seq > coalesce((
        select seq from messages a
        where a.conversation_id = b.conversation_id and a.seq is not null and ${isAnswer(sql, 'a')}
        order by a.seq desc limit 1), 0)
      order by w.seq limit 1) w
    where b.id >= ${from} and b.id < ${to} and b.business_id = ${businessId}
      and (${isCustomers(sql, 'b')} or ${isAwakening(sql, 'b')})
      and (b.id = w.id or b.seq > w.seq and ${isAwakening(sql, 'b')})
      and c.status in ('open', 'pending') and c.merged_into_id is null
      and not exists (
        select 1 from messages l
        where l.conversation_id = b.conversation_id and l.seq > b.seq and ${isAwakening(sql, 'l')})
    order by b.id limit ${BATCH}`;
}

function isCustomers(sql: Sql, message: string) {
  const m = sql(message);
  return sql`(${m}.direction = 'inbound' and not ${m}.metadata @> '{"automatic": true}')`;
}

/** What Tributary says by itself is no answer, nor what never reached the customer; what was resolved needs none. */
function isAnswer(sql: Sql, message: string) {
  const m = sql(message);
  return sql`(
    ${m}.direction = 'outbound' and (${m}.sender_type in ('agent', 'bot') or ${m}.metadata ? 'ai')
      and ${m}.status not in ('failed', 'canceled')
    or ${m}.type = 'activity' and ${m}.metadata ->> 'activity' in ('resolved', 'closed'))`;
}

function isAwakening(sql: Sql, message: string) {
  const m = sql(message);
  return sql`(
    ${m}.type = 'activity' and ${m}.metadata ->> 'from' = 'snoozed' and ${m}.metadata ->> 'to' in ('open', 'pending'))`;
}

/** Nobody has had it since it began, or since the line of its timeline that says so: the newest of these counts. */
function findUnassigned(sql: Sql, businessId: string, { from, to }: Window): Promise<Due[]> {
  return sql<Due[]>`
    with begun as (
      select id as subject_id, id as conversation_id, 0 as seq, null::jsonb as caused_by from conversations
      where id >= ${from} and id < ${to} and business_id = ${businessId}
      union all
      select id, conversation_id, seq, metadata -> 'caused_by' from messages
      where id >= ${from} and id < ${to} and business_id = ${businessId} and ${isBeginning(sql, 'messages')}
    )
    select b.subject_id, b.conversation_id, null as message_id, b.caused_by from begun b join conversations c on c.id = b.conversation_id
    where c.assignee_id is null and c.status in ('open', 'pending') and c.merged_into_id is null
      and not exists (
        select 1 from messages l
        where l.conversation_id = b.conversation_id and l.seq > b.seq and ${isBeginning(sql, 'l')})
    order by b.subject_id limit ${BATCH}`;
}

/** Its agent gave it away, if only to a team, or it has come back; one that was pending was there all the time. */
function isBeginning(sql: Sql, message: string) {
  const m = sql(message);
  return sql`(
    ${m}.type = 'activity' and (
      ${m}.metadata ->> 'activity' in ('assigned', 'unassigned')
        and ${m}.metadata ->> 'from' is not null and ${m}.metadata ->> 'to' is null
      or ${m}.metadata ->> 'from' in ('snoozed', 'resolved', 'closed') and ${m}.metadata ->> 'to' in ('open', 'pending')))`;
}

/** An id begins with the milliseconds of its making. */
function timeOfId(id: string): number {
  return Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
}
