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
  return conditions.every((condition) => holds(condition, read(condition, facts)));
}

/** A condition held against the facts. */
export function judge(condition: Condition, facts: Facts): Judged {
  const actual = read(condition, facts);
  return { ...condition, actual: actual ?? null, holds: holds(condition, actual) };
}

// Rules are kept while they stay as they are, and judge every event: a name is looked up once.
const fields = new WeakMap<Condition, (facts: Facts) => unknown>();

function read(condition: Condition, facts: Facts): unknown {
  const field = fields.get(condition) ?? fieldNamed(condition.field) ?? (() => undefined);
  fields.set(condition, field);
  return field(facts);
}

function holds({ operator, value = null }: Condition, actual: unknown): boolean {
  return OPERATORS[operator]?.holds(actual, value) ?? false;
}
