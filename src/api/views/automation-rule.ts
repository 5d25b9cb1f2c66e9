import { z } from 'zod';
import type { Trial } from '../../core/automation/dry-run.ts';
import { ruleShape } from '../../core/automation/rule.ts';
import { OUTCOMES, type RuleRow, type RunRow } from '../../core/automation/rules.ts';

/** A condition as it was written. */
export const conditionView = z.object({
  field: z.string(),
  operator: z.string(),
  value: z.unknown().optional(),
});

/** A rule's own words, as either dialect shows them. */
export const ruleWords = {
  id: z.string(),
  name: z.string().nullable(),
  trigger: ruleShape.trigger,
  conditions: z.array(conditionView),
  actions: z.array(z.looseObject({ type: z.string() })),
};

/** A rule. */
export const ruleView = z
  .object({
    ...ruleWords,
    after_minutes: z.number().int().nullable(),
    is_active: z.boolean(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'AutomationRule' });

/** What became of a run. */
export const outcome = z.enum(OUTCOMES);
/** One line of a rule's log. */
export const runView = z.object({
  id: z.string(),
  trigger: ruleShape.trigger,
  subject_id: z
    .string()
    .meta({ description: 'The event, or the message or conversation that time has run from.' }),
  conversation_id: z.string().nullable(),
  customer_id: z.string().nullable(),
  outcome,
  reason: z.string().nullable(),
  actions: z.array(z.object({ type: z.string(), outcome, reason: z.string().nullable() })),
  created_at: z.string(),
});

/** The rule as the API shows it. */
export function viewRule(row: RuleRow): z.infer<typeof ruleView> {
  const { id, name, trigger, after_minutes, conditions, actions, is_active } = row;
  const times = { created_at: row.created_at.toISOString(), updated_at: row.updated_at.toISOString() };
  return { id, name, trigger, after_minutes, conditions, actions, is_active, ...times };
}

/** What a rule would have made of something, as the API shows it. */
export function viewTrial({ conditions, at, ...trial }: Trial) {
  const shown = conditions.map(({ value, ...condition }) => ({ ...condition, value: value ?? null }));
  return { ...trial, at: at.toISOString(), conditions: shown };
}

/** A line of the log as the API shows it. */
export function viewRun({ id, trigger, outcome, reason, actions, ...row }: RunRow): z.infer<typeof runView> {
  const { subject_id, conversation_id, customer_id } = row;
  const created_at = row.created_at.toISOString();
  return { id, trigger, subject_id, conversation_id, customer_id, outcome, reason, actions, created_at };
}
