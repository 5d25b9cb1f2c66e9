import type { TransactionSql } from 'postgres';
import type { Sql } from '../database/connect.ts';
import { isAway, type Transact } from '../database/transact.ts';
import { AppError } from '../errors.ts';
import { firstIdAt, newId } from '../id.ts';
import type { Log } from '../log.ts';
import type { Writing } from '../messages/queue-message.ts';
import type { ConversationRow } from '../views/conversation.ts';
import { ACTIONS, type Action } from './actions.ts';
import { type Cause, causedBy, loopIn } from './cause.ts';
import type { ActionResult, Outcome, RuleRow } from './rules.ts';

/** Something that sets rules going. */
export interface Occasion {
  /** The event's id, or what time has run from: a rule runs at most once for it. */
  subjectId: string;
  businessId: string;
  conversationId: string | null;
  customerId: string | null;
  cause: Cause | undefined;
}

export interface RunTools {
  transact: Transact;
  writing: Omit<Writing, 'by'>;
  log: Log;
}

// Two programs that answer each other outside of Tributary leave no trace of it but their speed.
const MOST_AN_HOUR = 20;
const HOUR_MS = 3_600_000;

/** Does what the rule says because of the occasion, once, whoever tries. True when no later rule is to run. */
export async function runRule(tools: RunTools, rule: RuleRow, occasion: Occasion): Promise<boolean> {
  try {
    return await tools.transact((tx) => runOnce(tx, { tools, rule, occasion }));
  } catch (error) {
    if (isAway(error)) throw error;
    tools.log.error({ err: error, rule: rule.id, subject: occasion.subjectId }, 'a rule failed');
    await tools.transact((tx) =>
      keepRun(tx, rule, { occasion, outcome: 'failed', reason: 'Something went wrong on our side.' }),
    );
    return false;
  }
}

interface Run {
  tools: RunTools;
  rule: RuleRow;
  occasion: Occasion;
}

async function runOnce(tx: Sql, { tools, rule, occasion }: Run): Promise<boolean> {
  const [active] = await tx`
    select id from automation_rules where id = ${rule.id} and is_active and updated_at = ${rule.updated_at} for key share`;
  if (active === undefined) return false;
  const id = await keepRun(tx, rule, { occasion, outcome: 'done', reason: null });
  if (id === undefined) return stops(rule) && (await hasRun(tx, rule, occasion));
  const conversationId = await conversationOf(tx, occasion);
  const reason = loopIn(occasion.cause, rule.id) ?? (await tooOften(tx, rule, { id, conversationId }));
  if (conversationId === undefined || reason !== undefined) {
    const why = reason ?? 'There is no conversation to do it in.';
    await tx`update automation_runs set outcome = 'skipped', reason = ${why} where id = ${id}`;
    return false;
  }
  const cause = causedBy(rule.id, occasion.subjectId, occasion.cause);
  const results = await actEach(tx, { conversationId, actions: rule.actions, cause, tools });
  const outcome = results.some((one) => one.outcome === 'failed') ? 'failed' : 'done';
  await tx`
    update automation_runs set outcome = ${outcome}, actions = ${tx.json(results as never)},
      conversation_id = ${conversationId}
    where id = ${id}`;
  return stops(rule);
}

function stops(rule: RuleRow): boolean {
  return rule.actions.some(({ type }) => type === 'stop');
}

/** Whether it has done what it says for the occasion: what it stopped then must not run when the event is read again. */
async function hasRun(tx: Sql, rule: RuleRow, { subjectId }: Occasion): Promise<boolean> {
  const rows = await tx`
    select 1 from automation_runs where rule_id = ${rule.id} and subject_id = ${subjectId} and actions <> '[]'`;
  return rows.length > 0;
}

interface Kept {
  occasion: Occasion;
  outcome: Outcome;
  reason: string | null;
}

/** Undefined when the rule has run for the occasion before. */
async function keepRun(
  tx: Sql,
  rule: RuleRow,
  { occasion, outcome, reason }: Kept,
): Promise<string | undefined> {
  const row = {
    id: newId(),
    rule_id: rule.id,
    subject_id: occasion.subjectId,
    business_id: rule.business_id,
    trigger: rule.trigger,
    conversation_id: occasion.conversationId,
    customer_id: occasion.customerId,
    outcome,
    reason,
  };
  const kept =
    await tx`insert into automation_runs ${tx(row)} on conflict (rule_id, subject_id) do nothing returning id`;
  return kept.length === 0 ? undefined : row.id;
}

interface AtWork {
  /** Of this run. */
  id: string;
  conversationId: string | undefined;
}

async function tooOften(tx: Sql, rule: RuleRow, { id, conversationId }: AtWork): Promise<string | undefined> {
  if (conversationId === undefined) return undefined;
  const since = new Date(Date.now() - HOUR_MS);
  const [row] = await tx<[{ runs: number }]>`
    select count(*)::int as runs from automation_runs
    where conversation_id in (${replies(rule) ? newOnesWith(tx, { conversationId, since }) : conversationId})
      and rule_id = ${rule.id} and id > ${firstIdAt(since)} and id <> ${id} and outcome <> 'skipped'`;
  if (row.runs < MOST_AN_HOUR) return undefined;
  const where = replies(rule) ? 'for this customer' : 'in this conversation';
  return `It ran ${MOST_AN_HOUR} times ${where} within an hour.`;
}

function replies(rule: RuleRow): boolean {
  return rule.actions.some(({ type }) => type === 'reply');
}

/** The conversation, and those that its customer began since: a program may be answered in a new one each time. */
function newOnesWith(tx: Sql, { conversationId, since }: { conversationId: string; since: Date }) {
  return tx`
    select ${conversationId}::uuid union
    select o.id from conversations c join conversations o on o.customer_id = c.customer_id
    where c.id = ${conversationId} and o.created_at > ${since}`;
}

/** Of a merged conversation the one that it goes on in; of a customer the one that was written in last. */
async function conversationOf(
  tx: Sql,
  { conversationId, customerId, businessId }: Occasion,
): Promise<string | undefined> {
  const [row] = await tx<{ id: string }[]>`
    select coalesce(merged_into_id, id) as id from conversations
    where business_id = ${businessId} and ${
      conversationId === null
        ? tx`customer_id = ${customerId} and status <> 'closed' and merged_into_id is null`
        : tx`id = ${conversationId}`
    }
    order by last_message_at desc limit 1`;
  return row?.id;
}

interface Acting {
  conversationId: string;
  actions: Action[];
  cause: Cause;
  tools: RunTools;
}

/** Each by itself: one that is refused leaves the others standing. */
async function actEach(tx: Sql, { conversationId, actions, cause, tools }: Acting): Promise<ActionResult[]> {
  const by = { type: 'system', id: null, name: null, causedBy: { ...cause } } as const;
  const results: ActionResult[] = [];
  for (const action of actions) {
    const [conversation] = await tx<[ConversationRow]>`
      select * from conversations where id = ${conversationId} for update`;
    const stage = { conversation, by, writing: tools.writing };
    results.push({
      type: action.type,
      ...(await attempt(tx, (inner) => ACTIONS[action.type].run(inner, stage, action))),
    });
  }
  return results;
}

async function attempt(tx: Sql, work: (tx: Sql) => Promise<void>): Promise<Omit<ActionResult, 'type'>> {
  try {
    await (tx as TransactionSql<{ bigint: number }>).savepoint((inner) => work(inner));
    return { outcome: 'done', reason: null };
  } catch (error) {
    if (error instanceof AppError) return { outcome: 'failed', reason: error.message };
    throw error;
  }
}
