import type { Pool } from '../database/connect.ts';
import type { RuleRow } from './rules.ts';
import { isTimeTrigger } from './triggers.ts';

/** The rules that are active now. */
export interface ActiveRules {
  isEmpty: boolean;
  /** Whether any is set going by time. */
  hasTimed: boolean;
  /** Those of a business for a trigger, the oldest first. */
  of(businessId: string, trigger: string): RuleRow[];
}

/** Asks for the active rules as often as wanted: they are read again only when any has changed. */
export function createActiveRules(pool: Pool): () => Promise<ActiveRules> {
  let known: { version: string; rules: ActiveRules } | undefined;
  return async () => {
    const version = await versionOf(pool);
    if (known?.version !== version) known = { version, rules: await readRules(pool) };
    return known.rules;
  };
}

/** Whatever happens to a rule changes the number of active ones or the sum of their times. Not their newest time: of two changes the earlier one may commit later. */
async function versionOf(pool: Pool): Promise<string> {
  const [row] = await pool<[{ version: string }]>`
    select concat(count(*), ' ', sum(extract(epoch from updated_at))) as version from automation_rules where is_active`;
  return row.version;
}

async function readRules(pool: Pool): Promise<ActiveRules> {
  const rows = await pool<RuleRow[]>`select * from automation_rules where is_active order by id`;
  const rules = Map.groupBy(rows, ({ business_id, trigger }) => `${business_id} ${trigger}`);
  return {
    isEmpty: rows.length === 0,
    hasTimed: rows.some(({ trigger }) => isTimeTrigger(trigger)),
    of: (businessId, trigger) => rules.get(`${businessId} ${trigger}`) ?? [],
  };
}
