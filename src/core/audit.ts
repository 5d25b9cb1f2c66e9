import type { Sql } from './database/connect.ts';
import { newId } from './id.ts';

export interface Audited {
  /** What was done, as `noun.verb`: `channel.created`, `inbound_request.viewed`. */
  action: string;
  subjectId?: string | null;
  /** Facts for whoever reads the log; never a secret. */
  detail?: Record<string, string | number | boolean | null | string[]>;
}

/** By whose key something was done; nobody's where it was done by itself. */
export interface Auditor {
  businessId: string;
  apiKeyId: string | null;
  agentId: string | null;
}

/** Notes who did what to the business's settings, keys and secrets. */
export async function audit(
  sql: Sql,
  actor: Auditor,
  { action, subjectId = null, detail = {} }: Audited,
): Promise<void> {
  await sql`
    insert into audit_log (id, business_id, api_key_id, agent_id, action, subject_id, detail)
    values (${newId()}, ${actor.businessId}, ${actor.apiKeyId}, ${actor.agentId}, ${action}, ${subjectId}, ${sql.json(detail)})`;
}
