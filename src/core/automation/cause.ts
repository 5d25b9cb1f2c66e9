import type { EventData } from '../events.ts';

/** What led to something: the rule, what set it going, and the rules before it. */
export interface Cause {
  rule: string;
  subject_id: string;
  depth: number;
  rules: string[];
}

/** Three rules in a row may set one another going; more is a circle that nobody has seen yet. */
const MOST_IN_A_ROW = 3;

/** What caused an event, by itself or by causing the message that it is about. */
export function causeOf(event: {
  caused_by: Record<string, unknown> | null;
  data: EventData;
}): Cause | undefined {
  const found = event.caused_by ?? event.data.message?.metadata['caused_by'];
  return isCause(found) ? found : undefined;
}

function isCause(found: unknown): found is Cause {
  return typeof found === 'object' && found !== null && 'rules' in found && Array.isArray(found.rules);
}

/** The cause of what this rule does because of a subject. */
export function causedBy(rule: string, subjectId: string, before: Cause | undefined): Cause {
  const rules = [...(before?.rules ?? []), rule];
  return { rule, subject_id: subjectId, depth: rules.length, rules };
}

/** Why a rule must not run for what another, or itself, has led to; undefined where it may. */
export function loopIn(cause: Cause | undefined, rule: string): string | undefined {
  if (cause === undefined) return undefined;
  if (cause.rules.includes(rule)) return 'The rule itself has led to it.';
  return cause.depth < MOST_IN_A_ROW ? undefined : `${MOST_IN_A_ROW} rules in a row have led to it.`;
}
