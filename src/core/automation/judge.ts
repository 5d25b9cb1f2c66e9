import { type Facts, fieldNamed } from './fields.ts';
import { OPERATORS } from './operators.ts';
import type { Condition } from './rule.ts';

export interface Judged extends Condition {
  /** What the field held. */
  actual: unknown;
  holds: boolean;
}

/** Whether all conditions hold. */
export function allHold(conditions: Condition[], facts: Facts): boolean {
  return conditions.every((condition) => judge(condition, facts).holds);
}

/** A condition held against the facts. */
export function judge(condition: Condition, facts: Facts): Judged {
  const actual = fieldNamed(condition.field)?.(facts);
  const operator = OPERATORS[condition.operator];
  return {
    ...condition,
    actual: actual ?? null,
    holds: operator?.holds(actual, condition.value ?? null) ?? false,
  };
}
