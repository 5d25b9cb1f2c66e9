import type { Facts } from './fields.ts';
import { allHold } from './judge.ts';
import type { RuleRow } from './rules.ts';
import { type Occasion, type RunTools, runRule } from './run.ts';

/** Runs those of the rules whose conditions hold, in their order, until one says stop. */
export async function judgeAndRun(
  tools: RunTools,
  rules: RuleRow[],
  occasion: Occasion & { data: Facts },
): Promise<void> {
  for (const rule of rules) {
    if (!allHold(rule.conditions, occasion.data)) continue;
    if (await runRule(tools, rule, occasion)) return;
  }
}
