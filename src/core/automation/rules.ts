import type { Actor } from '../actor.ts';
import { audit } from '../audit.ts';
import type { Sql } from '../database/connect.ts';
import { AppError } from '../errors.ts';
import { isUuid, newId } from '../id.ts';
import type { ListWindow } from '../list-window.ts';
import { checkRule, type RuleFields, type RuleInput, withChanges } from './rule.ts';
import type { Trigger } from './triggers.ts';

export interface RuleRow extends RuleFields {
  id: string;
  business_id: string;
  active_since: Date;
  checked_at: Date;
  created_at: Date;
  updated_at: Date;
}

/** One window of the business's rules, in the order in which they run: the oldest first. */
export function listRules(
  sql: Sql,
  businessId: string,
  { after, fetch, offset }: ListWindow,
): Promise<RuleRow[]> {
  return sql<RuleRow[]>`
    select * from automation_rules
    where business_id = ${businessId} ${after === undefined ? sql`` : sql`and id > ${after[0] ?? null}::uuid`}
    order by id limit ${fetch} offset ${offset}`;
}

/** How many rules the business has. */
export async function countRules(sql: Sql, businessId: string): Promise<number> {
  const [row] = await sql<[{ total: number }]>`
    select count(*)::int as total from automation_rules where business_id = ${businessId}`;
  return row.total;
}

/** The business's rule. Throws `not_found` for any other id. */
export async function findRule(sql: Sql, businessId: string, id: string): Promise<RuleRow> {
  const [row] = isUuid(id)
    ? await sql<RuleRow[]>`select * from automation_rules where id = ${id} and business_id = ${businessId}`
    : [];
  if (row === undefined) throw notFound();
  return row;
}

function notFound(): AppError {
  return new AppError('not_found', 'There is no such rule.');
}

const BLANK = { name: null, after_minutes: null, conditions: [], is_active: true };

/** Stores a new rule; it hears what happens from now on. */
export async function createRule(
  tx: Sql,
  actor: Actor,
  input: RuleInput & Pick<RuleFields, 'trigger' | 'actions'>,
): Promise<RuleRow> {
  const { trigger, actions } = input;
  const fields = withChanges({ ...BLANK, trigger, actions }, input);
  await checkRule(tx, actor.businessId, fields);
  const id = newId();
  const row = { id, business_id: actor.businessId, ...columnsOf(tx, fields) };
  const [rule] = await tx<[RuleRow]>`insert into automation_rules ${tx(row)} returning *`;
  await audit(tx, actor, { action: 'automation_rule.created', subjectId: id, detail: { name: fields.name } });
  return rule;
}

/** Changes what is named; whatever was changed, it hears what happens from now on. */
export async function changeRule(
  tx: Sql,
  actor: Actor,
  { id, ...changes }: RuleInput & { id: string },
): Promise<RuleRow> {
  await findRule(tx, actor.businessId, id);
  const [before] = await tx<RuleRow[]>`select * from automation_rules where id = ${id} for update`;
  // Somebody was faster to delete it.
  if (before === undefined) throw notFound();
  const fields = withChanges(before, changes);
  await checkRule(tx, actor.businessId, fields);
  const [rule] = await tx<[RuleRow]>`
    update automation_rules set ${tx(columnsOf(tx, fields))}, active_since = clock_timestamp(),
      checked_at = clock_timestamp(),
      -- Later than any before: by it processes know that they have read the rule as it is.
      updated_at = greatest(clock_timestamp(), updated_at + interval '1 millisecond')
    where id = ${id} returning *`;
  const detail = { fields: Object.keys(changes) };
  await audit(tx, actor, { action: 'automation_rule.updated', subjectId: id, detail });
  return rule;
}

/** Takes a rule away, with the log of its runs. */
export async function removeRule(tx: Sql, actor: Actor, id: string): Promise<void> {
  await findRule(tx, actor.businessId, id);
  await tx`delete from automation_rules where id = ${id}`;
  await tx`delete from automation_runs where rule_id = ${id}`;
  await audit(tx, actor, { action: 'automation_rule.deleted', subjectId: id });
}

function columnsOf(tx: Sql, { conditions, actions, ...fields }: RuleFields) {
  return { ...fields, conditions: tx.json(conditions as never), actions: tx.json(actions as never) };
}

export const OUTCOMES = ['done', 'failed', 'skipped'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface ActionResult {
  type: string;
  outcome: Outcome;
  reason: string | null;
}

export interface RunRow {
  id: string;
  rule_id: string;
  subject_id: string;
  trigger: Trigger;
  conversation_id: string | null;
  customer_id: string | null;
  outcome: Outcome;
  reason: string | null;
  actions: ActionResult[];
  created_at: Date;
}

interface RunFilter {
  ruleId: string;
  outcome?: Outcome | undefined;
  conversationId?: string | undefined;
}

/** One window of a rule's runs, the newest first. */
export function listRuns(
  sql: Sql,
  { ruleId, outcome, conversationId }: RunFilter,
  { after, fetch, offset }: ListWindow,
): Promise<RunRow[]> {
  return sql<RunRow[]>`
    select * from automation_runs
    where rule_id = ${ruleId}
      ${outcome === undefined ? sql`` : sql`and outcome = ${outcome}`}
      ${conversationId === undefined ? sql`` : sql`and conversation_id = ${conversationId}`}
      ${after === undefined ? sql`` : sql`and id < ${after[0] ?? null}::uuid`}
    order by id desc limit ${fetch} offset ${offset}`;
}

const KEPT_DAYS = 30;

/** Forgets runs that nobody asks about any more; what they guarded against cannot come again by then. */
export async function forgetRuns(sql: Sql, limit: number): Promise<number> {
  const forgotten = await sql`
    delete from automation_runs where (rule_id, subject_id) in (
      select rule_id, subject_id from automation_runs
      where created_at < now() - make_interval(days => ${KEPT_DAYS}) order by created_at limit ${limit})`;
  return forgotten.count;
}
